"""Rates with their n and interval, by group where images come in groups."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import ndtri, stdtrit  # scipy.stats would take half a second of the app's start

Z95 = float(ndtri(0.975))
FEW_UNITS = 5


@dataclass(frozen=True)
class Rate:
    """A share in [0, 1] of `n` images with its 95 % interval; NaN where n is 0.

    The images come in `groups` independent units and are worth `effective_n` independent ones.
    """

    value: float
    low: float
    high: float
    n: int
    groups: int
    effective_n: float

    def __str__(self) -> str:
        if self.n == 0:
            return "unknown (no images)"
        return f"{self.value:.1%} ({self.low:.1%} to {self.high:.1%}, n = {self.n:,})"


def wilson(share: float, n: float, z: float = Z95) -> tuple[float, float]:
    """Wilson's interval of a share in [0, 1] seen in n independent trials; n may be an effective number.

    It reaches z standard errors either way, so 95 % by default. Wilson 1927, without continuity correction.
    """
    if n <= 0:
        return float("nan"), float("nan")
    middle = (share + z**2 / (2 * n)) / (1 + z**2 / n)
    half = z / (1 + z**2 / n) * np.sqrt(share * (1 - share) / n + z**2 / (4 * n**2))
    return max(0.0, float(middle - half)), min(1.0, float(middle + half))


def effective_n(hits: np.ndarray, units: np.ndarray) -> float:
    """How many independent images these are worth, for Wilson's interval with the normal quantile.

    hits (N,) bool; units (N,) int, the unit each image belongs to. The variance of the share estimated between
    units over the one of independent images is the design effect, and n over it the effective n (Rao and Scott
    1992), made smaller by the square of the normal over Student's quantile, for it is estimated from so many units.
    It lies between n and Kish's number of units, which holds where images of a unit always agree (Kish 1965). That
    least value is taken where fewer than five units hold the rarer outcome: so few say nothing of how images of a
    unit agree.
    """
    n = len(hits)
    _, members = np.unique(units, return_inverse=True)
    size = np.bincount(members)
    if len(size) == n:
        return float(n)
    least, share = kish(size), hits.mean()
    rarer = np.bincount(members, weights=hits if share < 0.5 else ~hits) > 0
    if rarer.sum() < FEW_UNITS:
        return least
    between = variance_of_mean(hits.astype(np.float64), members, size)
    independent = share * (1 - share) / n
    student = (Z95 / stdtrit(least - 1, 0.975)) ** 2
    return float(np.clip(n * student * independent / between, min(least, n), n)) if between > 0 else float(n)


def kish(size: np.ndarray) -> float:
    """How many equally large units these of `size` (G,) are worth: (sum of sizes)^2 / sum of squared sizes."""
    return float(size.sum() ** 2 / np.sum(size.astype(np.float64) ** 2))


def variance_of_mean(values: np.ndarray, members: np.ndarray, size: np.ndarray) -> float:
    """The variance of the mean of values (N,) whose units `members` (N,) have `size` (G,) images, by the jackknife.

    Leaving a unit out moves the mean by its residual over 1 - its share of the images, so that a unit that makes up
    most of the data is not taken to agree with itself (Efron and Stein 1981).
    """
    n, groups = len(values), len(size)
    residual = np.bincount(members, weights=values) - values.mean() * size
    return float((groups - 1) / groups * np.sum((residual / (1 - size / n)) ** 2) / n**2)


def rate(hits: np.ndarray, units: np.ndarray) -> Rate:
    """The share of hits (N,) bool with Wilson's interval at the effective n of their units (N,)."""
    n = len(hits)
    if n == 0:
        return Rate(float("nan"), float("nan"), float("nan"), 0, 0, 0.0)
    share, worth = float(np.mean(hits)), effective_n(np.asarray(hits, dtype=bool), units)
    low, high = wilson(share, worth)
    return Rate(share, low, high, n, len(np.unique(units)), worth)


def share_of(hits: np.ndarray) -> float:
    """The share of hits (N,) bool, NaN for none."""
    return float(hits.mean()) if len(hits) else float("nan")


def mean_interval(values: np.ndarray, units: np.ndarray) -> tuple[float, float, float]:
    """The mean of values (N,) and its 95 % interval, robust to what images of one unit have in common."""
    if len(values) == 0:
        return float("nan"), float("nan"), float("nan")
    _, members = np.unique(units, return_inverse=True)
    size, mean = np.bincount(members), float(np.mean(values))
    if len(size) < 2:
        return mean, float("nan"), float("nan")
    half = float(stdtrit(kish(size) - 1, 0.975)) * np.sqrt(variance_of_mean(values, members, size))
    return mean, mean - half, mean + half
