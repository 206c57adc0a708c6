"""How far the nine metrics agree on which candidates are like a map, and which they put at either end."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from engine.methods.input_selection.metrics import scores
from engine.methods.input_selection.settings import METRICS


@dataclass(frozen=True)
class Agreement:
    """The rankings of n candidates by M metrics.

    `spearman` (M, M), the rank correlation of each two, 0 where a metric tells no candidates apart; `best` and
    `worst` (M, few) int64, the candidates' rows from the nearest on and from the farthest on.
    """

    metrics: tuple[str, ...]
    spearman: np.ndarray
    best: np.ndarray
    worst: np.ndarray


def agreement(
    candidates: np.ndarray,
    values: np.ndarray,
    few: int = 6,
    power: float = 3.0,
    wasserstein: str = "sliced",
    shape: tuple[int, int, int] | None = None,
) -> Agreement:
    """What all metrics make of candidates (n, F) against one map (F,).

    A Wasserstein distance that has no places to move mass between is the one of histograms instead.
    """
    flat = shape is None or shape[1] * shape[2] == 1
    kind = "histogram" if flat else wasserstein
    found = np.hstack([scores(candidates, values[None], metric, power, kind, shape) for metric in METRICS])
    order = np.argsort(found, axis=0, kind="stable").T
    return Agreement(METRICS, spearman(found), order[:, :few], order[:, ::-1][:, :few])


def spearman(columns: np.ndarray) -> np.ndarray:
    """(m, m) Spearman's rank correlation of columns (n, m), equal values sharing the mean of their ranks."""
    ranks = np.stack([mean_ranks(column) for column in columns.T])
    ranks -= ranks.mean(axis=1, keepdims=True)
    length = np.linalg.norm(ranks, axis=1, keepdims=True)
    ranks /= np.where(length > 0, length, 1)
    return ranks @ ranks.T


def mean_ranks(values: np.ndarray) -> np.ndarray:
    """(n,) ranks from 1."""
    _, place, count = np.unique(values, return_inverse=True, return_counts=True)
    return (np.cumsum(count) - (count - 1) / 2)[place]
