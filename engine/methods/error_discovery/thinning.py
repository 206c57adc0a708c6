"""Few errors that differ instead of many that are alike: duplicates go, and no image or kind floods the others."""

from __future__ import annotations

import numpy as np

from engine.methods.error_discovery.result import Generator
from engine.methods.error_discovery.search import Draws
from engine.methods.error_discovery.settings import IdentificationSettings

ALIKE = 0.05  # standard deviations in each dimension on average, nearer than which two errors are one


def thinned(
    errors: Draws, generator: Generator, settings: IdentificationSettings, funnel: list[tuple[str, int]]
) -> Draws:
    """Without duplicates, at most `per_image` of a seed, those with the least noise, and `per_pair` of a kind.

    A kind is a label and a prediction; of each the errors with the least noise of all its seeds are taken first, then
    the second of each. In the order of the seeds and the noise.
    """
    errors = errors.take(np.lexsort((errors.length, errors.seed)))
    rank = rank_within(errors.seed)
    errors, rank = errors.take(rank < settings.per_image), rank[rank < settings.per_image]
    funnel.append((f"at most {settings.per_image} an image", len(errors)))
    kinds = generator.labels[errors.seed] * len(generator.classes) + errors.predictions
    order = np.lexsort((errors.length, rank, kinds))
    order = order[distinct(errors.codes[order], kinds[order], radius(generator.spread))]
    funnel.append(("no duplicates", len(order)))
    order = order[rank_within(kinds[order]) < settings.per_pair]
    funnel.append((f"at most {settings.per_pair} of a label and answer", len(order)))
    return errors.take(np.sort(order))


def rank_within(groups: np.ndarray) -> np.ndarray:
    """(n,) how many of the same group come before each; groups (n,) are sorted."""
    _, first, size = np.unique(groups, return_index=True, return_counts=True)
    return np.arange(len(groups)) - np.repeat(first, size)


def radius(spread: np.ndarray) -> float:
    """How near two codes are that differ by `ALIKE` standard deviations (d,) in each dimension."""
    return ALIKE * float(np.sqrt(np.square(spread, dtype=np.float64).sum()))


def distinct(codes: np.ndarray, kinds: np.ndarray, reach: float) -> np.ndarray:
    """(m,) the rows of codes (n, d) that are left when each takes away those of its kind (n,), sorted, that are near.

    The first of them stays.
    """
    from scipy.spatial import cKDTree

    left = np.ones(len(codes), dtype=bool)
    for rows in np.split(np.arange(len(codes)), np.flatnonzero(np.diff(kinds)) + 1):
        for first, second in sorted(cKDTree(codes[rows]).query_pairs(reach)) if len(rows) else ():
            if left[rows[first]]:
                left[rows[second]] = False
    return np.flatnonzero(left)
