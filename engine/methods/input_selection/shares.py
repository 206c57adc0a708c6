"""Shares against a threshold and against each other, at their effective n; many tests at once."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from scipy.special import betainc, ndtr

from engine.toolkit.statistics import Z95, Rate, wilson

FARTHEST = 38.0  # standard errors, beyond which a p-value is 0 in float64
HALVINGS = 60


def newcombe(first: Rate, second: Rate, z: float = Z95) -> tuple[float, float]:
    """The interval of first - second in [-1, 1], two independent shares; NaN where either has no images.

    From the two Wilson intervals (Newcombe 1998, method 10).
    """
    if first.n == 0 or second.n == 0:
        return float("nan"), float("nan")
    low_first, high_first = wilson(first.value, first.effective_n, z)
    low_second, high_second = wilson(second.value, second.effective_n, z)
    difference = first.value - second.value
    return (
        difference - math.hypot(first.value - low_first, high_second - second.value),
        difference + math.hypot(high_first - first.value, second.value - low_second),
    )


def p_below(share: Rate, threshold: float) -> float:
    """The chance of a share this low or lower if the true one were the threshold: exact, binomial; 1 without images."""
    if share.n == 0:
        return 1.0
    hits = share.value * share.effective_n
    misses = share.effective_n - hits
    return float(betainc(misses, hits + 1, 1 - threshold)) if misses > 0 else 1.0


def p_above(first: Rate, second: Rate, threshold: float) -> float:
    """One-sided p-value of first - second not being above the threshold; 1 where either has no images.

    The level at which Newcombe's interval just reaches the threshold.
    """
    if first.n == 0 or second.n == 0:
        return 1.0
    above = first.value - second.value > threshold
    near, far = 0.0, FARTHEST
    for _ in range(HALVINGS):
        z = (near + far) / 2
        low, high = newcombe(first, second, z)
        reaches = low <= threshold if above else high >= threshold
        near, far = (near, z) if reaches else (z, far)
    return float(ndtr(-near if above else near))


def holm(chances: Sequence[float]) -> np.ndarray:
    """The p-values (m,) adjusted so that comparing each with a level holds the chance of any error (Holm 1979)."""
    given = np.asarray(chances, dtype=np.float64)
    order = np.argsort(given, kind="stable")
    raised = np.maximum.accumulate(given[order] * np.arange(len(given), 0, -1))
    adjusted = np.empty(len(given))
    adjusted[order] = np.minimum(raised, 1)
    return adjusted
