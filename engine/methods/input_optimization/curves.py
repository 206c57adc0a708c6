"""What one family does to accuracy, loss, confidence and answers, ready to be drawn side by side."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from engine.methods.input_optimization.result import Outcomes, Sweep
from engine.methods.input_optimization.sides import side_of
from engine.toolkit.statistics import mean_interval, rate
from engine.toolkit.transforms.families import family_named

MEASURES = ("accuracy", "loss", "confidence", "shift")


@dataclass(frozen=True)
class Point:
    """The mean of a measure at one severity, in [-1, 1], with its 95 % interval; `value` in the family's unit.

    Of `n` images; NaN where there are none, and an interval of NaN where they are of a single unit.
    """

    severity: float
    value: float
    mean: float
    low: float
    high: float
    n: int


@dataclass(frozen=True)
class Flow:
    """Where wrong answers go: `counts` (S, classes) int64 by predicted class, at `severities` (S,) from 0 outwards.

    `wrong` (S,) are all of them, out of `n` images.
    """

    severities: np.ndarray
    counts: np.ndarray
    wrong: np.ndarray
    n: int


def curve(sweep: Sweep, grid: int, measure: str, images: np.ndarray | None = None) -> tuple[Point, ...]:
    """A measure of `Outcomes`, or accuracy, at every severity of a grid of one family, the unchanged images at 0.

    `images`: which rows, (M,) int or (N,) bool; all of them where it is None.
    """
    family, ours = family_named(only_family(sweep, grid)), rows(sweep, images)
    severities = in_line(sweep, grid)
    values = measured(sweep, grid, measure)[ours]
    units = np.unique(sweep.units[ours], return_inverse=True)[1]
    points = []
    for severity, column in zip(severities.tolist(), values.T, strict=True):
        mean, low, high = with_interval(column, units)
        points.append(Point(severity, family.value(severity), mean, low, high, len(column)))
    return tuple(points)


def by_class(sweep: Sweep, grid: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The severities (S,) of a grid of one family, accuracy (classes, S) there, and each class's images (classes,).

    NaN where a class has no images.
    """
    severities, right = in_line(sweep, grid), measured(sweep, grid, "accuracy")
    member = np.equal.outer(np.arange(len(sweep.classes)), sweep.labels).astype(np.float64)
    n = member.sum(axis=1, keepdims=True)
    hits = member @ right
    accuracy = np.divide(hits, n, out=np.full_like(hits, np.nan), where=n > 0)
    return severities, accuracy, n[:, 0].astype(np.int64)


def flow(sweep: Sweep, grid: int, sign: int, images: np.ndarray | None = None) -> Flow:
    """Which classes wrong answers name on one side of a grid of one family; `images` as in `curve`."""
    side, ours = side_of(sweep.grids[grid], grid, only_family(sweep, grid), sign), rows(sweep, images)
    answers = side.along(sweep.clean.prediction, sweep.grids[grid].outcomes.prediction)[ours]
    wrong = answers != sweep.labels[ours][:, None]
    classes = len(sweep.classes)
    counts = np.stack([np.bincount(said[off], minlength=classes) for said, off in zip(answers.T, wrong.T, strict=True)])
    return Flow(side.severities, counts, wrong.sum(axis=0), len(answers))


def average_accuracy(sweep: Sweep, grid: int) -> float:
    """The mean accuracy over all combinations of a grid, in [0, 1]."""
    return float(sweep.right(grid).mean())


def worst_grids(sweep: Sweep, count: int) -> tuple[int, ...]:
    """Up to `count` numbers of grids of one family, those of the lowest average accuracy, the lowest first."""
    single = [number for number, swept in enumerate(sweep.grids) if len(swept.families) == 1]
    return tuple(sorted(single, key=lambda number: average_accuracy(sweep, number))[:count])


def only_family(sweep: Sweep, grid: int) -> str:
    """The family of a grid that varies one alone; ValueError where it varies several."""
    families = sweep.grids[grid].families
    if len(families) != 1:
        raise ValueError(f"a curve needs a grid of one family, grid {grid} varies {' and '.join(families)}")
    return families[0]


def rows(sweep: Sweep, images: np.ndarray | None) -> np.ndarray:
    """The rows (M,) int64 that are asked for."""
    every = np.arange(len(sweep.ids))
    return every if images is None else every[images]


def in_line(sweep: Sweep, grid: int) -> np.ndarray:
    """The severities (K + 1,) of a grid of one family, increasing, 0 among them."""
    only_family(sweep, grid)
    return np.sort(np.append(sweep.grids[grid].severities[:, 0], 0.0))


def measured(sweep: Sweep, grid: int, measure: str) -> np.ndarray:
    """A measure (N, K + 1) of a grid of one family at its severities `in_line`; accuracy is bool."""
    if measure not in MEASURES:
        raise ValueError(f"measure must be one of {', '.join(MEASURES)}, got {measure!r}")
    if measure == "accuracy":
        clean, swept = sweep.clean_right[:, None], sweep.right(grid)
    else:
        clean, swept = numbers(sweep.clean, measure), numbers(sweep.grids[grid].outcomes, measure)
    order = np.argsort(np.append(0.0, sweep.grids[grid].severities[:, 0]))
    return np.concatenate([clean, swept], axis=1)[:, order]


def numbers(outcomes: Outcomes, measure: str) -> np.ndarray:
    """One of the three measures of outcomes that are numbers, (N, K) float64."""
    of: dict[str, np.ndarray] = {"loss": outcomes.loss, "confidence": outcomes.confidence, "shift": outcomes.shift}
    return of[measure].astype(np.float64)


def with_interval(column: np.ndarray, units: np.ndarray) -> tuple[float, float, float]:
    """The mean of a column (N,) and its 95 % interval, that of a rate where it is bool; units (N,) int."""
    if column.dtype == bool:
        share = rate(column, units)
        return share.value, share.low, share.high
    return mean_interval(column, units)
