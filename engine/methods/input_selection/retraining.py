"""One arm of a comparison with one seed: choose, train on it, look at test; and again in the next round."""

from __future__ import annotations

from collections.abc import Mapping
from copy import deepcopy
from dataclasses import fields, replace
from typing import Any

import numpy as np

from engine.methods.input_selection.candidates import Exhausted, candidates
from engine.methods.input_selection.fine_tuning import fine_tuned
from engine.methods.input_selection.label_issues import label_issues
from engine.methods.input_selection.probes import probed
from engine.methods.input_selection.result import LabelIssues, Picks, Probes, Retrained, Taps
from engine.methods.input_selection.selecting import selected
from engine.methods.input_selection.settings import (
    CHANCE,
    IssueSettings,
    ProbeSettings,
    RetrainingSettings,
    SelectionSettings,
    TapSettings,
    VerdictSettings,
    reads_layers,
)
from engine.methods.input_selection.standing import Standing, standing
from engine.methods.input_selection.strategies import layers_of
from engine.methods.input_selection.tapping import tapped
from engine.methods.input_selection.verdicts import OVER, UNDER, label_verdicts
from engine.runs.progress import Progress
from engine.subject.classifier import Classifier, weights_hash
from engine.subject.subject import Subject
from engine.toolkit.latest import Latest
from engine.toolkit.threads import as_many_as_help
from engine.toolkit.weights import saved

# the arms of a seed come one after the other
standing_at_the_start: Latest[Standing] = Latest()
found_at_the_start: Latest[tuple[Taps, LabelIssues]] = Latest()


def retrained(
    subject: Subject, settings: RetrainingSettings, inputs: Mapping[str, Any], progress: Progress
) -> Retrained:
    """Help the target labels: those of the settings, else those that the diagnosis finds buggy.

    Inputs, all optional: `images`, a function that gives an ImageSet to take the subject's place (data drawn anew);
    `classifier`, one that gives the Classifier to start from instead of the subject's; `taps` and `issues`, what
    was found at the start. The subject and its pool stay as they are, and test decides nothing.
    ValueError in one sentence where no label needs help, nothing can be chosen at the start or replayed, or test has
    no labels.
    """
    start, progress = starting_subject(subject, inputs), Afresh(progress)
    with as_many_as_help(start.classifier, settings.batch_size):
        name = name_of(start)
        before = standing_at_the_start.of(
            name, lambda: standing(start.classifier, start.images, progress.part(0, 0.05))
        )
        taps, issues = at_the_start(start, name, inputs, progress.part(0.05, 0.12))
        targets = settings.selection.targets or buggy(taps, settings.selection.rule)
        asked = replace(settings, selection=replace(settings.selection, targets=targets))
        return carried_out(Arm(start, asked, before, taps, issues), progress.part(0.12, 1))


def name_of(start: Subject) -> str:
    """The same classifier with the same images has the same one; the blueprint alone may be another's."""
    own = start.classifier
    return f"{own.blueprint.fingerprint} {weights_hash(own.network)} {start.images.fingerprint}"


def at_the_start(start: Subject, name: str, inputs: Mapping[str, Any], progress: Progress) -> tuple[Taps, LabelIssues]:
    """What the blocks put out before the first round, and which labels are likely wrong; as given, or found now."""

    def found() -> tuple[Taps, LabelIssues]:
        taps = inputs["taps"] if "taps" in inputs else tapped(start, TapSettings(), progress.part(0, 0.8))
        if "issues" in inputs:
            return taps, inputs["issues"]
        return taps, label_issues(taps, IssueSettings(), progress.part(0.8, 1))

    if "taps" in inputs or "issues" in inputs:
        return found()
    return found_at_the_start.of(name, found)


def starting_subject(subject: Subject, inputs: Mapping[str, Any]) -> Subject:
    """The subject before the first round, with a network that it shares with nobody."""
    classifier = inputs["classifier"]() if "classifier" in inputs else subject.classifier
    images = subject.images
    if "images" in inputs:
        images = inputs["images"]().with_classes(subject.blueprint.classes).in_frame(images.frame)
    return with_classifier(replace(subject, images=images), deepcopy(classifier).to(subject.classifier.device))


def with_classifier(subject: Subject, classifier: Classifier) -> Subject:
    """The subject with another network."""
    return replace(subject, build=lambda _blueprint: classifier)


def buggy(taps: Taps, rule: VerdictSettings) -> tuple[int, ...]:
    """The labels that the diagnosis finds under- or over-fitted, in their order; ValueError where there are none."""
    found = [each.label for each in label_verdicts(taps, rule) if each.verdict in (UNDER, OVER)]
    if not found:
        raise ValueError("the diagnosis finds no buggy label; name the labels that the images are to be chosen for")
    return tuple(sorted(found))


