"""What an evaluation found: plain values and arrays, no torch."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from engine.toolkit.statistics import Rate


@dataclass(frozen=True)
class ClassFigures:
    """One class: `recall` and `precision` with intervals, `f1` in [0, 1] (NaN where undefined), images by label."""

    name: str
    recall: Rate
    precision: Rate
    f1: float
    support: int
    predicted: int


@dataclass(frozen=True)
class Summary:
    """The figures of the labelled images among those evaluated.

    `confusion` (classes, classes) int64 counts, rows the label, columns the prediction. `ece` is the expected
    calibration error in 15 bins, `nll` the mean negative log-likelihood in nats; `balanced_accuracy` is the mean
    recall of the classes that have images. Top-5 is None with fewer than ten classes.
    """

    accuracy: Rate
    balanced_accuracy: float
    balanced_low: float
    balanced_high: float
    top5: Rate | None
    ece: float
    nll: float
    nll_low: float
    nll_high: float
    per_class: tuple[ClassFigures, ...]
    confusion: np.ndarray
    unlabelled: int


@dataclass(frozen=True)
class Evaluation:
    """One row per image of the role, in the images' order; k is at most 5.

    `ids` (N,) str; `labels` (N,) int64, -1 without one; `top` (N, k) int64, the classes most likely first, and
    `top_confidence` (N, k) float32 in [0, 1]; `loss` (N,) float32 cross-entropy in nats and `margin` (N,) float32,
    the label's logit minus the best other one (above 0: right), both NaN without a label. `seen` counts the images
    of which it is unknown whether the classifier trained on them, those that it didn't see, and those that it did.
    """

    role: str
    classes: tuple[str, ...]
    ids: np.ndarray
    labels: np.ndarray
    top: np.ndarray
    top_confidence: np.ndarray
    loss: np.ndarray
    margin: np.ndarray
    summary: Summary
    seen: tuple[int, int, int]

    @property
    def predictions(self) -> np.ndarray:
        """(N,) int64, the most likely class."""
        return self.top[:, 0]

    @property
    def confidence(self) -> np.ndarray:
        """(N,) float32 in [0, 1], the probability of the most likely class."""
        return self.top_confidence[:, 0]

    @property
    def wrong(self) -> np.ndarray:
        """(N,) bool, labelled and predicted otherwise."""
        return (self.labels >= 0) & (self.predictions != self.labels)


@dataclass(frozen=True)
class Features:
    """Penultimate features: `ids` (N,) str, `vectors` (N, D) float32 of length 1."""

    ids: np.ndarray
    vectors: np.ndarray
