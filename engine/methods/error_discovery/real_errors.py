"""The classifier's own mistakes on real images, in the columns of generated ones, so that both are grouped alike."""

from __future__ import annotations

import time

import numpy as np
import torch

from engine.methods.error_discovery.features import LastLayer
from engine.methods.error_discovery.halves import aside
from engine.methods.error_discovery.neighbours import Neighbours
from engine.methods.error_discovery.result import Errors
from engine.methods.error_discovery.settings import RealErrorSettings
from engine.runs.progress import Progress
from engine.subject.subject import Subject
from engine.toolkit.projection import principal
from engine.toolkit.statistics import rate

NEIGHBOURS = 10
LEAST_SHARE = 1e-6  # of the variance, below which a component is rounding


def real_errors(subject: Subject, settings: RealErrorSettings, progress: Progress) -> Errors:
    """The misclassified images of a role; trials are all its images of the half kept aside, wrong or not.

    ValueError where the role has no labelled image. That nothing is misclassified is an answer, with a note.
    """
    begin = time.perf_counter()
    images = subject.images
    indices = images.labelled(settings.role)
    if not len(indices):
        raise ValueError(f"no labelled image has the role {settings.role!r}, so there are no errors to look for")
    features, logits = LastLayer(subject).of(indices, progress, "looking for real errors")
    probabilities = torch.from_numpy(logits).softmax(dim=1).numpy()
    codes = components(features, settings)
    units, labels = images.units()[indices], images.labels[indices]
    predictions = logits.argmax(axis=1)
    wrong = np.flatnonzero(predictions != labels)
    half = aside(units)
    return Errors(
        source="real",
        codes=codes[wrong],
        ids=images.ids[indices[wrong]],
        units=units[wrong],
        labels=labels[wrong],
        predictions=predictions[wrong],
        p_prediction=probabilities[wrong, predictions[wrong]],
        p_label=probabilities[wrong, labels[wrong]],
        noise=np.zeros(len(wrong), np.float32),
        agreement=Neighbours(codes, labels, NEIGHBOURS, units).agreement(codes[wrong], labels[wrong], units[wrong]),
        aside=half[wrong],
        trial_codes=codes[half],
        trial_units=units[half],
        trial_labels=labels[half],
        trial_predictions=predictions[half],
        label_draws=np.bincount(labels[half], minlength=len(images.classes)),
        funnel=(("images", len(indices)), ("misclassified", len(wrong)), ("kept aside", int(half[wrong].sum()))),
        seconds=time.perf_counter() - begin,
        notes=() if len(wrong) else (none_found(units, settings.role),),
    )


def components(features: np.ndarray, settings: RealErrorSettings) -> np.ndarray:
    """(n, d) float32: the first principal components of features (n, D), each of mean 0 and variance 1.

    At most `dimensions`, at least one; without those whose variance is only rounding.
    """
    found = principal(features, settings.dimensions)
    variance = found.var(axis=0)
    some = np.flatnonzero(variance > LEAST_SHARE * variance.sum())
    return (found[:, some] / np.sqrt(variance[some])).astype(np.float32) if len(some) else found[:, :1] * np.float32(0)


def none_found(units: np.ndarray, role: str) -> str:
    """That nothing was misclassified, and what rate that rules out."""
    most = rate(np.zeros(len(units), bool), units)
    return (
        f"None of the {most.n:,} images of {role} is misclassified, from {most.groups:,} independent ones: a rate "
        f"above {most.high:.2%} is ruled out (95 %)."
    )
