"""An order in which everything has its turn before anything comes again."""

from __future__ import annotations

import numpy as np


def in_turn(indices: np.ndarray, count: int, generator: np.random.Generator) -> np.ndarray:
    """(count,) the indices shuffled, and again shuffled when all have had their turn; there must be one at least."""
    turns = -(-count // len(indices))
    return np.concatenate([generator.permutation(indices) for _ in range(turns)])[:count]
