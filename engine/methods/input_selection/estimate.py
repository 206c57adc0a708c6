"""How long the pass over all blocks and one retraining will take, from a few images and steps."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from functools import partial

import numpy as np

from engine.methods.input_selection.fine_tuning import fine_tuned
from engine.methods.input_selection.label_issues import label_issues
from engine.methods.input_selection.probes import probed
from engine.methods.input_selection.result import TappedRole, Taps
from engine.methods.input_selection.settings import (
    CHANCE,
    IssueSettings,
    ProbeSettings,
    RetrainingSettings,
    TapSettings,
    reads_layers,
)
from engine.methods.input_selection.tapping import ROLES, blocks_of, piece, tapped
from engine.runs.progress import Progress
from engine.subject.image_set import Role
from engine.subject.subject import Subject
from engine.toolkit.pace import FEW, pace
from engine.toolkit.prediction import batch_size, predict
from engine.toolkit.threads import as_many_as_help

SECONDS = 0.3  # that finding out a pace may take
STEPS = 5
FITTED = 256  # images of a role to fit probes on, for an estimate
MORE = 4  # times as many, for how it grows


def seconds_of_taps(subject: Subject, settings: TapSettings) -> float:
    """Seconds for one pass over train, diagnosis and pool in which every block is taken down.

    0 where there is no image of them; ValueError where the network has no block before its logits.
    """
    indices = np.concatenate([subject.images.indices(role) for role in ROLES])
    if not len(indices):
        return 0.0
    few = np.resize(indices, FEW)
    found = blocks_of(subject, few, settings)

    def look(count: int) -> None:
        piece(subject, found, few[np.arange(count) % FEW], "", Progress())

    return looked_into(subject, settings) * pace(look, batch_size(subject.classifier), SECONDS)


def looked_into(subject: Subject, settings: TapSettings) -> int:
    """How many images the pass looks into."""
    return sum(min(settings.most(role), len(subject.images.indices(role))) for role in ROLES)


def seconds_of_retraining(subject: Subject, settings: RetrainingSettings) -> float:
    """Seconds for one arm with one seed: its steps, and the passes and probes before and after them.

    What choosing itself takes is not in it. ValueError where it can't be carried out.
    """
    rounds, choice, usual = settings.rounds, settings.selection, TapSettings()
    with as_many_as_help(subject.classifier, settings.batch_size):
        stepping = rounds * settings.steps * seconds_a_step(subject, settings)
        answering = (rounds + 1) * seconds_of_answers(subject)
        looking = (1 if choice.strategy in CHANCE else rounds) * seconds_of_taps(subject, usual)
        judging, probing = seconds_of_fits(subject, usual)
    return stepping + answering + looking + judging + (rounds * probing if reads_layers(choice) else 0.0)


def seconds_a_step(subject: Subject, settings: RetrainingSettings) -> float:
    """Seconds for a step of the retraining, the reading of its images included."""
    chosen = subject.images.labelled(Role.POOL)[: settings.selection.budget]
    if not len(chosen):
        raise ValueError("no labelled image has the role 'pool', so none can be chosen")

    def train(steps: int) -> None:
        fine_tuned(subject, [chosen], replace(settings, steps=steps), Progress())

    train(1)  # which warms up what is needed
    return seconds_for(lambda: train(STEPS)) / STEPS


def seconds_of_answers(subject: Subject) -> float:
    """Seconds for classifying the labelled images of test and diagnosis."""
    both = np.concatenate([subject.images.labelled(role) for role in (Role.TEST, Role.DIAGNOSIS)])
    if not len(both):
        return 0.0
    few = np.resize(both, FEW)

    def ask(count: int) -> None:
        predict(subject.classifier, subject.images, few[np.arange(count) % FEW], Progress())

    return len(both) * pace(ask, batch_size(subject.classifier), SECONDS)


def seconds_of_fits(subject: Subject, settings: TapSettings) -> tuple[float, float]:
    """Seconds for finding likely wrong labels, and for probing all taps once.

    Each has a part that is there with any number of images, and one that grows with them.
    """
    few = replace(settings, images=min(settings.images, FITTED), pool=min(settings.pool, FITTED))
    taps = tapped(subject, few, Progress())
    times = looked_into(subject, settings) / looked_into(subject, few)
    label_issues(taps, IssueSettings(), Progress())  # the first one loads what is needed
    judging = grown(taps, times, lambda taps: label_issues(taps, IssueSettings(), Progress()))
    return judging, grown(taps, times, lambda taps: probed(taps, ProbeSettings(), Progress()))


def grown(taps: Taps, times: float, work: Callable[[Taps], object]) -> float:
    """Seconds for the work on so many times the images, from a line through what it takes on these and on more."""
    own, more = (seconds_for(partial(work, each)) for each in (taps, repeated(taps, MORE)))
    return own + (times - 1) * max(0.0, more - own) / (MORE - 1)


def repeated(taps: Taps, times: int) -> Taps:
    """The same images so many times over."""

    def again(column: np.ndarray) -> np.ndarray:
        return np.concatenate([column] * times)

    roles = [
        TappedRole(
            role=role.role,
            ids=again(role.ids),
            labels=again(role.labels),
            units=again(role.units),
            seen=again(role.seen),
            logits=again(role.logits),
            features=tuple(map(again, role.features)),
        )
        for role in taps.roles
    ]
    return replace(taps, roles=tuple(roles))


def seconds_for(work: Callable[[], object]) -> float:
    """The seconds that it takes."""
    begin = time.perf_counter()
    work()
    return time.perf_counter() - begin
