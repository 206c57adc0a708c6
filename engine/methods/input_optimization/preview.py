"""Pictures and answers for a page: one image under many changes, and pairs of the optimisation, at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from engine.methods.input_optimization.differences import optimised_images
from engine.methods.input_optimization.pairs import Pairs
from engine.methods.input_optimization.result import Optimisation, Sweep
from engine.methods.input_optimization.views import Views
from engine.subject.subject import Subject


@dataclass(frozen=True)
class Looks:
    """Images as they are shown, uint8 (K, H, W, C), and what the classifier makes of each: shares (K, classes)."""

    pixels: np.ndarray
    shares: np.ndarray

    @property
    def prediction(self) -> np.ndarray:
        """(K,) the likeliest class."""
        return self.shares.argmax(axis=1)

    @property
    def confidence(self) -> np.ndarray:
        """(K,) in [0, 1], its probability."""
        return self.shares.max(axis=1)


@dataclass(frozen=True)
class Ways:
    """Pairs of an image and a combination (n,): clean, transformed and optimised, and the change (n, C, H, W) made."""

    clean: Looks
    transformed: Looks
    optimised: Looks
    change: np.ndarray


def one_image(
    subject: Subject, sample_id: str, families: Sequence[str], severities: Sequence[Sequence[float]], seed: int
) -> Looks:
    """One image under each of several combinations of severities (K, families), drawn as a sweep of this seed does."""
    views = Views(subject, np.array([subject.images.position[sample_id]]), seed)
    rows = np.zeros(len(severities), dtype=np.int64)
    return looks(subject, views.transformed(rows, families, np.asarray(severities, dtype=np.float64)))


def under_one(subject: Subject, sweep: Sweep, images: np.ndarray, grid: int, combinations: np.ndarray) -> Looks:
    """Images of the sweep (n,) under combinations of a grid (n,)."""
    position = subject.images.position
    views = Views(subject, np.array([position[each] for each in sweep.ids[images].tolist()]), sweep.seed)
    swept = sweep.grids[grid]
    return looks(subject, views.transformed(np.arange(len(images)), swept.families, swept.severities[combinations]))


def ways_back(subject: Subject, sweep: Sweep, optimisation: Optimisation, rows: np.ndarray) -> Ways:
    """The pairs (n,) of the optimisation with these numbers."""
    images, local = np.unique(optimisation.image[rows], return_inverse=True)
    position = subject.images.position
    views = Views(subject, np.array([position[each] for each in sweep.ids[images].tolist()]), sweep.seed)
    pairs = Pairs(sweep, views, local, optimisation.grid[rows], optimisation.combination[rows])
    every = np.arange(len(rows))
    transformed = pairs.transformed(every)
    places = optimisation.places[rows]
    optimised = optimised_images(optimisation, places, every, transformed)
    return Ways(
        clean=looks(subject, views.images(local)),
        transformed=looks(subject, transformed),
        optimised=looks(subject, optimised),
        change=(optimised - transformed).cpu().numpy(),
    )


def looks(subject: Subject, images: Tensor) -> Looks:
    """The images (K, C, H, W) in [0, 1] and the classifier's answers, a batch at a time."""
    with torch.inference_mode():
        shares = [subject.classifier(part).float().softmax(dim=1).cpu() for part in images.split(64)]
    pixels = images.mul(255).round().clamp(0, 255).byte().permute(0, 2, 3, 1).cpu().numpy()
    return Looks(pixels, torch.cat(shares).numpy())
