"""The two halves of the seed images: regions are made of one and tested on the other."""

from __future__ import annotations

import hashlib

import numpy as np


def aside(units: np.ndarray) -> np.ndarray:
    """(n,) bool: whether each unit (n,) str is in the half kept aside, by its hash; the same in every run."""
    names, member = np.unique(units, return_inverse=True)
    odd = [hashlib.sha256(f"aside {name}".encode()).digest()[0] & 1 for name in names.tolist()]
    return np.array(odd, dtype=bool)[member]
