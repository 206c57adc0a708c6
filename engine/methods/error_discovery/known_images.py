"""Images of train as points of a space, and how far others lie from them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from engine.methods.error_discovery.features import LastLayer
from engine.runs.progress import Progress
from engine.subject.image_set import UNLABELLED, Role
from engine.subject.subject import Subject
from engine.toolkit.prediction import as_tensor, in_batches

MOST = 12_000  # images of train, and
USUAL = 1_000  # of diagnosis, at most
SIDE = 32  # pixels, at most: of larger images, single pixels say nothing of how alike they are


class Space:
    """Where images are compared: `pixels` at most 32 a side, or the last layer's inputs, scaled to length 1."""

    def __init__(self, subject: Subject, space: str) -> None:
        self.subject, self.space, self.layer = subject, space, LastLayer(subject)

    def of_images(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """Points (n, V) and logits (n, K), float32 on the CPU, of images (n, C, H, W) in [0, 1]."""
        features, logits = self.layer.of_images(images)
        if self.space == "features":
            return F.normalize(features, dim=1), logits
        largest = max(images.shape[-2:])
        if largest > SIDE:
            height, width = (max(1, round(side * SIDE / largest)) for side in images.shape[-2:])
            images = F.adaptive_avg_pool2d(images, (height, width))
        return images.flatten(1).cpu(), logits

    def of(self, indices: np.ndarray, progress: Progress, label: str) -> tuple[np.ndarray, np.ndarray]:
        """Points (n, V) and predictions (n,) of the subject's images at these indices (n,)."""
        points: list[Tensor] = []
        predictions = np.zeros(len(indices), np.int64)

        def work(place: slice, _part: np.ndarray, pixels: np.ndarray) -> None:
            found, logits = self.of_images(as_tensor(pixels, self.subject.classifier.device))
            points.append(found)
            predictions[place] = logits.argmax(dim=1).numpy()

        in_batches(self.subject.classifier, self.subject.images, indices, work, progress, label)
        return (torch.cat(points).numpy() if points else np.zeros((0, 0), np.float32)), predictions


@dataclass(frozen=True)
class Known:
    """Images of train: `ids`, `units` (n,) str, `points` (n, V) float32, and `wrong` rows (w,), the misclassified."""

    ids: np.ndarray
    units: np.ndarray
    points: np.ndarray
    wrong: np.ndarray


def known_images(space: Space, progress: Progress) -> Known:
    """At most 12,000 images of train, drawn by the hash of their ids."""
    images = space.subject.images
    indices = fair(images.ids, images.indices(Role.TRAIN), MOST)
    points, predictions = space.of(indices, progress, "looking at images of train")
    labels = images.labels[indices]
    wrong = np.flatnonzero((predictions != labels) & (labels != UNLABELLED))
    return Known(images.ids[indices], images.units()[indices], points, wrong)


def usual_distances(space: Space, known: Known, progress: Progress) -> np.ndarray:
    """(u,) float64, how far at most 1,000 images of diagnosis lie from the nearest known one."""
    images = space.subject.images
    indices = fair(images.ids, images.indices(Role.DIAGNOSIS), USUAL)
    if not len(known.ids) or not len(indices):
        return np.zeros(0)
    points, _ = space.of(indices, progress, "looking at images of diagnosis")
    found = apart(points, images.units()[indices], known, np.arange(len(known.ids))).min(axis=1)
    return found[np.isfinite(found)].astype(np.float64)


def fair(ids: np.ndarray, indices: np.ndarray, most: int) -> np.ndarray:
    """At most so many of the indices (n,), in order; ids are hashes, so theirs is a draw that never changes."""
    return np.sort(indices[np.argsort(ids[indices], kind="stable")[:most]])


def apart(points: np.ndarray, units: np.ndarray, known: Known, rows: np.ndarray) -> np.ndarray:
    """(n, r) float32, how far points (n, V) lie from these rows (r,) of the known; infinite from their own unit's.

    `units` (n,) str are those of the points, "" where a point is of no real image.
    """
    others = torch.from_numpy(known.points[rows])
    parts = [torch.cdist(part, others) for part in torch.from_numpy(points).split(256)]
    found = torch.cat(parts).numpy() if parts else np.zeros((0, len(rows)), np.float32)
    return np.where(units[:, None] == known.units[rows][None], np.inf, found)
