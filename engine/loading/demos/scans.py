"""scikit-learn's 1,797 scanned digits, and who of them plays which role."""

from __future__ import annotations

from functools import cache

import numpy as np

from engine.subject.image_set import Role

SHARES = {Role.TRAIN: 0.35, Role.POOL: 0.20, Role.DIAGNOSIS: 0.20, Role.TEST: 0.25}


@cache
def scans() -> tuple[np.ndarray, np.ndarray]:
    """The scans (1797, 8, 8), ink in [0, 1], and the digit each of them shows (1797,)."""
    from sklearn.datasets import load_digits

    digits = load_digits()
    return digits.images / 16, digits.target


def cast(shown: np.ndarray, random: np.random.Generator) -> dict[Role, np.ndarray]:
    """The scans that show the digits `shown`, divided into roles at random in the shares of `SHARES`, digit by digit.

    The indices of each role are ordered by digit.
    """
    parts: dict[Role, list[np.ndarray]] = {role: [] for role in SHARES}
    cuts = np.cumsum(list(SHARES.values()))[:-1]
    for digit in np.unique(shown):
        drawn = random.permutation(np.flatnonzero(shown == digit))
        for role, part in zip(SHARES, np.split(drawn, np.round(cuts * len(drawn)).astype(int)), strict=True):
            parts[role].append(part)
    return {role: np.concatenate(found) for role, found in parts.items()}
