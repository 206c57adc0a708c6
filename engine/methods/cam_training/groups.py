"""Maps that are alike: where a classifier looks in different ways, each way is a group."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from engine.methods.cam_training.result import Cams, Groups
from engine.methods.cam_training.settings import GroupSettings
from engine.runs.progress import Progress

FEWEST = 8  # maps: of fewer, groups are single images
STARTS = 10  # of k-means, the best of which counts
MEASURED = 2000  # maps at most whose silhouette is measured, for it compares each with each
CLOUDS = 5  # without groups, that maps are held against
# One place that wanders has silhouettes up to 0.5, for k-means cuts any cloud in pieces, but at most 0.09 more than
# clouds of the same spread; two places have 0.12 to 0.25 more (planted sets of 12 to 100 maps).
EXCESS = 0.1


def groups(cams: Cams, settings: GroupSettings, progress: Progress) -> Groups:
    """The maps grouped by where their positive evidence lies, however strong; level ones are in no group.

    k-means of maps scaled to length 1. There are as many groups as raise the silhouette (Rousseeuw 1987) most over
    that of clouds without groups, and one where none raises it beyond chance.
    """
    evidence = evidence_of(cams)
    rows = groupable(evidence, cams, settings)
    unit = of_length_one(evidence[rows])
    found, silhouette = best_grouping(unit, settings, progress)
    group, distance = np.full(len(evidence), -1), np.full(len(evidence), np.nan)
    group[rows] = found
    means = np.zeros((int(found.max(initial=-1)) + 1, evidence.shape[1]))
    for each in range(len(means)):
        members = rows[found == each]
        means[each] = (evidence[members] / evidence[members].max(axis=1, keepdims=True)).mean(axis=0)
        distance[members] = np.linalg.norm(unit[found == each] - unit[found == each].mean(axis=0), axis=1)
    return Groups(group, means.reshape(-1, *cams.maps.shape[1:]).astype(np.float32), silhouette, distance)


def evidence_of(cams: Cams) -> np.ndarray:
    """(N, cells) float64, what of each map speaks for what is explained."""
    return np.maximum(cams.maps, 0).reshape(len(cams.maps), -1).astype(np.float64)


def groupable(evidence: np.ndarray, cams: Cams, settings: GroupSettings) -> np.ndarray:
    """The rows of the evidence (N, cells) that have the label asked for and are not level."""
    asked = (cams.labels == settings.label) | (settings.label < 0)
    return np.flatnonzero(asked & (evidence.max(axis=1) > evidence.min(axis=1)))


def best_grouping(unit: np.ndarray, settings: GroupSettings, progress: Progress) -> tuple[np.ndarray, np.ndarray]:
    """The group (n,) of each row, the largest first, and the silhouette (K,) of each number of groups, 2 to K + 1.

    unit (n, cells), rows of length 1.
    """
    alone = np.zeros(len(unit), np.int64)
    most = most_groups(unit, settings)
    if most < 2:
        return alone, np.zeros(0)
    parts = [progress.part(start / (1 + CLOUDS), (start + 1) / (1 + CLOUDS)) for start in range(1 + CLOUDS)]
    found, silhouette = groupings(unit, most, settings.seed, parts[0])
    clouds = [
        groupings(cloud, most, settings.seed, part)[1]
        for cloud, part in zip(clouds_like(unit, settings.seed), parts[1:], strict=True)
    ]
    excess = silhouette - np.mean(clouds, axis=0)
    best = int(excess.argmax())
    return (largest_first(found[best]) if excess[best] > EXCESS else alone), silhouette


def most_groups(unit: np.ndarray, settings: GroupSettings) -> int:
    """How many groups to look for at most, 1 among few maps."""
    if len(unit) < FEWEST:
        return 1
    # as many groups as different maps at most, for k-means finds no more
    return min(settings.most, len(np.unique(unit, axis=0)), len(unit) - 1)


def groupings(unit: np.ndarray, most: int, seed: int, progress: Progress) -> tuple[list[np.ndarray], np.ndarray]:
    """For 2 to `most` groups, the group of each row, and the silhouettes."""
    counts = [2 + number for number in progress.steps(most - 1, "grouping maps")]
    found = [grouping(unit, count, seed) for count in counts]
    return found, np.array([silhouette_of(unit, each, seed) for each in found])


def grouping(unit: np.ndarray, count: int, seed: int) -> np.ndarray:
    """The group (n,) of each row, out of so many."""
    from sklearn.cluster import KMeans

    return KMeans(count, n_init=STARTS, random_state=seed).fit_predict(unit)


def silhouette_of(unit: np.ndarray, found: np.ndarray, seed: int) -> float:
    """The silhouette of a grouping, of a draw where there are many maps, with two of every group at least."""
    from sklearn.metrics import silhouette_score

    if len(unit) > MEASURED:
        order = np.random.default_rng(seed).permutation(len(unit))
        pairs = [order[found[order] == group][:2] for group in range(found.max() + 1)]
        drawn = np.unique(np.concatenate([order[:MEASURED], *pairs]))
        unit, found = unit[drawn], found[drawn]
    return float(silhouette_score(unit, found))


def clouds_like(unit: np.ndarray, seed: int) -> Iterator[np.ndarray]:
    """Maps, several times over, from one normal cloud with the mean and covariance of these (n, cells): without groups.

    Liu et al. 2008 test clusters against such.
    """
    generator = np.random.default_rng(seed)
    middle = unit.mean(axis=0)
    _, size, axes = np.linalg.svd(unit - middle, full_matrices=False)
    for _ in range(CLOUDS):
        spread = generator.standard_normal((len(unit), len(size))) * size / np.sqrt(len(unit))
        yield of_length_one(np.maximum(middle + spread @ axes, 0))


def of_length_one(rows: np.ndarray) -> np.ndarray:
    """Rows (n, cells), each scaled to length 1; one of zeros stays so."""
    length = np.linalg.norm(rows, axis=1, keepdims=True)
    return rows / np.where(length > 0, length, 1)


def largest_first(found: np.ndarray) -> np.ndarray:
    """Groups (n,) numbered anew from the largest; of equally large ones, from that which comes first."""
    _, first, own, count = np.unique(found, return_index=True, return_inverse=True, return_counts=True)
    rank = np.empty(len(count), np.int64)
    rank[np.lexsort((first, -count))] = np.arange(len(count))
    return rank[own]
