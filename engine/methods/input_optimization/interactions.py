"""Two families at once: accuracy at every combination, where it breaks, and whether each makes the other worse."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import numpy as np

from engine.methods.input_optimization.bootstrap import drawn_counts, interval, sums_by_unit, thresholds
from engine.methods.input_optimization.crossing import ROUNDING, crossing
from engine.methods.input_optimization.result import Interaction, Sweep
from engine.methods.input_optimization.settings import BreakpointSettings


def interactions(sweep: Sweep, settings: BreakpointSettings) -> tuple[Interaction, ...]:
    """Every two families that a grid varies together, the grid's other families at their identity.

    `excess` compares accuracy at (a, b) with accuracy(a) accuracy(b) / accuracy(0, 0): what would be left if, of the
    images that are right unchanged, each family broke its share without regard to which ones the other breaks. But
    images differ, and those that one family breaks easily the other often does too; that alone leaves more accuracy
    than the product. So an excess below 0 says that the families make each other worse, while one above 0 may come
    from nothing but easy and hard images.
    """
    _, units = np.unique(sweep.units, return_inverse=True)
    draws = np.random.default_rng([settings.seed, 0, 2])  # 0 and 1 are the two halves
    counts = drawn_counts(int(units.max()) + 1, settings.resamples, draws)
    return tuple(
        interaction(sweep, number, pair, units, counts, settings)
        for number, swept in enumerate(sweep.grids)
        for pair in varied_pairs(swept.severities)
    )


def varied_pairs(severities: np.ndarray) -> Iterator[tuple[int, int]]:
    """Every two columns of severities (K, families) that hold other numbers than 0."""
    return itertools.combinations(np.flatnonzero((severities != 0).any(axis=0)).tolist(), 2)


def interaction(
    sweep: Sweep,
    grid: int,
    pair: tuple[int, int],
    units: np.ndarray,
    counts: np.ndarray,
    settings: BreakpointSettings,
) -> Interaction:
    """Two families of a grid, by their places in it; units (N,) int, counts (R, U)."""
    swept = sweep.grids[grid]
    first, second, columns = plane(swept.severities, pair)
    every = np.concatenate([sweep.right(grid), sweep.clean_right[:, None]], axis=1)[:, columns.ravel()]
    counts = np.concatenate([np.ones((1, counts.shape[1])), counts])
    shares = (counts @ sums_by_unit(every, units)) / (counts @ np.bincount(units))[:, None]
    accuracy = shares.reshape(-1, len(first), len(second))
    over = excess(first, second, accuracy)
    low, high = interval(over[1:][np.isfinite(over[1:])])
    threshold = float(thresholds(accuracy[0][first == 0][:, second == 0], settings).item())
    return Interaction(
        grid=grid,
        families=(swept.families[pair[0]], swept.families[pair[1]]),
        first=first,
        second=second,
        accuracy=accuracy[0],
        line=line(first, second, accuracy[0], threshold),
        excess=float(over[0]),
        low=low,
        high=high,
    )


def plane(severities: np.ndarray, pair: tuple[int, int]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The severities of two families, increasing (A,) and (B,), and which combination (A, B) belongs to both.

    severities (K, families), the others at 0; the combination that changes nothing is none of them: -1.
    """
    rows = np.flatnonzero((np.delete(severities, pair, axis=1) == 0).all(axis=1))
    ours = severities[rows][:, pair]
    first, second = (np.union1d(ours[:, which], [0.0]) for which in (0, 1))
    columns = np.full((len(first), len(second)), -1)
    columns[np.searchsorted(first, ours[:, 0]), np.searchsorted(second, ours[:, 1])] = rows
    return first, second, columns


def excess(first: np.ndarray, second: np.ndarray, accuracy: np.ndarray) -> np.ndarray:
    """(R,) accuracy above the product's, averaged over the combinations of both; accuracy (R, A, B).

    NaN where no unchanged image is right.
    """
    alone_first, alone_second = accuracy[:, first != 0][:, :, second == 0], accuracy[:, first == 0][:, :, second != 0]
    neither, both = accuracy[:, first == 0][:, :, second == 0], accuracy[:, first != 0][:, :, second != 0]
    product = alone_first * alone_second
    expected = np.divide(product, neither, out=np.full_like(product, np.nan), where=neither > 0)
    return (both - expected).mean(axis=(1, 2))


def line(first: np.ndarray, second: np.ndarray, accuracy: np.ndarray, threshold: float) -> np.ndarray:
    """(L, 2) points (first, second) where accuracy (A, B) falls below the threshold, in the order of going round.

    For each severity of the first family that is not broken by itself, where the second breaks it, on each of its
    sides; between the two sides, where the first family breaks alone.
    """
    alone = accuracy[:, second == 0][:, 0]
    ends = {sign: outwards(first, alone, sign, threshold) for sign in (-1, 1)}
    there = [(at, outwards(second, row, 1, threshold)) for at, row in zip(first, accuracy, strict=True)]
    back = [(at, outwards(second, row, -1, threshold)) for at, row in zip(first[::-1], accuracy[::-1], strict=True)]
    points = np.array([(ends[-1], 0.0), *there, (ends[1], 0.0), *back])
    return points[np.isfinite(points).all(axis=1)]


def outwards(severities: np.ndarray, accuracy: np.ndarray, sign: int, threshold: float) -> float:
    """The signed severity at which accuracy (P,) falls below the threshold on one side of 0.

    Infinite where it doesn't, or where there is no such side; NaN where it is below at 0.
    """
    side = np.flatnonzero(severities * sign >= 0)
    side = side[np.argsort(np.abs(severities[side]))]
    if accuracy[side[0]] < threshold - ROUNDING:
        return float("nan")
    if len(side) == 1:
        return float("inf")
    return sign * float(crossing(np.abs(severities[side]), accuracy[side], np.array(threshold)))
