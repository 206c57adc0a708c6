"""Masks over the image: 1 where a classifier should not look, 0 where it may, and anything between."""

from __future__ import annotations

import math

import numpy as np

from engine.methods.cam_training.geometry import WHOLE, Box, mask_on_grid, overlap
from engine.methods.cam_training.result import ImageMasks
from engine.methods.cam_training.settings import SIZES, MaskSettings

FINER = 8  # points a side that are looked at in each pixel, where a shape has no simple edge
NOTHING = 1e-6
NAMED = 5


def forbidden(settings: MaskSettings, height: int, width: int, picture: np.ndarray | None = None) -> np.ndarray:
    """(height, width) float32 in [0, 1], 1 where forbidden; a pixel on the edge of a shape has the share outside it.

    `picture` (H, W) in [0, 1] is the uploaded one, bright inside. ValueError where it is asked for and missing, and
    for masks that each image has its own of.
    """
    outside = 1 - inside_of(settings, height, width, picture)
    return (outside if settings.forbidden == "outside" else 1 - outside).astype(np.float32)


def inside_of(settings: MaskSettings, height: int, width: int, picture: np.ndarray | None) -> np.ndarray:
    """How much of each pixel lies inside the shape, (height, width) in [0, 1]."""
    size = settings.size or SIZES.get(settings.shape, 0.0)
    if settings.shape == "each":
        raise ValueError("each image has a mask of its own here, so there is none for all of them")
    if settings.shape == "picture":
        if picture is None:
            raise ValueError("a mask for all images was asked for, but none was given: upload a grey picture of it")
        return pooled(picture[None], height, width)[0]
    if settings.shape == "box":
        return rectangle((0.5 - size / 2, 0.5 - size / 2, 0.5 + size / 2, 0.5 + size / 2), height, width)
    if settings.shape == "border":
        return rectangle((size, size, 1 - size, 1 - size), height, width)
    if settings.shape == "rectangle":
        return rectangle((settings.top, settings.left, settings.bottom, settings.right), height, width)
    if settings.shape == "ellipse":
        return ellipse(settings, height, width)
    distance = from_centre(height, width)
    if settings.shape == "gaussian":
        return 1 - inverted_gaussian(distance, size)
    corner = math.sqrt(0.5)
    return 1 - np.clip((distance - size) / max(corner - size, NOTHING), 0, 1)


def rectangle(box: Box, height: int, width: int) -> np.ndarray:
    """The share of each pixel that lies in the box, exactly; what lies beyond the edges doesn't count."""
    top, left, bottom, right = box
    if bottom <= top or right <= left:
        return np.zeros((height, width))
    rows, columns = (
        overlap(start, end, 1, pixels)[0] * pixels * (end - start)
        for start, end, pixels in ((top, bottom, height), (left, right, width))
    )
    return np.outer(rows, columns)


def ellipse(settings: MaskSettings, height: int, width: int) -> np.ndarray:
    """The share of each pixel's points that lie in the ellipse that fills the box."""
    down = ((np.arange(height * FINER) + 0.5) / (height * FINER) - (settings.top + settings.bottom) / 2) / (
        (settings.bottom - settings.top) / 2
    )
    right = ((np.arange(width * FINER) + 0.5) / (width * FINER) - (settings.left + settings.right) / 2) / (
        (settings.right - settings.left) / 2
    )
    within = down[:, None] ** 2 + right**2 <= 1
    return pooled(within[None], height, width)[0]


def from_centre(height: int, width: int) -> np.ndarray:
    """The distance of each pixel's middle from the image's, in shares of its height and width."""
    down, right = (np.arange(height) + 0.5) / height - 0.5, (np.arange(width) + 0.5) / width - 0.5
    return np.hypot(down[:, None], right)


def inverted_gaussian(distance: np.ndarray, deviation: float) -> np.ndarray:
    """One minus a bell with this standard deviation, moved and scaled to run from 0 to 1."""
    return from_nothing(-np.expm1(-0.5 * (distance / deviation) ** 2)[None])[0]


def from_nothing(masks: np.ndarray) -> np.ndarray:
    """Masks (n, H, W), each moved and scaled to run from 0 to 1; a level one becomes 0."""
    least, most = (reduce(masks, axis=(1, 2), keepdims=True) for reduce in (np.min, np.max))
    return (masks - least) / np.where(most > least, most - least, 1)


def for_images(
    settings: MaskSettings,
    ids: np.ndarray,
    height: int,
    width: int,
    picture: np.ndarray | None = None,
    image_masks: ImageMasks | None = None,
    names: np.ndarray | None = None,
) -> np.ndarray:
    """The masks of images with these ids (n,), (n, height, width) float32 as in `forbidden`; (1, ...) if all share one.

    ValueError with their number and the first few `names` (n,), or else ids, where images have no mask of their own and
    should have.
    """
    if settings.shape != "each":
        return forbidden(settings, height, width, picture)[None]
    if image_masks is None:
        raise ValueError("a mask for each image was asked for, but none were given: load a folder of masks or a CSV")
    if (without := without_mask(ids, image_masks)).any():
        called = (ids if names is None else names)[without][:NAMED].tolist()
        first = ", ".join(called) + (", ..." if without.sum() > NAMED else "")
        raise ValueError(
            f"{without.sum():,} of {len(ids):,} images have no mask of their own ({first}); give it, or leave them out"
        )
    own = image_masks.inside[[image_masks.position[sample_id] for sample_id in ids.tolist()]]
    inside = pooled(own, height, width) / np.float32(255)
    return 1 - inside if settings.forbidden == "outside" else inside


def without_mask(ids: np.ndarray, image_masks: ImageMasks) -> np.ndarray:
    """(n,) bool, which of the images with these ids (n,) have no mask of their own."""
    return np.array([sample_id not in image_masks.position for sample_id in ids.tolist()], dtype=bool)


def check(mask: np.ndarray) -> None:
    """ValueError where a mask (H, W), or one of several (n, H, W), tells no place from another.

    Of several, some may allow the whole of their image, as where an object fills it.
    """
    flat = mask.reshape(-1, mask.shape[-2] * mask.shape[-1])
    if (flat.max(axis=1, initial=0) < NOTHING).all():
        raise ValueError(
            "the mask allows the whole image, so it asks for nothing: make its shape smaller, or turn it round"
        )
    if count := int((flat.min(axis=1) > 1 - NOTHING).sum()):
        which = "the mask forbids" if len(flat) == 1 else f"{count:,} of {len(flat):,} masks forbid"
        raise ValueError(
            f"{which} the whole image, so nothing is left to look at: make the shape larger, or turn it round"
        )


def on_grid(settings: MaskSettings, masks: np.ndarray, seen: Box, height: int, width: int) -> np.ndarray:
    """Masks (n, H, W) of these settings on the grid of a map that shows the box `seen`, (n, height, width) float32.

    A pooled bell is made to run from 0 to 1 again: an even grid has no cell in its middle, so that the four innermost
    would be forbidden in part, which taxes the right evidence.
    """
    cells = mask_on_grid(masks, seen, height, width)
    return from_nothing(cells) if settings.shape == "gaussian" else cells


def pooled(mask: np.ndarray, height: int, width: int) -> np.ndarray:
    """Masks (n, H, W) on another grid, (n, height, width) float32: what each cell covers of it, so the mean is kept."""
    return mask_on_grid(mask, WHOLE, height, width)
