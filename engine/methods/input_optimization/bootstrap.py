"""The bootstrap over units: an image's severities, and the images of one unit, are drawn together or not at all."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from engine.methods.input_optimization.crossing import crossing
from engine.methods.input_optimization.settings import BreakpointSettings
from engine.methods.input_optimization.sides import SweptSide
from engine.toolkit.statistics import FEW_UNITS

IMAGINED = 2  # units that `with_imagined` adds
CERTAIN = 0.95  # so many resamples must break for a breakpoint to count as reached


def drawn_counts(units: int, resamples: int, draws: np.random.Generator, imagined: int = 0) -> np.ndarray:
    """(resamples, units + imagined) float64, how often each is drawn where as many are drawn as there are units.

    Without rows where the units are fewer than five: so few say nothing of how much chance would change.
    """
    among = units + imagined
    if units < FEW_UNITS:
        return np.zeros((0, among))
    drawn = draws.integers(among, size=(resamples, units)) + among * np.arange(resamples)[:, None]
    return np.bincount(drawn.ravel(), minlength=resamples * among).reshape(resamples, among).astype(np.float64)


def sums_by_unit(values: np.ndarray, units: np.ndarray) -> np.ndarray:
    """(U, C) float64, the sums of values (N, C) over the images of each unit; units (N,) int, from 0 without gaps."""
    order = np.argsort(units, kind="stable")
    starts = np.searchsorted(units[order], np.arange(units.max() + 1))
    return np.add.reduceat(values[order].astype(np.float64), starts, axis=0)


def with_imagined(right: np.ndarray, size: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Right answers (U, P) along a side and sizes (U,) of units, and two that were not seen: (U + 2, P), (U + 2,).

    Both are of average size and accuracy; one is broken by the least change, the other by none. A resample of what was
    seen can break no sooner than the first image that failed and hold out no longer than the last, so that with few
    units, or a threshold close to the clean accuracy, it would be far too sure; one success and one failure more mend
    that, as they do for a single rate (Agresti and Coull 1998).
    """
    mean = size.mean()
    as_clean = right[:, 0].sum() / size.sum() * mean
    broken, whole = np.zeros(right.shape[1]), np.full(right.shape[1], as_clean)
    broken[0] = as_clean
    return np.concatenate([right, [broken, whole]]), np.append(size, [mean, mean])


def interval(values: np.ndarray) -> tuple[float, float]:
    """Where the middle 95 % of values (R,) lie; an end may be infinite, both are NaN where there are no values.

    The ends are values that occur, the outer ones of the two nearest, since nothing lies between a number and infinity.
    """
    if not len(values):
        return float("nan"), float("nan")
    ordered, last = np.sort(values), len(values) - 1
    return float(ordered[math.floor(0.025 * last)]), float(ordered[math.ceil(0.975 * last)])


def thresholds(clean: np.ndarray, settings: BreakpointSettings) -> np.ndarray:
    """Below which accuracy a set of images counts as broken, from the one of its unchanged images, in that shape."""
    return clean - settings.drop if settings.rule == "drop" else np.full_like(clean, settings.level)


@dataclass(frozen=True)
class Estimate:
    """Where a set of images breaks on one side: at a severity in [0, 1], infinite where it doesn't in the range.

    `resampled` (R,) is the same of resamples, without any where the units are too few; `threshold` the accuracy.
    """

    severity: float
    threshold: float
    resampled: np.ndarray

    @cached_property
    def interval(self) -> tuple[float, float]:
        """Its 95 % interval, the end that lies beyond the range being infinite; NaN where the units are too few."""
        return interval(self.resampled)

    @property
    def share(self) -> float:
        """Which share of the resamples breaks within the range; NaN where the units are too few."""
        return float(np.isfinite(self.resampled).mean()) if len(self.resampled) else float("nan")

    @property
    def reached(self) -> bool:
        """Whether it breaks, in at least 95 % of the resamples too."""
        return bool(np.isfinite(self.severity) and self.share >= CERTAIN)


def estimates(
    sides: Sequence[SweptSide],
    right: Sequence[np.ndarray],
    units: np.ndarray,
    counts: np.ndarray,
    settings: BreakpointSettings,
) -> list[Estimate]:
    """Where these images break on each side; right (N, S + 1) bool each, units (N,) int.

    counts (R, U + 2) say how often each unit is drawn, and the two of `with_imagined`, which only resamples know.
    """
    as_they_are = np.ones((1, counts.shape[1]))
    as_they_are[:, -IMAGINED:] = 0
    counts = np.concatenate([as_they_are, counts])
    found = []
    for side, answers in zip(sides, right, strict=True):
        hits, size = with_imagined(sums_by_unit(answers, units), np.bincount(units))
        curves = (hits.T @ counts.T) / (counts @ size)
        limits = thresholds(curves[0], settings)
        broken = crossing(side.severities, curves, limits)
        found.append(Estimate(float(broken[0]), float(limits[0]), broken[1:]))
    return found
