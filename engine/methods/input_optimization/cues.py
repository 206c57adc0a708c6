"""What the optimiser adds and erases on average: the cues that the network wants to see for a label."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from engine.methods.input_optimization.result import REACHED, Optimisation, Sweep


@dataclass(frozen=True)
class Cue:
    """The mean change (C, H, W), of `n` pairs of `images` images, that brought `label` back from `prediction`.

    Values are differences of pixel values in [0, 1]: above 0 it adds light, below 0 it takes light away. `prediction`
    is -1 where pairs of all answers are taken together.
    """

    label: int
    prediction: int
    change: np.ndarray
    n: int
    images: int


def by_label(sweep: Sweep, optimisation: Optimisation, grid: int) -> tuple[Cue, ...]:
    """One cue for each label that has pairs of this grid that were brought back."""
    labels, _ = answers(sweep, optimisation)
    return tuple(
        cue(optimisation, own, int(label), -1)
        for label in np.unique(labels)
        if (own := moved(optimisation, grid) & (labels == label)).any()
    )


def by_confusion(sweep: Sweep, optimisation: Optimisation, grid: int, most: int) -> tuple[Cue, ...]:
    """One cue for each pair of a label and the wrong answer given before, the commonest first, `most` at most."""
    labels, predictions = answers(sweep, optimisation)
    own = moved(optimisation, grid) & (labels != predictions)
    found, counts = np.unique(np.stack([labels[own], predictions[own]]), axis=1, return_counts=True)
    commonest = np.argsort(-counts, kind="stable")[:most]
    return tuple(
        cue(optimisation, own & (labels == label) & (predictions == prediction), int(label), int(prediction))
        for label, prediction in found[:, commonest].T.tolist()
    )


def answers(sweep: Sweep, optimisation: Optimisation) -> tuple[np.ndarray, np.ndarray]:
    """(P,) each, the label of every pair and the answer to its transformed image."""
    predictions = np.empty(len(optimisation.image), dtype=np.int64)
    for grid in np.unique(optimisation.grid):
        own = optimisation.grid == grid
        outcomes = sweep.grids[grid].outcomes
        predictions[own] = outcomes.prediction[optimisation.image[own], optimisation.combination[own]]
    return sweep.labels[optimisation.image], predictions


def moved(optimisation: Optimisation, grid: int) -> np.ndarray:
    """(P,) bool, the pairs of a grid that were brought back by a change."""
    return (optimisation.grid == grid) & (optimisation.state == REACHED)


def cue(optimisation: Optimisation, own: np.ndarray, label: int, prediction: int) -> Cue:
    """The mean change of the pairs `own` (P,) bool."""
    places = optimisation.places[own]
    mean = optimisation.change[places].astype(np.float32).mean(axis=0)
    return Cue(label, prediction, mean, int(own.sum()), len(np.unique(optimisation.image[own])))
