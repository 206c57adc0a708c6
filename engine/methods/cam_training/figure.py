"""A mean with its interval, and how many values there were to take it of."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from engine.toolkit.statistics import mean_interval


@dataclass(frozen=True)
class Figure:
    """The mean of `n` values with its 95 % interval by units; NaN without values. `missing` more were not a number."""

    mean: float
    low: float
    high: float
    n: int
    missing: int


def figure(values: np.ndarray, units: np.ndarray) -> Figure:
    """The mean of values (N,), NaN where there was nothing to measure, of images in units (N,)."""
    there = ~np.isnan(values)
    mean, low, high = map(float, mean_interval(values[there], units[there]))
    return Figure(mean, low, high, int(there.sum()), int((~there).sum()))


def mean_of(values: np.ndarray) -> float:
    """The mean of the values that are numbers, NaN where none is."""
    there = values[~np.isnan(values)]
    return float(there.mean()) if len(there) else float("nan")
