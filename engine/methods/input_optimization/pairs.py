"""Pairs of an image and a combination of severities: which there are, and their transformed images in batches."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from engine.methods.input_optimization.optimise import NotFinite
from engine.methods.input_optimization.result import Sweep
from engine.methods.input_optimization.views import Views
from engine.methods.input_optimization.wording import said_combination
from engine.subject.subject import Subject


@dataclass(frozen=True, eq=False)
class Pairs:
    """`image`, `grid` and `combination` (P,) int64 are rows of the sweep, its grids, and of the grid's severities."""

    sweep: Sweep
    views: Views
    image: np.ndarray
    grid: np.ndarray
    combination: np.ndarray

    def __len__(self) -> int:
        return len(self.image)

    def take(self, chosen: np.ndarray) -> Pairs:
        """Some of the pairs."""
        return Pairs(self.sweep, self.views, self.image[chosen], self.grid[chosen], self.combination[chosen])

    def column(self, name: str) -> np.ndarray:
        """(P,) one of the sweep's `Outcomes`."""
        found = np.empty(len(self), dtype=getattr(self.sweep.clean, name).dtype)
        for grid in np.unique(self.grid):
            own = self.grid == grid
            found[own] = getattr(self.sweep.grids[grid].outcomes, name)[self.image[own], self.combination[own]]
        return found

    def labels(self, rows: np.ndarray) -> Tensor:
        """(n,) the labels of these pairs, on the classifier's device."""
        return torch.from_numpy(self.sweep.labels[self.image[rows]]).to(self.views.classifier.device)

    def clean(self, rows: np.ndarray) -> Tensor:
        """(n, C, H, W) in [0, 1], the unchanged images of these pairs."""
        return self.views.images(self.image[rows])

    def transformed(self, rows: np.ndarray) -> Tensor:
        """(n, C, H, W) in [0, 1], the transformed images of these pairs."""
        out = torch.empty(len(rows), *self.views.pixels.shape[1:], device=self.views.classifier.device)
        for grid in np.unique(self.grid[rows]):
            own = np.flatnonzero(self.grid[rows] == grid)
            swept = self.sweep.grids[grid]
            severities = swept.severities[self.combination[rows[own]]]
            out[torch.from_numpy(own)] = self.views.transformed(self.image[rows[own]], swept.families, severities)
        return out

    def said(self, row: int) -> str:
        """The pair in words: the file's name and what was done to the image."""
        swept = self.sweep.grids[self.grid[row]]
        what = said_combination(swept.families, swept.severities[self.combination[row]])
        return f"{self.views.names[self.image[row]]} ({what})"

    @contextmanager
    def named(self) -> Iterator[None]:
        """A row number of these pairs for which the network gives NaN becomes a ValueError that says which pair."""
        try:
            yield
        except NotFinite as error:
            raise ValueError(f"the network gives NaN or infinity for {self.said(error.row)}") from error


def pairs_of(subject: Subject, sweep: Sweep, grids: Sequence[int], images: int) -> Pairs:
    """All pairs of the sweep's first so many images and of these grids' combinations; ValueError where ids are gone."""
    views = views_of(subject, sweep, images)
    count = len(views.ids)
    image, grid, combination = [], [], []
    for number in grids:
        ways = len(sweep.grids[number].severities)
        image.append(np.repeat(np.arange(count), ways))
        grid.append(np.full(count * ways, number))
        combination.append(np.tile(np.arange(ways), count))
    return Pairs(sweep, views, np.concatenate(image), np.concatenate(grid), np.concatenate(combination))


def views_of(subject: Subject, sweep: Sweep, images: int) -> Views:
    """The sweep's first so many images."""
    position = subject.images.position
    ids = sweep.ids[:images].tolist()
    if gone := [each for each in ids if each not in position]:
        raise ValueError(f"{len(gone):,} images of the sweep are not in the data any more; sweep again")
    return Views(subject, np.array([position[each] for each in ids], dtype=np.int64), sweep.seed)
