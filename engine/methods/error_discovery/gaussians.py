"""The Gaussian of a region: fitted to its members, drawn from, and how far a code lies from its middle."""

from __future__ import annotations

import numpy as np

LEAST_VARIANCE = 1e-4  # of codes whose standard deviation is about 1, so that a single code has a region too


def fitted(codes: np.ndarray, full: bool) -> tuple[np.ndarray, np.ndarray]:
    """Mean (d,) and covariance (d, d) float32 of codes (n, d).

    Diagonal, or `full`: shrunk towards its diagonal by d / (n + d), for few codes say little of how dimensions go
    together.
    """
    values = codes.astype(np.float64)
    count, dimensions = values.shape
    centred = values - values.mean(axis=0)
    covariance = centred.T @ centred / count
    kept = count / (count + dimensions) if full else 0.0
    diagonal = np.diag(np.diag(covariance) + LEAST_VARIANCE)
    covariance = kept * (covariance - np.diag(np.diag(covariance))) + diagonal
    return values.mean(axis=0).astype(np.float32), covariance.astype(np.float32)


def is_full(covariance: np.ndarray) -> bool:
    """Whether any of the covariances (..., d, d) says how dimensions go together."""
    return bool(covariance[..., ~np.eye(covariance.shape[-1], dtype=bool)].any())


def drawn(
    mean: np.ndarray, covariance: np.ndarray, spread: float, count: int, random: np.random.Generator
) -> np.ndarray:
    """(count, d) float32 codes from the Gaussian, its covariance times `spread`."""
    root = np.linalg.cholesky(covariance.astype(np.float64) * spread)
    noise = random.standard_normal((count, len(mean)))
    return (mean + noise @ root.T).astype(np.float32)


def distance(codes: np.ndarray, mean: np.ndarray, covariance: np.ndarray) -> np.ndarray:
    """(n,) float64, the squared Mahalanobis distance of codes (n, d) from the mean."""
    root = np.linalg.cholesky(covariance.astype(np.float64))
    apart = np.linalg.solve(root, (codes - mean).astype(np.float64).T)
    return (apart**2).sum(axis=0)
