"""Which labels are buggy: under-fitted, over-fitted, healthy, or too few images to tell."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from engine.methods.input_selection.result import LabelVerdict, TappedRole, Taps
from engine.methods.input_selection.settings import VerdictSettings
from engine.methods.input_selection.shares import holm, newcombe, p_above, p_below
from engine.subject.image_set import UNLABELLED, Role, Seen
from engine.toolkit.statistics import Rate, rate

UNDER, OVER, HEALTHY, UNSURE, TOO_FEW = "under-fitted", "over-fitted", "healthy", "not sure", "too few"
PARTNERS = 3
NO_RATE = Rate(float("nan"), float("nan"), float("nan"), 0, 0, 0.0)


@dataclass(frozen=True)
class Recalls:
    """A label's recall on images of train that are known to be seen and on diagnosis; either may have no images."""

    train: Rate
    diagnosis: Rate

    def are_few(self, settings: VerdictSettings, train_counts: bool) -> bool:
        """Whether there are too few images or independent ones; on train only if it counts at all."""
        counted = (self.train, self.diagnosis) if train_counts else (self.diagnosis,)
        return any(min(each.n, each.effective_n) < settings.few for each in counted)

    def chances(self, settings: VerdictSettings) -> tuple[float, float]:
        """The p-values of being no less than `recall` somewhere, and of a gap that is not above `gap`."""
        unseen = p_below(self.diagnosis, settings.recall)
        under = max(p_below(self.train, settings.recall), unseen) if self.train.n else unseen
        return under, p_above(self.train, self.diagnosis, settings.gap)

    def excess(self, settings: VerdictSettings) -> tuple[float, float]:
        """How far beyond the threshold the label is under-fitted and over-fitted; not at all is below 0."""
        under = settings.recall - float(np.fmax(self.train.value, self.diagnosis.value))
        over = self.train.value - self.diagnosis.value - settings.gap
        return under, over if np.isfinite(over) else -1.0


def label_verdicts(taps: Taps, settings: VerdictSettings) -> tuple[LabelVerdict, ...]:
    """A verdict on each label by the classifier's own answers, the worst first.

    A label is under-fitted if both recalls are below the threshold (diagnosis alone where no image of train is known
    to be seen) and over-fitted if the gap is above its own, at `alpha` over both questions of all labels (Holm); where
    both hold, what goes farther beyond its threshold. Severity is how far; at most 0 for labels that aren't buggy. A
    label not shown to be buggy is healthy only where its intervals leave no room for a bug, else it is not sure.
    Raises ValueError where no image of diagnosis has a label.
    """
    train, diagnosis = taps.role(Role.TRAIN), taps.role(Role.DIAGNOSIS)
    if diagnosis is None or (diagnosis.labels == UNLABELLED).all():
        raise ValueError(
            "no labelled image has the role 'diagnosis', so no label can be judged; "
            "load images that the classifier has not seen, or give some that role"
        )
    labels = range(len(taps.classes))
    seen, held = seen_answers(train), Answers(diagnosis, diagnosis.labels != UNLABELLED)
    recalls = [Recalls(seen.recall(label) if seen else NO_RATE, held.recall(label)) for label in labels]
    train_counts = any(each.train.n for each in recalls)
    judged = [label for label in labels if not recalls[label].are_few(settings, train_counts)]
    chances = holm([p for label in judged for p in recalls[label].chances(settings)]).reshape(-1, 2)
    by_label = dict(zip(judged, chances, strict=True))
    verdicts = [verdict_of(label, recalls[label], by_label.get(label), held, settings) for label in labels]
    return tuple(sorted(verdicts, key=lambda each: -each.severity))


