"""Which sides of which families a sweep varies, and the images' answers along one of them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from engine.methods.input_optimization.result import Sweep, Swept
from engine.toolkit.transforms.families import family_named, in_order


@dataclass(frozen=True)
class SweptSide:
    """One side of a family, from no change outwards, all other families left alone.

    `severities` (S + 1,) float64 increase from 0, which is the unchanged images, to at most 1. `columns` (S,) int64
    are the combinations of the sweep's `grid` that belong to all but the first of them.
    """

    family: str
    sign: int
    grid: int
    severities: np.ndarray
    columns: np.ndarray

    def along(self, clean: np.ndarray, swept: np.ndarray) -> np.ndarray:
        """What is known of unchanged images (N, 1) and of the grid's (N, K), along this side: (N, S + 1)."""
        return np.concatenate([clean, swept[:, self.columns]], axis=1)

    def right(self, sweep: Sweep) -> np.ndarray:
        """(N, S + 1) bool, where the images are given their label."""
        return self.along(sweep.clean_right[:, None], sweep.right(self.grid))

    def margin(self, sweep: Sweep) -> np.ndarray:
        """(N, S + 1) float32, the margins of `Outcomes`."""
        return self.along(sweep.clean.margin, sweep.grids[self.grid].outcomes.margin)


def side_of(swept: Swept, grid: int, family: str, sign: int) -> SweptSide:
    """One side of a family of this grid, the other families at their identity."""
    ours = swept.families.index(family)
    alone = (np.delete(swept.severities, ours, axis=1) == 0).all(axis=1)
    columns = np.flatnonzero(alone & (swept.severities[:, ours] * sign > 0))
    size = np.abs(swept.severities[columns, ours])
    order = np.argsort(size)
    return SweptSide(family, sign, grid, np.concatenate([[0.0], size[order]]), columns[order])


def swept_sides(sweep: Sweep) -> tuple[SweptSide, ...]:
    """Every side that the sweep varies, once each, in the families' order.

    Where several grids hold a side, the one with the most severities on it is taken, the first of those that tie.
    """
    found = []
    for name in in_order(tuple({name for swept in sweep.grids for name in swept.families})):
        holders = [(number, swept) for number, swept in enumerate(sweep.grids) if name in swept.families]
        for sign in family_named(name).signs:
            finest = max(
                (side_of(swept, number, name, sign) for number, swept in holders), key=lambda side: len(side.columns)
            )
            if len(finest.columns):
                found.append(finest)
    return tuple(found)
