"""How alike the answers of two probes are, image by image."""

from __future__ import annotations

import numpy as np


def bhattacharyya(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """(n,) in [0, 1], 1 where two distributions over classes (n, K) are the same, 0 where they share none.

    Bhattacharyya 1943. Image by image: over all images at once, as the replication takes it, probes that swap two
    images' answers would look alike.
    """
    return np.sqrt(first * second).sum(axis=1, dtype=np.float64).clip(max=1.0)


def mean_by_label(values: np.ndarray, labels: np.ndarray, classes: int) -> np.ndarray:
    """(K,) float64 the mean of values (n,) over each label's images, NaN without any; label -1 is left out."""
    known = labels >= 0
    count = np.bincount(labels[known], minlength=classes)
    total = np.bincount(labels[known], weights=values[known].astype(np.float64), minlength=classes)
    return np.divide(total, count, out=np.full(classes, np.nan), where=count > 0)
