"""`input-selection`: which labels are buggy, in which layer, and which images of the pool would help?"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from engine.commands.input_selection_files import Compared, Diagnosis, files_of
from engine.commands.input_selection_options import (
    add_options,
    arms_of,
    seeds_of,
    settings_of,
    targets_of,
)
from engine.commands.subject_options import add_subject_options, subject_of
from engine.commands.waiting import answer
from engine.commands.writing import written
from engine.methods.input_selection import ISSUES, PROBES, RETRAINING, TAPS
from engine.methods.input_selection.arena import Arena, compare
from engine.methods.input_selection.arena_sentences import what_each_did, what_varies, what_won
from engine.methods.input_selection.label_sentences import what_the_labels_show
from engine.methods.input_selection.layer_choice import chosen_layer
from engine.methods.input_selection.settings import (
    CHOSEN_LAYER,
    IssueSettings,
    ProbeSettings,
    RetrainingSettings,
    SelectionSettings,
    TapSettings,
    VerdictSettings,
    arm_settings,
    reads_layers,
)
from engine.methods.input_selection.titles import arm_title
from engine.methods.input_selection.verdicts import OVER, UNDER, label_verdicts
from engine.runs.run import Input
from engine.subject.image_set import UNLABELLED, Role
from engine.subject.subject import Subject
from engine.workbench import Workbench

NO_PROBES = "No layer: probes are fitted on labelled images of train, and there are none."
NO_BUG = "No retraining: no label is buggy beyond chance. Name labels with --targets to choose images for them."


def add_to(parsers: Any) -> None:
    """Describe the command."""
    parser = parsers.add_parser(
        "input-selection",
        help="which labels are buggy, in which layer, and whether choosing images for them helps",
        description="Judge every label, look for the layer that explains it, retrain on what each strategy chooses out "
        "of the pool, with several seeds, and compare that with random choice. Writes summary.json, labels.csv, "
        "selection.csv and runs.csv into --out.",
    )
    add_subject_options(parser)
    add_options(parser)
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="folder for the results")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> None:
    """Diagnose, retrain, compare and write; ValueError in one sentence where that can't be."""
    usual, arms, seeds = settings_of(arguments), arms_of(arguments), seeds_of(arguments)
    bench = Workbench()
    subject = subject_of(arguments, bench)
    named = targets_of(arguments, subject.blueprint.classes)
    found = diagnosed(bench, subject, usual.selection.rule, named)
    check_layers(usual.selection, arms, found)
    asked = questions(usual, arms, seeds, found, arguments.demo, bool(named))
    compared = retrained(bench, subject, asked)
    files = files_of(found, compared, subject, arguments.demo)
    written(arguments.out, files, sentences(found, compared))


def diagnosed(bench: Workbench, subject: Subject, rule: VerdictSettings, named: tuple[int, ...]) -> Diagnosis:
    """What the blocks, the probes and the labels show; the targets are the named ones, else the buggy ones.

    Without labelled images of train there are no probes, and no layer is named.
    """
    taps, seconds = answer(bench, TAPS, subject, TapSettings())
    inputs = {"taps": Input(bench.question(TAPS, subject, TapSettings()).fingerprint, taps)}
    verdicts = label_verdicts(taps, rule)
    buggy = {each.label for each in verdicts if each.verdict in (UNDER, OVER)}
    probes, layers = None, {}
    train = taps.role(Role.TRAIN)
    if train is not None and (train.labels != UNLABELLED).any():
        probes, took = answer(bench, PROBES, subject, ProbeSettings(), inputs)
        seconds += took
        concerned = [each for each in verdicts if each.label in buggy or each.label in named]
        layers = {each.label: chosen_layer(probes, taps, each.label, each.verdict, rule.gap) for each in concerned}
    issues, took = answer(bench, ISSUES, subject, IssueSettings(), inputs)
    inputs["issues"] = Input(bench.question(ISSUES, subject, IssueSettings(), inputs).fingerprint, issues)
    return Diagnosis(
        taps=taps,
        verdicts=verdicts,
        probes=probes,
        issues=issues,
        layers=layers,
        targets=named or tuple(sorted(buggy)),
        inputs=inputs,
        seconds=seconds + took,
    )


def check_layers(usual: SelectionSettings, arms: tuple[str, ...], found: Diagnosis) -> None:
    """ValueError where there is no such layer, or nothing to look at layers by."""
    names = [tap.name for tap in found.taps.taps]
    for arm in arms:
        choice = arm_settings(usual, arm)
        if choice.layer and choice.layer not in (CHOSEN_LAYER, *names):
            raise ValueError(f"there is no layer {choice.layer!r}; there are {CHOSEN_LAYER}, {', '.join(names)}")
        if found.probes is None and reads_layers(choice):
            raise ValueError(
                f"{arm} looks at layers by probes, which need labelled images of train, and there are none; "
                "name others with --strategies"
            )


def questions(
    usual: RetrainingSettings,
    arms: tuple[str, ...],
    seeds: range,
    found: Diagnosis,
    demo: str | None,
    named: bool,
) -> Iterator[tuple[RetrainingSettings, Mapping[str, Input]]]:
    """The settings and inputs of each run; a built-in example is drawn anew for every seed but 0, its own.

    What is drawn anew has buggy labels of its own, which the retraining finds where no label was named. Nothing is
    asked of data that is known to have none.
    """
    for seed in seeds:
        anew = bool(demo and seed)
        inputs = Workbench.demo_anew(str(demo), seed) if anew else found.inputs
        targets = found.targets if named or not anew else ()
        for arm in arms if targets or anew else ():
            choice = arm_settings(replace(usual.selection, seed=seed, targets=targets), arm)
            yield replace(usual, selection=choice), inputs


def retrained(
    bench: Workbench, subject: Subject, asked: Iterator[tuple[RetrainingSettings, Mapping[str, Input]]]
) -> Compared:
    """Every arm with every seed, one run each."""
    runs, names, seconds = [], [], 0.0
    for settings, inputs in asked:
        found, took = answer(bench, RETRAINING, subject, settings, inputs)
        runs.append(found)
        names.append(bench.question(RETRAINING, subject, settings, inputs).fingerprint)
        seconds += took
    return Compared(runs, names, compare(runs) if runs else Arena(()), seconds)


def sentences(found: Diagnosis, compared: Compared) -> list[str]:
    """What was found, in words."""
    said = what_the_labels_show(found.verdicts, found.taps)
    said += [f"Layer for {found.taps.classes[label]}: {each.name}. {each.why}" for label, each in found.layers.items()]
    said += [NO_PROBES] if found.probes is None else []
    said.append(f"{found.issues.issue.sum():,} of {len(found.issues.ids):,} labels are likely wrong.")
    if not compared.runs:
        return [*said, NO_BUG]
    notes = [f"{arm_title(run.strategy)}, seed {run.seed}: {note}" for run in compared.runs for note in run.picks.notes]
    arena = compared.arena
    return [*said, what_won(arena), what_varies(arena), *what_each_did(arena), *notes]
