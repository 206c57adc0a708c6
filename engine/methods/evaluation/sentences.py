"""An evaluation in words: how good, the worst label, the commonest confusion, and where to go next."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import bdtr

from engine.methods.evaluation.result import ClassFigures, Evaluation, Summary
from engine.toolkit.wording import capital

FEW_IMAGES = 10  # labels with fewer images are not called the worst


@dataclass(frozen=True)
class Suggestion:
    """A method worth trying next (its package's name), and the measured reason."""

    method: str
    reason: str


def how_good(evaluation: Evaluation) -> str:
    """Accuracy with its interval, n, and what it would be by guessing the commonest label."""
    summary, labelled = evaluation.summary, evaluation.labels[evaluation.labels >= 0]
    if len(labelled) == 0:
        return f"{len(evaluation.ids):,} images without labels were classified; without labels there is no accuracy."
    guess = np.bincount(labelled).max() / len(labelled)
    accuracy = summary.accuracy
    units = f" of {accuracy.groups:,} groups" if accuracy.groups < accuracy.n else ""
    return (
        f"It is right on {accuracy.value:.1%} of {accuracy.n:,} {evaluation.role} images{units} "
        f"(95 % interval {accuracy.low:.1%} to {accuracy.high:.1%}; "
        f"always guessing the commonest label would give {guess:.1%}){trained_on(evaluation)}."
    )


def trained_on(evaluation: Evaluation) -> str:
    """A warning where the classifier was trained on the images, or may have been: then the rate says little."""
    unknown, _, seen = evaluation.seen
    if seen:
        return f"; it was trained on {'all' if seen == len(evaluation.ids) else f'{seen:,}'} of them"
    return "; whether it was trained on them is unknown" if unknown else ""


def worst_label(summary: Summary) -> ClassFigures | None:
    """The class of lowest recall among those with at least ten images."""
    enough = [each for each in summary.per_class if each.support >= FEW_IMAGES]
    return min(enough, key=lambda each: each.recall.value, default=None)


def commonest_confusion(summary: Summary) -> tuple[int, int, int] | None:
    """Label, prediction and count of the fullest cell off the diagonal, or None where all is right."""
    off = summary.confusion.copy()
    np.fill_diagonal(off, 0)
    if not off.any():
        return None
    label, prediction = np.unravel_index(off.argmax(), off.shape)
    return int(label), int(prediction), int(off[label, prediction])


def what_fails(evaluation: Evaluation) -> str:
    """The worst label and the commonest confusion, with their numbers."""
    worst, confusion = worst_label(evaluation.summary), commonest_confusion(evaluation.summary)
    if confusion is None:
        return (
            "It gets every labelled image right." if evaluation.summary.accuracy.n else "Nothing can be called wrong."
        )
    label, prediction, count = confusion
    names, wrong = evaluation.classes, int(evaluation.wrong.sum())
    share = (
        f"the commonest confusion is {names[label]} taken for {names[prediction]}: {count:,} of its {wrong:,} mistakes."
    )
    if worst is None:
        return capital(share)
    recall = worst.recall
    return (
        f"Its worst label of {len(names)} is {worst.name}: {recall.value:.1%} of {recall.n:,} images are recognised "
        f"({recall.low:.1%} to {recall.high:.1%}); {share}"
    )


def stands_out(summary: Summary) -> bool:
    """Whether the worst label is recognised less often than all others together, beyond what choosing it explains.

    A one-sided binomial test at the label's effective n, its level of 5 % divided by the number of labels (Bonferroni),
    for it is the lowest of so many.
    """
    worst = worst_label(summary)
    others = summary.accuracy.n - worst.support if worst else 0
    if worst is None or others == 0:
        return False
    right = summary.accuracy.value * summary.accuracy.n - worst.recall.value * worst.support
    labels = sum(each.support >= FEW_IMAGES for each in summary.per_class)
    trials = int(worst.recall.effective_n)
    chance = bdtr(round(worst.recall.value * trials), trials, right / others)
    return bool(chance < 0.05 / labels)


def suggestion(evaluation: Evaluation) -> Suggestion:
    """Where to go next, by what the figures show."""
    summary, worst = evaluation.summary, worst_label(evaluation.summary)
    if worst is not None and stands_out(summary):
        return Suggestion(
            "input_selection",
            f"{worst.name} is recognised clearly less often than the other labels, "
            "so see whether it was under- or over-fitted, and which samples would help",
        )
    if summary.accuracy.n and summary.accuracy.value > 0.9:
        return Suggestion(
            "input_optimization",
            "few images fail as they are and no label stands out, so see which changes of the input break it",
        )
    return Suggestion("error_discovery", "mistakes are spread over labels, so see which kinds of errors there are")
