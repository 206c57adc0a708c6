"""Objects on other backgrounds: pictures uint8 (n, C, H, W) and what of them is object, `inside` (n, H, W) in [0, 1].

A mask that all pictures share may be (1, H, W).
"""

from __future__ import annotations

import numpy as np

from engine.methods.cam_training.geometry import WHOLE, map_on_image

TRACE = 0.1  # of an object in a pixel: already too much for one whose colour fills the object's place
OBJECT = 0.5  # from here on a pixel belongs to the object whose box is looked for
CLOUDS, CLOUD_SAMPLES = 18.0, 5  # standard deviation in grey levels, and samples a side
DARKEST, BRIGHTEST = 40, 215  # of a background's colour, so that clouds aren't cut off


def pasted(
    objects: np.ndarray, inside: np.ndarray, backgrounds: np.ndarray, backgrounds_inside: np.ndarray
) -> np.ndarray:
    """The objects over other pictures, whose own objects are filled up first; uint8 (n, C, H, W)."""
    return laid_over(objects, inside, filled(backgrounds, backgrounds_inside))


def laid_over(objects: np.ndarray, inside: np.ndarray, backgrounds: np.ndarray) -> np.ndarray:
    """The objects over backgrounds, mixed where a pixel lies in the object only in part; uint8 (n, C, H, W)."""
    below = backgrounds.astype(np.float32)
    return np.rint(below + inside[:, None].astype(np.float32) * (objects - below)).astype(np.uint8)


def filled(pictures: np.ndarray, inside: np.ndarray) -> np.ndarray:
    """The pictures without their objects: each pixel of one has the colour of the nearest of the background.

    A picture that is all object becomes its mean colour.
    """
    from scipy.ndimage import distance_transform_edt

    out = pictures.copy()
    for mask, members in distinct(np.broadcast_to(inside > TRACE, (len(pictures), *pictures.shape[2:]))):
        if mask.all():
            out[members] = np.rint(pictures[members].mean(axis=(2, 3), keepdims=True)).astype(np.uint8)
        elif mask.any():
            rows, columns = distance_transform_edt(mask, return_distances=False, return_indices=True)
            out[members] = pictures[members][:, :, rows, columns]
    return out


def distinct(masks: np.ndarray) -> list[tuple[np.ndarray, list[int]]]:
    """Each of the different masks (H, W) among bool (n, H, W), with the places where it stands."""
    places: dict[bytes, list[int]] = {}
    for index, mask in enumerate(np.packbits(masks.reshape(len(masks), -1), axis=1)):
        places.setdefault(mask.tobytes(), []).append(index)
    return [(masks[members[0]], members) for members in places.values()]


def swapped_with(labels: np.ndarray, generator: np.random.Generator) -> np.ndarray:
    """(n,) int64, for each image one of another class: a class of the others, then an image of it, all equally likely.

    labels (n,). ValueError where there is one class only.
    """
    classes, own, count = np.unique(labels, return_inverse=True, return_counts=True)
    if len(classes) < 2:
        raise ValueError("backgrounds can be swapped between classes only: there are images of one class here")
    other = (own + generator.integers(1, len(classes), len(labels))) % len(classes)
    first = np.cumsum(count) - count
    return np.argsort(own, kind="stable")[first[other] + generator.integers(0, count[other])]


def strange_backgrounds(
    count: int, channels: int, height: int, width: int, generator: np.random.Generator
) -> np.ndarray:
    """Backgrounds that no class has: smooth clouds about a random colour, uint8 (count, channels, height, width)."""
    colours = generator.uniform(DARKEST, BRIGHTEST, (count, channels, 1, 1))
    rough = CLOUDS * generator.standard_normal((count, CLOUD_SAMPLES, CLOUD_SAMPLES))
    clouds = map_on_image(rough, WHOLE, height, width)[:, None]
    return np.clip(np.rint(colours + clouds), 0, 255).astype(np.uint8)


def off_centre(pictures: np.ndarray, inside: np.ndarray, generator: np.random.Generator) -> np.ndarray:
    """The pictures with their objects elsewhere in them, over their own backgrounds filled up; uint8 (n, C, H, W).

    Each is moved at least a quarter of the room that its box leaves, up and down or from side to side, and stays whole;
    one that leaves none stays where it is.
    """
    whole = np.broadcast_to(inside, (len(pictures), *inside.shape[1:]))
    down, right = shifts(whole > OBJECT, generator)
    return laid_over(moved(pictures, down, right), moved(whole[:, None], down, right)[:, 0], filled(pictures, inside))


def shifts(objects: np.ndarray, generator: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """By how many pixels down and right (n,) each to move objects, bool (n, H, W): far enough, all alike likely."""
    up, below = room(np.any(objects, axis=2))
    left, beside = room(np.any(objects, axis=1))
    enough = [np.maximum(1, np.ceil((before + after) / 4)) for before, after in ((up, below), (left, beside))]
    down, right = np.zeros_like(up), np.zeros_like(left)
    todo = np.flatnonzero(up + below + left + beside)
    while len(todo):
        down[todo] = generator.integers(-up[todo], below[todo], endpoint=True)
        right[todo] = generator.integers(-left[todo], beside[todo], endpoint=True)
        todo = todo[(np.abs(down[todo]) < enough[0][todo]) & (np.abs(right[todo]) < enough[1][todo])]
    return down, right


def room(covered: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """How many places before and after the covered ones, bool (n, L), are free, (n,) int64 each; none where all are."""
    some = covered.any(axis=1)
    before, after = covered.argmax(axis=1), covered[:, ::-1].argmax(axis=1)
    return np.where(some, before, 0), np.where(some, after, 0)


def moved(pictures: np.ndarray, down: np.ndarray, right: np.ndarray) -> np.ndarray:
    """Pictures (n, C, H, W), each moved by so many pixels (n,); 0 comes in from beyond the edges."""
    height, width = pictures.shape[2:]
    rows, columns = np.arange(height) - down[:, None], np.arange(width) - right[:, None]
    there = ((rows >= 0) & (rows < height))[:, None, :, None] & ((columns >= 0) & (columns < width))[:, None, None]
    each = np.arange(len(pictures))[:, None, None]
    found = pictures.transpose(0, 2, 3, 1)[
        each, np.clip(rows, 0, height - 1)[:, :, None], np.clip(columns, 0, width - 1)[:, None]
    ]
    return np.where(there, found.transpose(0, 3, 1, 2), 0).astype(pictures.dtype)
