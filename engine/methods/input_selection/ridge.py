"""Ridge regression on one-hot labels in closed form: the preview of a probe, and probes that left images out."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.linalg import cho_factor, cho_solve

from engine.methods.input_selection.linear_probe import LinearProbe, of_all_classes

PENALTIES = np.logspace(-5, 2, 29)  # relative to a standardised feature's variance, which is 1


@dataclass(frozen=True)
class Moments:
    """All that ridge has to know of some images: sums over them, which are added and taken away.

    `counts` (K,) float64, images of each class; `sums` (F,) float64 of features, `gram` (F, F) float32 of their
    products with each other and `cross` (F, K) float32 with the one-hot labels.
    """

    counts: np.ndarray
    sums: np.ndarray
    gram: np.ndarray
    cross: np.ndarray

    def __add__(self, other: Moments) -> Moments:
        return Moments(
            self.counts + other.counts, self.sums + other.sums, self.gram + other.gram, self.cross + other.cross
        )

    def __sub__(self, other: Moments) -> Moments:
        return Moments(
            self.counts - other.counts, self.sums - other.sums, self.gram - other.gram, self.cross - other.cross
        )

    @property
    def n(self) -> int:
        """How many images."""
        return int(self.counts.sum())


@dataclass(frozen=True)
class Centred:
    """The moments an image, with the features' means taken off: Gram matrix (F, F) and cross (F, present), float64.

    `present` are the classes with images, `share` (present,) theirs of all, `mean` (F,) the features'.
    """

    gram: np.ndarray
    cross: np.ndarray
    present: np.ndarray
    share: np.ndarray
    mean: np.ndarray

    def probe(self, weights: np.ndarray, classes: int) -> LinearProbe:
        """The probe with these weights (F, present), its bias such that scores have the labels' means."""
        return of_all_classes(weights, self.share - self.mean @ weights, self.present, classes)


def moments_of(features: np.ndarray, labels: np.ndarray, classes: int) -> Moments:
    """The moments of standardised features (n, F) float32 with labels (n,)."""
    onehot = np.zeros((len(labels), classes), np.float32)
    onehot[np.arange(len(labels)), labels] = 1
    return Moments(
        counts=onehot.sum(axis=0, dtype=np.float64),
        sums=features.sum(axis=0, dtype=np.float64),
        gram=features.T @ features,
        cross=(onehot.T @ features).T,
    )


def centred(moments: Moments) -> Centred:
    """The moments (of at least one image) about their means."""
    n, present = moments.n, np.flatnonzero(moments.counts)
    mean, share = moments.sums / n, moments.counts[present] / n
    gram = moments.gram.astype(np.float64) / n - np.outer(mean, mean)
    cross = moments.cross[:, present].astype(np.float64) / n - np.outer(mean, share)
    return Centred(gram, cross, present, share, mean)


def with_penalty(moments: Moments, penalty: float) -> LinearProbe:
    """The probe of these images with this penalty."""
    about = centred(moments)
    about.gram[np.diag_indices_from(about.gram)] += penalty
    factor = cho_factor(about.gram, overwrite_a=True, check_finite=False)
    return about.probe(cho_solve(factor, about.cross), len(moments.counts))


def with_best_penalty(moments: Moments) -> tuple[LinearProbe, float]:
    """The probe of these images with the penalty that fits best, and that penalty.

    The whole path of penalties comes from one eigendecomposition; the penalty is chosen by generalised
    cross-validation (Golub, Heath and Wahba 1979).
    """
    about = centred(moments)
    eigenvalues, vectors = np.linalg.eigh(about.gram)
    eigenvalues = eigenvalues.clip(min=0)
    rotated = vectors.T @ about.cross
    spread = float(1 - np.sum(about.share**2))  # the labels' variance, summed over classes
    errors = [generalised_error(eigenvalues, rotated, spread, penalty, moments.n) for penalty in PENALTIES]
    best = float(PENALTIES[int(np.argmin(errors))])
    return about.probe(vectors @ (rotated / (eigenvalues + best)[:, None]), len(moments.counts)), best


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
