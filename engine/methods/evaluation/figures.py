"""Figures from predictions: pure functions of arrays, each with a slow twin in the tests."""

from __future__ import annotations

import numpy as np

from engine.methods.evaluation.result import ClassFigures, Summary
from engine.toolkit.statistics import Z95, effective_n, mean_interval, rate

CALIBRATION_BINS = 15
TOP5_FROM_CLASSES = 10  # with fewer, half of all classes are among the best five


def confusion_matrix(labels: np.ndarray, predictions: np.ndarray, classes: int) -> np.ndarray:
    """Counts (classes, classes) int64: rows the label, columns the prediction; both (N,) int."""
    return np.bincount(labels * classes + predictions, minlength=classes**2).reshape(classes, classes)


def calibration_error(confidence: np.ndarray, right: np.ndarray) -> float:
    """Expected calibration error in [0, 1] over 15 equal bins of confidence (N,); right (N,) bool.

    Guo et al. 2017, eq. 3: a bin holds confidences in (lower, upper].
    """
    bins = np.clip(np.ceil(confidence.astype(np.float64) * CALIBRATION_BINS).astype(int) - 1, 0, CALIBRATION_BINS - 1)
    gap = np.bincount(bins, weights=right, minlength=CALIBRATION_BINS)
    gap -= np.bincount(bins, weights=confidence, minlength=CALIBRATION_BINS)
    return float(np.abs(gap).sum() / len(confidence)) if len(confidence) else float("nan")


def class_figures(
    names: tuple[str, ...], labels: np.ndarray, predictions: np.ndarray, units: np.ndarray
) -> tuple[ClassFigures, ...]:
    """Recall, precision and F1 of every class, those without images included."""
    by_label = np.split(np.argsort(labels, kind="stable"), np.cumsum(np.bincount(labels, minlength=len(names)))[:-1])
    by_prediction = np.split(
        np.argsort(predictions, kind="stable"), np.cumsum(np.bincount(predictions, minlength=len(names)))[:-1]
    )
    figures = []
    for index, name in enumerate(names):
        ours, called = by_label[index], by_prediction[index]
        recall = rate(predictions[ours] == index, units[ours])
        precision = rate(labels[called] == index, units[called])
        either = len(ours) + len(called)
        hits = np.count_nonzero(predictions[ours] == index)
        f1 = 2 * hits / either if either else float("nan")
        figures.append(ClassFigures(name, recall, precision, f1, len(ours), len(called)))
    return tuple(figures)


def balanced(
    figures: tuple[ClassFigures, ...], labels: np.ndarray, right: np.ndarray, units: np.ndarray
) -> tuple[float, float, float]:
    """The mean recall of the classes that have images, and its 95 % interval (normal, classes independent)."""
    present = [index for index, each in enumerate(figures) if each.support]
    if not present:
        return float("nan"), float("nan"), float("nan")
    value = float(np.mean([figures[index].recall.value for index in present]))
    variance = 0.0
    for index in present:
        ours = labels == index
        worth = effective_n(right[ours], units[ours])
        share = (right[ours].mean() * worth + 1) / (worth + 2)  # Laplace: no class is taken for perfectly known
        variance += share * (1 - share) / worth / len(present) ** 2
    half = Z95 * float(np.sqrt(variance))
    return value, max(0.0, value - half), min(1.0, value + half)


def summarise(
    classes: tuple[str, ...],
    labels: np.ndarray,
    top: np.ndarray,
    top_confidence: np.ndarray,
    loss: np.ndarray,
    units: np.ndarray,
) -> Summary:
    """All figures of the images that carry a label; arrays as in `Evaluation`, units (N,) int."""
    known = labels >= 0
    unlabelled = int(np.count_nonzero(~known))
    if unlabelled:
        labels, top, top_confidence = labels[known], top[known], top_confidence[known]
        loss, units = loss[known], units[known]
    predictions = top[:, 0]
    right = predictions == labels
    per_class = class_figures(classes, labels, predictions, units)
    balanced_accuracy, balanced_low, balanced_high = balanced(per_class, labels, right, units)
    nll, nll_low, nll_high = mean_interval(loss.astype(np.float64), units)
    in_top = (top == labels[:, None]).any(axis=1)
    return Summary(
        accuracy=rate(right, units),
        balanced_accuracy=balanced_accuracy,
        balanced_low=balanced_low,
        balanced_high=balanced_high,
        top5=rate(in_top, units) if len(classes) >= TOP5_FROM_CLASSES else None,
        ece=calibration_error(top_confidence[:, 0], right),
        nll=nll,
        nll_low=nll_low,
        nll_high=nll_high,
        per_class=per_class,
        confusion=confusion_matrix(labels, predictions, len(classes)),
        unlabelled=unlabelled,
    )
