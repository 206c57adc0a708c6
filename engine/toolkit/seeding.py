"""Borrowing the global random state where a library leaves no choice (layer initialisation, dropout)."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import torch


@contextmanager
def seeded(seed: int) -> Iterator[None]:
    """Same seed, same numbers inside; outside, nobody's randomness has moved. The seed lies in [0, 2^32)."""
    python_state, numpy_state = random.getstate(), np.random.get_state()  # noqa: NPY002 (it is the global one)
    with torch.random.fork_rng():
        random.seed(seed)
        np.random.seed(seed)  # noqa: NPY002
        torch.manual_seed(seed)
        try:
            yield
        finally:
            random.setstate(python_state)
            np.random.set_state(numpy_state)  # noqa: NPY002
