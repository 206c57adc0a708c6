"""One arm of a comparison with one seed: choose, train on it, look at test; and again in the next round."""

from __future__ import annotations

from collections.abc import Mapping
from copy import deepcopy
from dataclasses import fields, replace
from typing import Any

import numpy as np
import safetensors.torch

from engine.methods.input_selection.fine_tuning import fine_tuned
from engine.methods.input_selection.label_issues import label_issues
from engine.methods.input_selection.probes import probed
from engine.methods.input_selection.result import LabelIssues, Picks, Probes, Retrained, Taps
from engine.methods.input_selection.selecting import selected
from engine.methods.input_selection.settings import (
    IssueSettings,
    ProbeSettings,
    RetrainingSettings,
    SelectionSettings,
    TapSettings,
    VerdictSettings,
)
from engine.methods.input_selection.standing import Standing, standing
from engine.methods.input_selection.strategies import CHANCE, layers_of, reads_layers
from engine.methods.input_selection.tapping import tapped
from engine.methods.input_selection.verdicts import OVER, UNDER, label_verdicts
from engine.runs.progress import Progress
from engine.subject.classifier import Classifier
from engine.subject.subject import Subject
from engine.toolkit.threads import as_many_as_help


def retrained(
    subject: Subject, settings: RetrainingSettings, inputs: Mapping[str, Any], progress: Progress
) -> Retrained:
    """Help the target labels: those of the settings, else those that the diagnosis finds buggy.

    Inputs, all optional: `images`, a function that gives an ImageSet to take the subject's place (data drawn anew);
    `classifier`, one that gives the Classifier to start from instead of the subject's; `taps` and `issues`, what was
    found at the start. The subject and its pool stay as they are, and test decides nothing. ValueError in one sentence
    where no label needs help, nothing can be chosen or replayed, or test has no labels.
    """
    start, progress = starting_subject(subject, inputs), Afresh(progress)
    with as_many_as_help(start.classifier, settings.batch_size):
        before = standing(start.classifier, start.images, progress.part(0, 0.05))
        taps, issues = at_the_start(start, inputs, progress.part(0.05, 0.12))
        targets = settings.selection.targets or buggy(taps)
        asked = replace(settings, selection=replace(settings.selection, targets=targets))
        return carried_out(Arm(start, asked, before, taps, issues), progress.part(0.12, 1))


def at_the_start(start: Subject, inputs: Mapping[str, Any], progress: Progress) -> tuple[Taps, LabelIssues]:
    """What the blocks put out before the first round, and which labels are likely wrong; as given, or found now."""
    taps = inputs["taps"] if "taps" in inputs else tapped(start, TapSettings(), progress.part(0, 0.8))
    if "issues" in inputs:
        return taps, inputs["issues"]
    return taps, label_issues(taps, IssueSettings(), progress.part(0.8, 1))


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


def buggy(taps: Taps) -> tuple[int, ...]:
    """The labels that the diagnosis finds under- or over-fitted, in their order; ValueError where there are none."""
    found = [each.label for each in label_verdicts(taps, VerdictSettings()) if each.verdict in (UNDER, OVER)]
    if not found:
        raise ValueError("the diagnosis finds no buggy label; name the labels that the images are to be chosen for")
    return tuple(sorted(found))


class Afresh(Progress):
    """Hands on everything but what is to be kept: the next round's pieces have the same names and are others."""

    def __init__(self, whole: Progress) -> None:
        self.whole = whole

    def report(self, fraction: float, label: str) -> None:
        """As the whole's."""
        self.whole.report(fraction, label)

    def note(self, sentence: str) -> None:
        """As the whole's."""
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
        """Choose so many images, train on them and look at test."""
        probes = self.look_again(progress.part(0, 0.5))
        asked = self.asked(budget)
        self.picks.append(selected(self.now, asked, self.taps, probes, self.issues, progress.part(0.5, 0.5)))
        self.layers.append(layers_of(asked, self.taps, probes))
        position = self.now.images.position
        chosen = [np.array([position[each] for each in picks.ids.tolist()]) for picks in self.picks]
        classifier = fine_tuned(self.now, chosen, self.settings, progress.part(0.5, 0.9))
        self.now = with_classifier(self.now, classifier)
        self.standings.append(standing(classifier, self.now.images, progress.part(0.9, 1)))

    def look_again(self, progress: Progress) -> Probes | None:
        """Take the blocks down anew after the first round, and probe them, where the strategy looks at them at all."""
        choice = self.settings.selection
        if self.picks and choice.strategy not in CHANCE:
            self.taps = tapped(self.now, TapSettings(), progress.part(0, 0.5))
        return probed(self.taps, ProbeSettings(), progress.part(0.5, 1)) if reads_layers(choice) else None

    def asked(self, budget: int) -> SelectionSettings:
        """What is asked of the next selection: what was chosen before has left the arm's pool."""
        choice = self.settings.selection
        before = [each for picks in self.picks for each in picks.ids.tolist()]
        return replace(choice, budget=budget, excluded=(*choice.excluded, *before))


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
        right=last.right,
        picks=all_of(arm.picks),
        weights=saved(arm.now.classifier) if settings.keep_weights else np.empty(0, np.uint8),
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
    """The picks of all rounds, in order."""
    notes = tuple(dict.fromkeys(note for each in picks for note in each.notes))
    names = [field.name for field in fields(Picks) if field.name != "notes"]
    return Picks(**{name: np.concatenate([getattr(each, name) for each in picks]) for name in names}, notes=notes)


def saved(classifier: Classifier) -> np.ndarray:
    """The weights and buffers as the bytes of a safetensors file."""
    state = {name: tensor.detach().cpu().contiguous() for name, tensor in classifier.network.state_dict().items()}
    return np.frombuffer(safetensors.torch.save(state), dtype=np.uint8)
