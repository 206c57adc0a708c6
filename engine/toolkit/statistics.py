"""Rates with their n and interval, by group where images come in groups. Numpy only."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

Z95 = 1.959963984540054  # the normal distribution's 97.5 % quantile


@dataclass(frozen=True)
class Rate:
    """A share in [0, 1] of `n` images (in `groups` independent units) with its 95 % interval; NaN where n is 0."""

    value: float
    low: float
    high: float
    n: int
    groups: int

    def __str__(self) -> str:
        if self.n == 0:
            return "unknown (no images)"
        return f"{self.value:.1%} ({self.low:.1%} to {self.high:.1%}, n = {self.n:,})"


def wilson(share: float, n: float) -> tuple[float, float]:
    """Wilson's 95 % interval of a share in [0, 1] seen in n independent trials; n may be an effective number.

    Wilson 1927, without continuity correction.
    """
    if n <= 0:
        return float("nan"), float("nan")
    middle = (share + Z95**2 / (2 * n)) / (1 + Z95**2 / n)
    half = Z95 / (1 + Z95**2 / n) * np.sqrt(share * (1 - share) / n + Z95**2 / (4 * n**2))
    return max(0.0, float(middle - half)), min(1.0, float(middle + half))


def effective_n(hits: np.ndarray, units: np.ndarray) -> float:
    """How many independent images these are worth, between the number of units and the number of images.

    hits (N,) bool; units (N,) int, the unit each image belongs to. The variance of the share estimated between
    units over the one of independent images is the design effect; n over it is the effective n (Kish 1965; Rao
    and Scott 1992). All right or all wrong says nothing of how images of a unit agree: then the number of units.
    """
    n = len(hits)
    _, members = np.unique(units, return_inverse=True)
    size = np.bincount(members)
    groups = len(size)
    if groups in (n, 1):
        return float(groups)
    share = hits.mean()
    if share in (0, 1):
        return float(groups)
    residual = np.bincount(members, weights=hits) - share * size
    between = groups / (groups - 1) * np.sum(residual**2) / n**2
    independent = share * (1 - share) / n
    return float(np.clip(n * independent / between if between > 0 else n, groups, n))


def rate(hits: np.ndarray, units: np.ndarray) -> Rate:
    """The share of hits (N,) bool with Wilson's interval at the effective n of their units (N,)."""
    n = len(hits)
    if n == 0:
        return Rate(float("nan"), float("nan"), float("nan"), 0, 0)
    share = float(np.mean(hits))
    low, high = wilson(share, effective_n(np.asarray(hits, dtype=bool), units))
    return Rate(share, low, high, n, len(np.unique(units)))


def mean_interval(values: np.ndarray, units: np.ndarray) -> tuple[float, float, float]:
    """The mean of values (N,) and its 95 % interval, robust to what images of one unit have in common."""
    n = len(values)
    if n == 0:
        return float("nan"), float("nan"), float("nan")
    _, members = np.unique(units, return_inverse=True)
    groups = int(members.max()) + 1
    mean = float(np.mean(values))
    if groups < 2:
        return mean, float("nan"), float("nan")
    residual = np.bincount(members, weights=values - mean)
    half = Z95 * float(np.sqrt(groups / (groups - 1) * np.sum(residual**2))) / n
    return mean, mean - half, mean + half
