"""Maps that are alike: where a classifier looks in different ways, each way is a group."""

from __future__ import annotations

import numpy as np

from engine.methods.cam_training.result import Cams, Groups
from engine.methods.cam_training.settings import GroupSettings

FEWEST = 8  # maps: of fewer, groups are single images
STARTS = 10  # of k-means, the best of which counts
MEASURED = 2000  # maps at most whose silhouette is measured, for it compares each with each
CLOUDS = 5  # without groups, that maps are held against
# One place that wanders has silhouettes up to 0.5, for k-means cuts any cloud in pieces, but at most 0.09 more than
# clouds of the same spread; two places have 0.12 to 0.25 more (planted sets of 12 to 100 maps).
EXCESS = 0.1


def groups(cams: Cams, settings: GroupSettings) -> Groups:
    """The maps grouped by where their positive evidence lies, however strong; level ones are in no group.

    k-means of maps scaled to length 1. There are as many groups as raise the silhouette (Rousseeuw 1987) most over
    that of clouds without groups, and one where none raises it beyond chance.
    """
    evidence = np.maximum(cams.maps, 0).reshape(len(cams.maps), -1).astype(np.float64)
    asked = (cams.labels == settings.label) | (settings.label < 0)
    rows = np.flatnonzero(asked & (evidence.max(axis=1) > evidence.min(axis=1)))
    unit = of_length_one(evidence[rows])
    found, silhouette = best_grouping(unit, settings)
    group, distance = np.full(len(evidence), -1), np.full(len(evidence), np.nan)
    group[rows] = found
    means = np.zeros((int(found.max(initial=-1)) + 1, evidence.shape[1]))
    for each in range(len(means)):
        members = rows[found == each]
        means[each] = (evidence[members] / evidence[members].max(axis=1, keepdims=True)).mean(axis=0)
        distance[members] = np.linalg.norm(unit[found == each] - unit[found == each].mean(axis=0), axis=1)
    return Groups(group, means.reshape(-1, *cams.maps.shape[1:]).astype(np.float32), silhouette, distance)


def best_grouping(unit: np.ndarray, settings: GroupSettings) -> tuple[np.ndarray, np.ndarray]:
    """The group (n,) of each row, the largest first, and the silhouette (K,) of each number of groups, 2 to K + 1.

    unit (n, cells), rows of length 1.
    """
    alone = np.zeros(len(unit), np.int64)
    # as many groups as different maps at most, for k-means finds no more
    most = min(settings.most, len(np.unique(unit, axis=0)), len(unit) - 1)
    if len(unit) < FEWEST or most < 2:
        return alone, np.zeros(0)
    found, silhouette = groupings(unit, most, settings.seed)
    generator = np.random.default_rng(settings.seed)
    clouds = [groupings(cloud_like(unit, generator), most, settings.seed)[1] for _ in range(CLOUDS)]
    excess = silhouette - np.mean(clouds, axis=0)
    best = int(excess.argmax())
    return (largest_first(found[best]) if excess[best] > EXCESS else alone), silhouette


def groupings(unit: np.ndarray, most: int, seed: int) -> tuple[list[np.ndarray], np.ndarray]:
    """For 2 to `most` groups, the group of each row, and the silhouettes."""
    from sklearn.cluster import KMeans
    from sklearn.metrics import silhouette_score

    found = [KMeans(count, n_init=STARTS, random_state=seed).fit_predict(unit) for count in range(2, most + 1)]
    measured = min(MEASURED, len(unit))
    return found, np.array([silhouette_score(unit, each, sample_size=measured, random_state=seed) for each in found])


def cloud_like(unit: np.ndarray, generator: np.random.Generator) -> np.ndarray:
    """Maps from one normal cloud with the mean and the covariance of these (n, cells), so without groups.

    Liu et al. 2008 test clusters against such.
    """
    middle = unit.mean(axis=0)
    _, size, axes = np.linalg.svd(unit - middle, full_matrices=False)
    spread = generator.standard_normal((len(unit), len(size))) * size / np.sqrt(len(unit))
    return of_length_one(np.maximum(middle + spread @ axes, 0))


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
