"""Are the hot areas what the answers rest on? Accuracy with them hidden, against equal areas hidden elsewhere."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from engine.methods.cam_training.figure import Figure, figure
from engine.methods.cam_training.geometry import map_on_image
from engine.methods.cam_training.result import Cams, Hiding
from engine.methods.cam_training.settings import HidingSettings
from engine.runs.progress import Progress
from engine.subject.subject import Subject
from engine.toolkit.statistics import Rate, rate


@dataclass(frozen=True)
class HidingFigure:
    """One share of the image hidden: accuracy before, with the hot area hidden, and with an equal one elsewhere.

    `elsewhere` is over all places; `difference` is how much more of the accuracy the hot area takes, image by image.
    """

    share: float
    before: Rate
    hot: Rate
    elsewhere: Figure
    difference: Figure


def hiding(subject: Subject, settings: HidingSettings, cams: Cams, progress: Progress) -> Hiding:
    """Classify the labelled images with shares of what the network sees painted in their own mean colour.

    ValueError where no image has a label.
    """
    import torch

    from engine.toolkit.prediction import as_tensor, batch_size, in_batches

    rows = np.flatnonzero(cams.labels >= 0)
    if not len(rows):
        raise ValueError("none of these images has a label, so there is no accuracy that could fall")
    images, classifier = subject.images, subject.classifier
    indices = np.array([images.position[sample_id] for sample_id in cams.ids[rows].tolist()])
    answers = np.empty((len(rows), len(settings.shares), 1 + settings.places), np.int64)
    before = np.empty(len(rows), np.int64)
    size = max(1, batch_size(classifier) // (1 + settings.places))

    def classified(pixels: np.ndarray) -> np.ndarray:
        return classifier(as_tensor(pixels, classifier.device)).argmax(dim=1).cpu().numpy()

    def work(these: slice, part: np.ndarray, pixels: np.ndarray) -> None:
        before[these] = classified(pixels)
        for place, versions in enumerate(painted(pixels, cams, rows[these], settings)):
            flat = versions.reshape(-1, *pixels.shape[1:])
            answers[these, place] = classified(flat).reshape(len(part), -1)

    with torch.inference_mode():
        in_batches(classifier, images, indices, work, progress, "hiding areas", size)
    labels = cams.labels[rows]
    right = answers == labels[:, None, None]
    return Hiding(
        cams.ids[rows],
        images.units()[indices],
        np.array(settings.shares, dtype=np.float64),
        before == labels,
        right[..., 0],
        right[..., 1:],
    )


def painted(pixels: np.ndarray, cams: Cams, rows: np.ndarray, settings: HidingSettings) -> Iterator[np.ndarray]:
    """For each share, the pixels (n, C, H, W) with the hot area painted over, then with it elsewhere: (n, 1 + P, ...).

    `rows` (n,) are the images' places among the maps.
    """
    heat = map_on_image(cams.maps[rows], cams.seen, *pixels.shape[2:])
    order = np.stack([hottest_first(each) for each in heat])
    seen = ~np.isnan(heat[0])
    tall, wide = int(seen.any(axis=1).sum()), int(seen.any(axis=0).sum())
    shifts = np.stack([random_shifts(cams.ids[row], tall, wide, settings) for row in rows])
    colour = np.rint(pixels.mean(axis=(2, 3), keepdims=True)).astype(np.uint8)[:, None]
    for share in settings.shares:
        hot = order < round(share * seen.sum())
        hidden = np.zeros((len(rows), 1 + settings.places, *seen.shape), dtype=bool)
        hidden[:, 0] = hot
        inner = hot[:, seen].reshape(-1, tall, wide)
        for image, place in np.ndindex(shifts.shape[:2]):
            hidden[image, 1 + place][seen] = np.roll(inner[image], shifts[image, place], axis=(0, 1)).ravel()
        yield np.where(hidden[:, :, None], colour, pixels[:, None])


def hottest_first(heat: np.ndarray) -> np.ndarray:
    """(H, W) int64, the place of each pixel of a map (H, W) in the order from the hottest; those that are NaN last.

    Of equally hot pixels the nearest to the hottest comes first, then the first, so that every area is exact and in
    one piece where a map is level.
    """
    down, right = np.divmod(np.arange(heat.size), heat.shape[1])
    peak = int(np.nanargmax(heat))
    distance = (down - down[peak]) ** 2 + (right - right[peak]) ** 2
    rank = np.empty(heat.size, np.int64)
    rank[np.lexsort((distance, -heat.ravel()))] = np.arange(heat.size)
    return rank.reshape(heat.shape)


def random_shifts(sample_id: str, tall: int, wide: int, settings: HidingSettings) -> np.ndarray:
    """(P, 2) int64, how far to move an image's hot area down and right: anywhere but where it is.

    Drawn from the seed and the image's id, so that neither the order of the images nor the batches matter.
    """
    own = int.from_bytes(hashlib.sha256(sample_id.encode()).digest()[:8])
    places = np.random.default_rng([settings.seed, own]).integers(1, max(2, tall * wide), settings.places)
    return np.stack(np.divmod(places, wide), axis=1)


def hiding_figures(found: Hiding) -> tuple[HidingFigure, ...]:
    """The figures of each share that was hidden, with intervals by units."""
    elsewhere = found.elsewhere.mean(axis=2)
    return tuple(
        HidingFigure(
            float(share),
            rate(found.right, found.units),
            rate(found.hot[:, place], found.units),
            figure(elsewhere[:, place], found.units),
            figure(elsewhere[:, place] - found.hot[:, place], found.units),
        )
        for place, share in enumerate(found.shares)
    )
