"""Where curves fall below a threshold, once the noise that would make them rise again is taken out."""

from __future__ import annotations

import numpy as np

ROUNDING = 1e-9  # an accuracy of exactly the threshold is not below it, whatever the last bit says


def decreasing(curves: np.ndarray) -> np.ndarray:
    """The nearest curves (least squares) that never rise: (P, ...) along the first axis, in the same shape.

    Isotonic regression as pooling adjacent violators gives it, by the min-max formula, which needs no loop over
    curves: the value at j is the least over all a <= j of the greatest over all b >= j of the mean from a to b
    (Robertson, Wright and Dykstra 1988, theorem 1.4.4).
    """
    points = len(curves)
    steps = np.arange(1, points + 1).reshape(-1, *[1] * (curves.ndim - 1))
    fitted = np.full(curves.shape, np.inf)
    for start in range(points):
        means = np.cumsum(curves[start:], axis=0) / steps[: points - start]
        greatest = np.maximum.accumulate(means[::-1], axis=0)[::-1]
        np.minimum(fitted[start:], greatest, out=fitted[start:])
    return fitted


def crossing(severities: np.ndarray, curves: np.ndarray, threshold: np.ndarray) -> np.ndarray:
    """The severity at which each curve, made monotone, falls below its threshold; infinite where it never does.

    severities (P,) from 0 outwards, curves (P, ...) accuracies, threshold (...); between two severities the curve is
    taken for a straight line. 0 where the curve starts below its threshold. It is made monotone first, because the
    first crossing of a noisy curve comes too early: chance gets a new try at every severity.
    """
    fitted = decreasing(curves)
    below = fitted < threshold - ROUNDING
    after = np.maximum(below.argmax(axis=0), 1)
    above, under = (np.take_along_axis(fitted, each[None], axis=0)[0] for each in (after - 1, after))
    fall = above - under
    share = np.divide(above - threshold, fall, out=np.ones_like(fall), where=fall > 0)
    found = severities[after - 1] + np.clip(share, 0, 1) * (severities[after] - severities[after - 1])
    return np.where(curves[0] < threshold - ROUNDING, 0.0, np.where(below[-1], found, np.inf))