class Answers:
    """What the classifier answers to the labelled images `chosen` (n,) bool of a role, by label and by answer."""

    def __init__(self, role: TappedRole, chosen: np.ndarray) -> None:
        self.labels, self.predictions = role.labels[chosen], role.predictions[chosen]
        _, self.units = np.unique(role.units[chosen], return_inverse=True)
        self.classes = role.logits.shape[1]
        self.by_label, self.by_answer = Rows(self.labels, self.classes), Rows(self.predictions, self.classes)

    def recall(self, label: int) -> Rate:
        """The share of the label's images that are recognised."""
        own = self.by_label.of(label)
        return rate(self.predictions[own] == label, self.units[own])

    def precision(self, label: int) -> Rate:
        """The share of this label among images that are taken for it."""
        taken = self.by_answer.of(label)
        return rate(self.labels[taken] == label, self.units[taken])

    def partners(self, label: int) -> tuple[tuple[int, int], ...]:
        """The up to three classes that the label's images are most often taken for, with how many."""
        predictions = self.predictions[self.by_label.of(label)]
        counts = np.bincount(predictions[predictions != label], minlength=self.classes)
        most = np.argsort(-counts, kind="stable")[:PARTNERS]
        return tuple((int(other), int(counts[other])) for other in most if counts[other])


class Rows:
    """The rows of each number among `numbers` (n,), which lie in 0 to count - 1, from one sorting."""

    def __init__(self, numbers: np.ndarray, count: int) -> None:
        self.order = np.argsort(numbers, kind="stable")
        self.ends = np.searchsorted(numbers[self.order], np.arange(count + 1))

    def of(self, number: int) -> np.ndarray:
        """The rows (m,) that have this number, in their order."""
        return self.order[self.ends[number] : self.ends[number + 1]]


def seen_answers(train: TappedRole | None) -> Answers | None:
    """The answers to labelled images of train that the classifier is known to have seen."""
    return Answers(train, (train.labels != UNLABELLED) & (train.seen == Seen.YES)) if train else None


def verdict_of(
    label: int, recalls: Recalls, chances: np.ndarray | None, held: Answers, settings: VerdictSettings
) -> LabelVerdict:
    """The label's row; `chances` are the adjusted p-values of under- and over-fitted, None where there are too few."""
    excess = recalls.excess(settings)
    low, high = newcombe(recalls.train, recalls.diagnosis)
    found = [] if chances is None else [bug for bug in (0, 1) if chances[bug] <= settings.alpha and excess[bug] > 0]
    worst = max(found, key=lambda bug: excess[bug], default=None)
    beyond = max(excess) if np.isfinite(excess[0]) else 0.0
    return LabelVerdict(
        label=label,
        train=recalls.train,
        diagnosis=recalls.diagnosis,
        precision=held.precision(label),
        gap=recalls.train.value - recalls.diagnosis.value,
        gap_low=low,
        gap_high=high,
        verdict=(UNDER, OVER)[worst] if worst is not None else unsuspected(recalls, chances, high, settings),
        severity=excess[worst] if worst is not None else min(0.0, beyond),
        p=1.0 if chances is None else float(chances.min() if worst is None else chances[worst]),
        partners=held.partners(label),
    )


def unsuspected(recalls: Recalls, chances: np.ndarray | None, gap_high: float, settings: VerdictSettings) -> str:
    """The verdict on a label that is not shown to be buggy: healthy only where its intervals leave no room for it."""
    if chances is None:
        return TOO_FEW
    least = min(each.low for each in (recalls.train, recalls.diagnosis) if each.n)
    small_gap = not recalls.train.n or gap_high <= settings.gap
    return HEALTHY if least >= settings.recall and small_gap else UNSURE


def verdict_notes(taps: Taps, verdicts: tuple[LabelVerdict, ...]) -> tuple[str, ...]:
    """What a person should know of the verdicts: where images are missing, and what can't be told without them."""
    notes = []
    if not any(each.train.n for each in verdicts):
        notes.append(
            "No image of train is known to have been seen by the classifier, so over-fitted can't be told from "
            "under-fitted: a label with low recall on diagnosis is called under-fitted. Say which images "
            "were seen, or load those that it was trained on."
        )
    few = sorted(each.label for each in verdicts if each.verdict == TOO_FEW)
    if few:
        names = ", ".join(taps.classes[label] for label in few)
        notes.append(f"Too few independent images to judge {names}; load more labelled images of diagnosis or train.")
    return tuple(notes)
