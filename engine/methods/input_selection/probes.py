"""Probes of all taps: how well each label can be read off each block, and how much of that holds on other images."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from scipy.special import softmax

from engine.methods.input_selection import ridge
from engine.methods.input_selection.folds import FOLDS, dealt, folded
from engine.methods.input_selection.linear_probe import LinearProbe, Scaling, scaling_of
from engine.methods.input_selection.result import Probes, TappedRole, Taps
from engine.methods.input_selection.settings import ProbeSettings
from engine.methods.input_selection.similarity import bhattacharyya, mean_by_label
from engine.methods.input_selection.softmax_probes import softmax_probe
from engine.runs.progress import Progress
from engine.subject.image_set import UNLABELLED, Role
from engine.toolkit.threads import one_thread


@dataclass(frozen=True)
class TapProbe:
    """One tap's probe, which images of train (m,) and diagnosis (n,) it gets right, and its shares (n, K) of these.

    `gap_right` (m,) and `gap_diagnosis` (n,): which ones ridge's probes without their fold get right.
    """

    scaling: Scaling
    probe: LinearProbe
    train_right: np.ndarray
    right: np.ndarray
    shares: np.ndarray
    gap_right: np.ndarray
    gap_diagnosis: np.ndarray


@one_thread()
def probed(taps: Taps, settings: ProbeSettings, progress: Progress) -> Probes:
    """A probe of each tap, fitted on the labelled images of train; ValueError where there are none.

    What it says of diagnosis is NaN, or of no images, where that role is missing.
    """
    train = taps.role(Role.TRAIN)
    if train is None or (train.labels == UNLABELLED).all():
        raise ValueError(
            "probes are fitted on labelled images of the role 'train', and there are none; "
            "load those that the classifier was trained on, or give some images that role"
        )
    diagnosis = taps.role(Role.DIAGNOSIS) or none_of(train)
    fold = dealt(np.concatenate([train.units, diagnosis.units]), FOLDS, settings.seed)
    found = [
        tap_probe(train, diagnosis, fold, tap, len(taps.classes), settings.kind)
        for tap in progress.steps(len(taps.taps), "fitting probes")
    ]
    own_right, right = np.stack([each.train_right for each in found]), np.stack([each.right for each in found])
    return Probes(
        kind=settings.kind,
        train=recalls(own_right, train, len(taps.classes)),
        diagnosis=recalls(right, diagnosis, len(taps.classes)),
        train_accuracy=accuracies(own_right, train),
        diagnosis_accuracy=accuracies(right, diagnosis),
        right=right,
        gap_right=np.stack([each.gap_right for each in found]),
        gap_diagnosis=np.stack([each.gap_diagnosis for each in found]),
        weights=tuple(each.probe.weights for each in found),
        mean=tuple(each.scaling.mean for each in found),
        scale=tuple(each.scaling.scale for each in found),
        similarity=similarities([each.shares for each in found], diagnosis, len(taps.classes)),
    )


def none_of(role: TappedRole) -> TappedRole:
    """No image of diagnosis, with the same features as the role's."""
    return replace(
        role,
        role=str(Role.DIAGNOSIS),
        ids=role.ids[:0],
        labels=role.labels[:0],
        units=role.units[:0],
        seen=role.seen[:0],
        logits=role.logits[:0],
        features=tuple(each[:0] for each in role.features),
    )


def tap_probe(
    train: TappedRole, diagnosis: TappedRole, fold: np.ndarray, tap: int, classes: int, kind: str
) -> TapProbe:
    """The probe of the tap with this number; `fold` (m + n,) of the images of train, then of diagnosis."""
    known = train.labels != UNLABELLED
    scaling = scaling_of(train.features[tap][known])
    features, held = scaling.of(train.features[tap]), scaling.of(diagnosis.features[tap])
    own_fold, held_fold = np.split(fold, [len(features)])
    ridges = folded(features, train.labels, own_fold, held, held_fold, classes)
    if kind == "ridge":
        probe = ridges.probe
    else:
        probe = softmax_probe(features if known.all() else features[known], train.labels[known], classes)
    scores = probe.scores(held)
    return TapProbe(
        scaling,
        probe,
        train_right=probe.scores(features).argmax(axis=1) == train.labels,
        right=scores.argmax(axis=1) == diagnosis.labels,
        shares=ridge.shares(scores) if kind == "ridge" else softmax(scores, axis=1),
        gap_right=known & (ridges.train == train.labels),
        gap_diagnosis=(diagnosis.labels != UNLABELLED) & (ridges.held == diagnosis.labels),
    )


def recalls(right: np.ndarray, role: TappedRole, classes: int) -> np.ndarray:
    """(T, K) the recall of each label at each tap; right (T, n)."""
    return np.stack([mean_by_label(each, role.labels, classes) for each in right])


def accuracies(right: np.ndarray, role: TappedRole) -> np.ndarray:
    """(T,) the share of labelled images that each tap's probe gets right, NaN without any; right (T, n)."""
    known = role.labels != UNLABELLED
    return right[:, known].mean(axis=1) if known.any() else np.full(len(right), np.nan)


def similarities(shares: list[np.ndarray], role: TappedRole, classes: int) -> np.ndarray:
    """(T, K) how alike each tap's shares (n, K) are to those of the tap before; NaN for the first."""
    found = np.full((len(shares), classes), np.nan)
    for tap in range(1, len(shares)):
        found[tap] = mean_by_label(bhattacharyya(shares[tap - 1], shares[tap]), role.labels, classes)
    return found