class Afresh(Progress):
    """Hands on everything but what is to be kept: the next round's pieces have the same names and are others.

    A note that comes again in a later round is not handed on again.
    """

    def __init__(self, whole: Progress) -> None:
        self.whole = whole
        self.noted: set[str] = set()

    def report(self, fraction: float, label: str) -> None:
        """As the whole's."""
        self.whole.report(fraction, label)

    def note(self, sentence: str) -> None:
        """As the whole's, once."""
        if sentence not in self.noted:
            self.noted.add(sentence)
            self.whole.note(sentence)


class Arm:
    """The state of one arm: its subject after the rounds so far, what was chosen, and how it stood after each."""

    def __init__(
        self, start: Subject, settings: RetrainingSettings, before: Standing, taps: Taps, issues: LabelIssues
    ) -> None:
        self.now, self.settings, self.taps, self.issues = start, settings, taps, issues
        self.standings = [before]
        self.picks: list[Picks] = []
        self.layers: list[str] = []

    def round(self, budget: int, progress: Progress) -> None:
        """Choose so many images, train on all that is chosen so far and look at test."""
        picks, layers = self.choose(budget, progress.part(0, 0.5))
        self.picks.append(picks)
        self.layers.append(layers)
        position = self.now.images.position
        chosen = [np.array([position[each] for each in part.ids.tolist()], np.int64) for part in self.picks]
        classifier = fine_tuned(self.now, chosen, self.settings, progress.part(0.5, 0.9))
        self.now = with_classifier(self.now, classifier)
        self.standings.append(standing(classifier, self.now.images, progress.part(0.9, 1)))

    def choose(self, budget: int, progress: Progress) -> tuple[Picks, str]:
        """The next picks and the layers that they were chosen by; none, and a note, where the pool has run out."""
        asked = replace(self.settings.selection, budget=budget)
        before = [each for picks in self.picks for each in picks.ids.tolist()]
        try:
            candidates(self.taps, self.issues, asked, before)
        except Exhausted:
            if not self.picks:
                raise
            return none_left(self.picks), ""
        probes = self.look_again(progress.part(0, 0.9))
        picks = selected(self.now, asked, self.taps, probes, self.issues, progress.part(0.9, 1), before)
        return picks, layers_of(asked, self.taps, probes)

    def look_again(self, progress: Progress) -> Probes | None:
        """Take the blocks down anew after the first round, and probe them, where the strategy looks at them at all."""
        choice = self.settings.selection
        if self.picks and choice.strategy not in CHANCE:
            self.taps = tapped(self.now, TapSettings(), progress.part(0, 0.5))
        return probed(self.taps, ProbeSettings(), progress.part(0.5, 1)) if reads_layers(choice) else None


def none_left(before: list[Picks]) -> Picks:
    """The picks of a round that chose nothing, after those before; the first such round says so."""
    note = f"The pool ran out before round {len(before) + 1}; from there on it trains on what was chosen before."
    columns = {field.name: getattr(before[-1], field.name)[:0] for field in fields(Picks) if field.name != "notes"}
    return Picks(**columns, notes=(note,) if len(before[-1].ids) else ())


def carried_out(arm: Arm, progress: Progress) -> Retrained:
    """All rounds of an arm, and what they came to."""
    settings, choice = arm.settings, arm.settings.selection
    ends = np.linspace(0, 1, settings.rounds + 1)
    for number, budget in enumerate(portions(choice.budget, settings.rounds)):
        arm.round(budget, progress.part(float(ends[number]), float(ends[number + 1])))
    figures = [each.figures(choice.targets, arm.standings[0]) for each in arm.standings]
    last = arm.standings[-1]
    return Retrained(
        strategy=arm_name(choice),
        seed=choice.seed,
        targets=choice.targets,
        layers=tuple(arm.layers),
        **{name: np.array([each[name] for each in figures]) for name in figures[0]},
        ids=last.ids,
        units=last.units,
        labels=last.labels,
        answers=last.predictions,
        right_before=arm.standings[0].right,
        picks=all_of(arm.picks),
        weights=saved(arm.now.classifier.network) if settings.keep_weights else np.empty(0, np.uint8),
    )


def arm_name(choice: SelectionSettings) -> str:
    """The strategy, with the layer that it looks at where that is not the last: `mode_dhwi@auto`."""
    return f"{choice.strategy}@{choice.layer}" if choice.layer and reads_layers(choice) else choice.strategy


def portions(budget: int, rounds: int) -> list[int]:
    """The budget of each round, equal but for one more in the first ones; ValueError where there is too little."""
    if budget < rounds:
        raise ValueError(f"a budget of {budget} is too small for {rounds} rounds")
    return [budget // rounds + (number < budget % rounds) for number in range(rounds)]


def all_of(picks: list[Picks]) -> Picks:
    """The picks of all rounds, in order, with the notes of all."""
    notes = tuple(dict.fromkeys(note for each in picks for note in each.notes))
    names = [field.name for field in fields(Picks) if field.name != "notes"]
    return Picks(**{name: np.concatenate([getattr(each, name) for each in picks]) for name in names}, notes=notes)
