"""`input-selection`: which labels are buggy, in which layer, and which images of the pool would help?"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import lru_cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from engine.commands.input_selection_files import Compared, Diagnosis, files_of
from engine.commands.input_selection_options import (
    add_options,
    seeds_of,
    settings_of,
    strategies_of,
    targets_of,
    verdicts_of,
)
from engine.commands.subject_options import add_subject_options, subject_of
from engine.commands.waiting import answer
from engine.commands.writing import written
from engine.methods.input_selection import ISSUES, PROBES, RETRAINING, TAPS
from engine.methods.input_selection.arena import Arena, compare
from engine.methods.input_selection.arena_sentences import what_each_did, what_won
from engine.methods.input_selection.label_sentences import what_the_labels_show
from engine.methods.input_selection.layer_choice import chosen_layer
from engine.methods.input_selection.result import Taps
from engine.methods.input_selection.settings import (
    CHOSEN_LAYER,
    IssueSettings,
    ProbeSettings,
    RetrainingSettings,
    SelectionSettings,
    TapSettings,
    VerdictSettings,
)
from engine.methods.input_selection.verdicts import OVER, UNDER, label_verdicts
from engine.runs.progress import Progress
from engine.runs.run import Input
from engine.subject.subject import Subject
from engine.workbench import Workbench

if TYPE_CHECKING:
    from engine.subject.classifier import Classifier

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
    usual, rule = settings_of(arguments), verdicts_of(arguments)
    strategies, seeds = strategies_of(arguments), seeds_of(arguments)
    bench = Workbench()
    subject = subject_of(arguments, bench)
    named = targets_of(arguments, subject.blueprint.classes)
    if arguments.demo and not named and rule != VerdictSettings() and any(seeds):
        raise ValueError(
            "each seed but 0 of --demo has buggy labels of its own, which are found by the usual thresholds; "
            "leave --recall and --gap out, name --targets, or take seed 0 alone"
        )
    found = diagnosed(bench, subject, rule, named)
    check_layer(usual.selection, found.taps)
    asked = questions(usual, strategies, seeds, found, arguments.demo, bool(named))
    compared = retrained(bench, subject, asked if found.targets or arguments.demo else iter(()))
    files = files_of(found, compared, subject, arguments.demo)
    written(arguments.out, files, sentences(found, compared))


def diagnosed(bench: Workbench, subject: Subject, rule: VerdictSettings, named: tuple[int, ...]) -> Diagnosis:
    """What the blocks, the probes and the labels show; the targets are the named ones, else the buggy ones."""
    taps, pass_seconds = answer(bench, TAPS, subject, TapSettings())
    inputs = {"taps": Input(bench.question(TAPS, subject, TapSettings()).fingerprint, taps)}
    verdicts = label_verdicts(taps, rule)
    probes, probe_seconds = answer(bench, PROBES, subject, ProbeSettings(), inputs)
    issues, issue_seconds = answer(bench, ISSUES, subject, IssueSettings(), inputs)
    inputs["issues"] = Input(bench.question(ISSUES, subject, IssueSettings(), inputs).fingerprint, issues)
    buggy = {each.label for each in verdicts if each.verdict in (UNDER, OVER)}
    layers = {
        each.label: chosen_layer(probes, taps, each.label, each.verdict, rule.gap)
        for each in verdicts
        if each.label in buggy or each.label in named
    }
    return Diagnosis(
        taps=taps,
        verdicts=verdicts,
        probes=probes,
        issues=issues,
        layers=layers,
        targets=named or tuple(sorted(buggy)),
        inputs=inputs,
        seconds=pass_seconds + probe_seconds + issue_seconds,
    )


def check_layer(choice: SelectionSettings, taps: Taps) -> None:
    """ValueError where there is no such layer."""
    names = [tap.name for tap in taps.taps]
    if choice.layer and choice.layer not in (CHOSEN_LAYER, *names):
        raise ValueError(f"there is no layer {choice.layer!r}; there are {CHOSEN_LAYER}, {', '.join(names)}")


def questions(
    usual: RetrainingSettings,
    strategies: tuple[str, ...],
    seeds: range,
    found: Diagnosis,
    demo: str | None,
    named: bool,
) -> Iterator[tuple[RetrainingSettings, Mapping[str, Input]]]:
    """The settings and inputs of each run; a built-in example is drawn anew for every seed but 0, its own.

    What is drawn anew has buggy labels of its own, which the retraining finds where no label was named.
    """
    for seed in seeds:
        anew = bool(demo and seed)
        inputs = drawn_anew(str(demo), seed) if anew else found.inputs
        targets = found.targets if named or not anew else ()
        for strategy in strategies:
            choice = replace(usual.selection, strategy=strategy, seed=seed, targets=targets)
            yield replace(usual, selection=choice), inputs


def drawn_anew(demo: str, seed: int) -> dict[str, Input]:
    """A built-in example's images and classifier of this seed, as the inputs of a step."""
    classifier = Input(f"demo classifier {demo} seed {seed}", partial(demo_classifier, demo, seed))
    return {"images": Workbench.demo_images(demo, seed), "classifier": classifier}


@lru_cache(maxsize=1)  # the strategies of a seed, one after the other, start from the same one
def demo_classifier(demo: str, seed: int) -> Classifier:
    """A built-in example's classifier, trained on the images of this seed."""
    from engine.loading.demos import train_demo

    return train_demo(demo, seed, Progress())


def retrained(
    bench: Workbench, subject: Subject, asked: Iterator[tuple[RetrainingSettings, Mapping[str, Input]]]
) -> Compared:
    """Every strategy with every seed, one run each."""
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
    said.append(f"{found.issues.issue.sum():,} of {len(found.issues.ids):,} labels are likely wrong.")
    return [*said, what_won(compared.arena), *what_each_did(compared.arena)] if compared.runs else [*said, NO_BUG]
