"""A linear read-out of standardised features, and what it stands on."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

CONSTANT = 1e-6  # of the largest spread of any feature; what varies less is taken not to vary


@dataclass(frozen=True)
class Scaling:
    """Each feature's `mean` and `scale` (F,) float32, its standard deviation, or 1 where it doesn't vary."""

    mean: np.ndarray
    scale: np.ndarray

    def of(self, features: np.ndarray) -> np.ndarray:
        """The features (n, F) standardised, float32."""
        scaled = features - self.mean
        scaled /= self.scale
        return scaled


def scaling_of(features: np.ndarray) -> Scaling:
    """The scaling under which these features (n, F) have mean 0 and standard deviation 1."""
    mean = features.mean(axis=0, dtype=np.float64).astype(np.float32)
    centred = features - mean
    spread = np.sqrt(np.einsum("nf,nf->f", centred, centred) / len(features))  # a float64 std takes five times as long
    return Scaling(mean, np.where(spread > CONSTANT * spread.max(), spread, np.float32(1)).astype(np.float32))


@dataclass(frozen=True)
class LinearProbe:
    """Scores of K classes: `weights` (F, K) float32 on standardised features and `bias` (K,) float32.

    A class without images has the bias -inf.
    """

    weights: np.ndarray
    bias: np.ndarray

    def scores(self, standardised: np.ndarray) -> np.ndarray:
        """(n, K) float32 of features (n, F)."""
        return standardised @ self.weights + self.bias


def of_all_classes(weights: np.ndarray, bias: np.ndarray, present: np.ndarray, classes: int) -> LinearProbe:
    """The probe of `classes` out of one of the classes `present`: weights (F, present), bias (present,)."""
    whole = LinearProbe(np.zeros((len(weights), classes), np.float32), np.full(classes, -np.inf, np.float32))
    whole.weights[:, present], whole.bias[present] = weights, bias
    return whole
