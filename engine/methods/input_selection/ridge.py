"""Ridge regression on one-hot labels in closed form: the preview of a probe."""

from __future__ import annotations

import numpy as np
import torch

from engine.methods.input_selection.linear_probe import LinearProbe, of_all_classes

PENALTIES = np.logspace(-5, 2, 29)  # relative to a standardised feature's variance, which is 1


def ridge_probe(features: np.ndarray, labels: np.ndarray, classes: int) -> LinearProbe:
    """The probe of standardised features (n, F) float32 and labels (n,) with the penalty that fits best.

    Everything comes from the features' Gram matrix and their products with the labels, the whole path of penalties
    from one eigendecomposition; the penalty is chosen by generalised cross-validation (Golub, Heath and Wahba 1979).
    """
    n = len(labels)
    present, targets = np.unique(labels, return_inverse=True)
    share = np.bincount(targets) / n
    matrix = torch.from_numpy(features)
    gram = (matrix.T @ matrix).double().numpy() / n
    onehot = torch.nn.functional.one_hot(torch.from_numpy(targets)).float()
    cross = (onehot.T @ matrix).double().numpy().T / n  # features have mean 0, so the labels needn't
    eigenvalues, vectors = np.linalg.eigh(gram)
    eigenvalues = eigenvalues.clip(min=0)
    rotated = vectors.T @ cross
    spread = float(1 - np.sum(share**2))  # the labels' variance, summed over classes
    errors = [generalised_error(eigenvalues, rotated, spread, penalty, n) for penalty in PENALTIES]
    best = PENALTIES[int(np.argmin(errors))]
    return of_all_classes(vectors @ (rotated / (eigenvalues + best)[:, None]), share, present, classes)


def generalised_error(eigenvalues: np.ndarray, rotated: np.ndarray, spread: float, penalty: float, n: int) -> float:
    """The squared error an image, corrected for the freedom that the fit had; inf where it had too much.

    `eigenvalues` (F,) of the Gram matrix over n, `rotated` (F, K) its eigenvectors' products with the labels over n.
    """
    weights = rotated / (eigenvalues + penalty)[:, None]
    error = spread - 2 * np.sum(weights * rotated) + np.sum(eigenvalues[:, None] * weights**2)
    freedom = 1 + np.sum(eigenvalues / (eigenvalues + penalty))
    return float(error / (1 - freedom / n) ** 2) if freedom < n else float("inf")


def shares(scores: np.ndarray) -> np.ndarray:
    """Ridge's scores (n, K) as shares that sum to 1, those below 0 taken as 0."""
    positive = scores.clip(min=0)
    return positive / positive.sum(axis=1, keepdims=True)
