"""How likely differences so one-sided are by chance."""

from __future__ import annotations

import numpy as np

DIGITS = 9  # shares of up to a million images that differ at all differ by more


def signed_rank(differences: np.ndarray) -> float:
    """The two-sided exact p of Wilcoxon's signed-rank test (1945): how likely ranks so one-sided are by chance.

    differences (n,), of shares, so that those within rounding are equal. Those of 0 are left out, and equal sizes share
    the mean of their ranks, each sign as likely as the other; 1 where nothing is left.
    """
    differences = np.round(differences, DIGITS)
    left = differences[differences != 0]
    sizes, place, count = np.unique(np.abs(left), return_inverse=True, return_counts=True)
    if not len(sizes):
        return 1.0
    doubled = (2 * np.cumsum(count) - count + 1)[place]  # twice the mean rank, a whole number
    ways = np.zeros(int(doubled.sum()) + 1)
    ways[0] = 1
    for rank in doubled:
        ways[rank:] += ways[:-rank].copy()
    chance = ways / ways.sum()
    observed = int(doubled[left > 0].sum())
    return float(min(1.0, 2 * min(chance[: observed + 1].sum(), chance[observed:].sum())))
