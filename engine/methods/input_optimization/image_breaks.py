"""The severity at which a single image's answer turns wrong for good."""

from __future__ import annotations

import numpy as np


def breaks_for_good(severities: np.ndarray, right: np.ndarray, margin: np.ndarray) -> np.ndarray:
    """(N,) float64, the severity after which an image is never right again; infinite where it is right at the end.

    severities (P,) from 0 outwards, right (N, P) bool, margin (N, P) of the label's logit over the best other one;
    between the last severity at which the image is right and the next, where a straight line of margins crosses 0.
    0 where the image is wrong unchanged.
    """
    images, end = np.arange(len(right)), len(severities) - 1
    last = end - right[:, ::-1].argmax(axis=1)
    after = np.minimum(last + 1, end)
    above = np.maximum(margin[images, last].astype(np.float64), 0)
    under = np.minimum(margin[images, after].astype(np.float64), 0)
    fall = above - under
    share = np.divide(above, fall, out=np.ones_like(fall), where=fall > 0)
    found = severities[last] + share * (severities[after] - severities[last])
    return np.where(~right[:, 0], 0.0, np.where(right[:, -1], np.inf, found))


def returns(right: np.ndarray) -> np.ndarray:
    """(N,) bool, whether an image is right somewhere beyond a severity at which it is wrong; right (N, P) bool."""
    failed = np.logical_or.accumulate(~right, axis=1)
    return (failed & right).any(axis=1)
