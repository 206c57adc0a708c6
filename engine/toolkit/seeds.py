"""One value a seed: what all of them come to."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import stdtrit

ALIKE = 1e-9  # shares of up to a million images that differ at all differ by more


@dataclass(frozen=True)
class OverSeeds:
    """One value a seed, in the order of the seeds that have it: their mean and its 95 % interval by Student's t.

    The interval is cut off where no value can lie. It is NaN with fewer than two seeds and where all agree, for then
    nothing is known of how they vary; the mean is NaN with none.
    """

    seeds: tuple[int, ...]
    values: tuple[float, ...]
    mean: float
    low: float
    high: float


def over_seeds(found: dict[int, float], least: float = 0.0, most: float = 1.0) -> OverSeeds:
    """The values by seed, which lie between `least` and `most`, with their mean and Student's 95 % interval of it."""
    seeds = tuple(sorted(found))
    values = np.array([found[seed] for seed in seeds], dtype=np.float64)
    mean = float(values.mean()) if len(values) else float("nan")
    low, high = float("nan"), float("nan")
    if len(values) > 1 and np.ptp(values) > ALIKE:
        half = float(stdtrit(len(values) - 1, 0.975) * values.std(ddof=1) / np.sqrt(len(values)))
        low, high = max(mean - half, least), min(mean + half, most)
    return OverSeeds(seeds, tuple(values.tolist()), mean, low, high)
