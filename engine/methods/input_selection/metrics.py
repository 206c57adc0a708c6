"""How far candidates are from maps, by nine metrics; small is similar in all of them."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy.spatial.distance import cdist

from engine.methods.input_selection.settings import METRICS
from engine.methods.input_selection.wasserstein import transport

PORTION = 32_000  # numbers worked on at once, so that they stay in the processor's cache
MOST_FACTORS = 8  # a power up to which multiplying is quicker than pow


def scores(
    candidates: np.ndarray,
    maps: np.ndarray,
    metric: str,
    power: float = 3.0,
    wasserstein: str = "sliced",
    shape: tuple[int, int, int] | None = None,
) -> np.ndarray:
    """(n, k) the distance of each candidate (n, F) to each map (k, F), float64, never NaN.

    `dot` is the negated product. `power` is Minkowski's, `wasserstein` one of its kinds, and `shape` the layout
    (c, h, w) of the F numbers where they have one. A vector of zeros has a cosine distance of 1 to all others.
    """
    if candidates.shape[1] != maps.shape[1]:
        raise ValueError(f"candidates have {candidates.shape[1]} features and maps {maps.shape[1]}")
    if metric not in METRICS:
        raise ValueError(f"metric must be one of {', '.join(METRICS)}, got {metric!r}")
    theirs = np.asarray(maps, dtype=np.float64)

    def of(part: np.ndarray) -> np.ndarray:
        if metric == "wasserstein":
            return transport(part, theirs, wasserstein, shape)
        own = part.astype(np.float64)
        return minkowski(own, theirs, power) if metric == "minkowski" else DISTANCES[metric](own, theirs)

    rows = max(1, PORTION // candidates.shape[1])
    portions = range(0, max(1, len(candidates)), rows)
    return np.concatenate([of(candidates[start : start + rows]) for start in portions])


def dot(ours: np.ndarray, theirs: np.ndarray) -> np.ndarray:
    """(n, k) the negated products."""
    return -(ours @ theirs.T)


def cosine(ours: np.ndarray, theirs: np.ndarray) -> np.ndarray:
    """(n, k) 1 - the cosine of the angle."""
    return 1 - unit(ours) @ unit(theirs).T


def unit(vectors: np.ndarray) -> np.ndarray:
    """The vectors (n, F) at length 1; those of zeros stay."""
    length = np.linalg.norm(vectors, axis=1, keepdims=True)
    return vectors / np.where(length > 0, length, 1)


def minkowski(ours: np.ndarray, theirs: np.ndarray, power: float) -> np.ndarray:
    """(n, k) the power-th root of the sum of absolute differences to that power."""
    if power in (1, 2):
        return cdist(ours, theirs, "cityblock" if power == 1 else "euclidean")
    if power != int(power) or power > MOST_FACTORS:
        return cdist(ours, theirs, "minkowski", p=power)
    sums = np.empty((len(ours), len(theirs)))
    for place, other in enumerate(theirs):
        difference = np.abs(ours - other)
        raised = difference * difference
        for _ in range(int(power) - 3):
            raised *= difference
        sums[:, place] = np.einsum("nf,nf->n", raised, difference)
    return sums ** (1 / power)


def bray_curtis(ours: np.ndarray, theirs: np.ndarray) -> np.ndarray:
    """(n, k) the sum of absolute differences over that of absolute sums; 0 where both are zeros."""
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.nan_to_num(cdist(ours, theirs, "braycurtis"), nan=0.0, posinf=np.inf)


DISTANCES: dict[str, Callable[[np.ndarray, np.ndarray], np.ndarray]] = {
    "dot": dot,
    "cosine": cosine,
    "manhattan": lambda ours, theirs: cdist(ours, theirs, "cityblock"),
    "euclidean": lambda ours, theirs: cdist(ours, theirs, "euclidean"),
    "chebyshev": lambda ours, theirs: cdist(ours, theirs, "chebyshev"),
    "canberra": lambda ours, theirs: cdist(ours, theirs, "canberra"),
    "bray_curtis": bray_curtis,
}
