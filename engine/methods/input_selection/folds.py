"""Dealing images out to folds by unit, and judging each by a probe that saw none of its unit."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from engine.methods.input_selection.linear_probe import LinearProbe
from engine.methods.input_selection.ridge import Moments, moments_of, with_best_penalty, with_penalty
from engine.subject.image_set import UNLABELLED

FOLDS = 5


def dealt(units: np.ndarray, folds: int, seed: int) -> np.ndarray:
    """(n,) the fold of each image, whole units dealt out evenly in an order drawn from the seed."""
    _, member = np.unique(units, return_inverse=True)
    count = int(member.max()) + 1 if len(member) else 0
    return (np.random.default_rng([seed, 1]).permutation(count) % folds)[member]


@dataclass(frozen=True)
class Folded:
    """Ridge's probe of all images of train, and the answers of those that each left a fold out; -1 without one.

    `train` (n,) and `held` (m,) int64: what an image's own fold is left out for says of it.
    """

    probe: LinearProbe
    train: np.ndarray
    held: np.ndarray


def folded(
    features: np.ndarray, labels: np.ndarray, fold: np.ndarray, held: np.ndarray, held_fold: np.ndarray, classes: int
) -> Folded:
    """Ridge on standardised features (n, F) of train with labels (n,), and with each fold left out in turn.

    Images of train and others `held` (m, F) are in folds `fold` (n,) and `held_fold` (m,), and each is judged by the
    probe without its own: alike as far as the probe goes, so that what it tells apart is how the network treats them.
    The fold's sums are taken off those of all, so the folds cost one solving each; all have the whole's penalty.
    """
    parts = {}
    for number in range(FOLDS):
        own = (fold == number) & (labels != UNLABELLED)
        parts[number] = moments_of(features[own], labels[own], classes)
    whole = total(list(parts.values()))
    probe, penalty = with_best_penalty(whole)
    found = Folded(probe, np.full(len(features), -1), np.full(len(held), -1))
    for number, part in parts.items():
        rest = whole - part
        if rest.n:
            without = with_penalty(rest, penalty)
            for answers, values, theirs in ((found.train, features, fold), (found.held, held, held_fold)):
                answers[theirs == number] = without.scores(values[theirs == number]).argmax(axis=1)
    return found


def total(parts: list[Moments]) -> Moments:
    """Their sum."""
    first, *others = parts
    for each in others:
        first = first + each
    return first
