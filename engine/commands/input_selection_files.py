"""What `input-selection` writes: the summary, and tables of the labels, a selection and the runs."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from engine.commands.describing import described, without_nan
from engine.methods.input_selection.arena import CONTROLS, FIGURES, Arena, ArmOutcome, Gap
from engine.methods.input_selection.layer_choice import LayerChoice
from engine.methods.input_selection.picks_table import PICK_COLUMNS, pick_rows
from engine.methods.input_selection.result import LabelIssues, LabelVerdict, Probes, Retrained, Taps
from engine.methods.input_selection.settings import RECOMMENDED
from engine.runs.run import Input
from engine.subject.subject import Subject
from engine.toolkit.tables import to_csv
from engine.workbench import Workbench

TARGET = "target_recall"  # what a comparison is first of all about
LABEL_COLUMNS = (
    *("label", "verdict", "severity", "p", "train_recall", "train_low", "train_high", "train_n"),
    *("diagnosis_recall", "diagnosis_low", "diagnosis_high", "diagnosis_n"),
    *("precision", "precision_low", "precision_high", "precision_n", "gap", "gap_low", "gap_high"),
    *("partners", "layer", "layer_why"),
)
RUN_FIGURES = (
    *("accuracy", "target_recall", "target_precision", "worst_recall", "broken", "fixed"),
    "diagnosis_accuracy",
)
RUN_COLUMNS = ("strategy", "seed", "round", "targets", "layer", *RUN_FIGURES, "run")


@dataclass(frozen=True)
class Diagnosis:
    """What the subject's labels and layers show; `layers` by label, `inputs` what a retraining is given of it.

    Without labelled images of train there are neither probes nor layers.
    """

    taps: Taps
    verdicts: tuple[LabelVerdict, ...]
    probes: Probes | None
    issues: LabelIssues
    layers: dict[int, LayerChoice]
    targets: tuple[int, ...]
    inputs: dict[str, Input]
    seconds: float


@dataclass(frozen=True)
class Compared:
    """The retrainings with their runs' fingerprints, and what they show; none where nothing was to be mended."""

    runs: list[Retrained]
    names: list[str]
    arena: Arena
    seconds: float


def files_of(found: Diagnosis, compared: Compared, subject: Subject, demo: str | None) -> dict[str, bytes]:
    """What to write, by file name; `demo` is the built-in example that is drawn anew for every seed but 0."""
    summary = without_nan({**described(subject), **summary_of(found, compared)})
    labels = [{**row, "partners": partners_text(row["partners"])} for row in label_rows(found)]
    return {
        "summary.json": (json.dumps(summary, indent=2, allow_nan=False) + "\n").encode(),
        "labels.csv": to_csv(without_nan(labels), LABEL_COLUMNS),
        "selection.csv": to_csv(selection_rows(compared, subject, demo), PICK_COLUMNS),
        "runs.csv": to_csv(without_nan(list(run_rows(compared, found.taps.classes))), RUN_COLUMNS),
    }


def summary_of(found: Diagnosis, compared: Compared) -> dict[str, Any]:
    """The figures as plain values, NaN where there is nothing to tell; `layer` is that of the worst target."""
    classes, first = found.taps.classes, next(iter(found.layers.values()), None)
    return {
        "labels": label_rows(found),
        "layer": first.name if first else None,
        "taps": tap_rows(found),
        "label_issues": issue_counts(found),
        "seeds": sorted({run.seed for run in compared.runs}),
        "targets": {str(run.seed): [classes[each] for each in run.targets] for run in compared.runs},
        "arms": {arm.name: arm_values(arm) for arm in compared.arena.arms},
        "seconds": found.seconds + compared.seconds,
    }


def label_rows(found: Diagnosis) -> list[dict[str, Any]]:
    """A row for each label, the worst first; a layer for those that are buggy or were named."""
    classes, rows = found.taps.classes, []
    for each in found.verdicts:
        layer = found.layers.get(each.label)
        row = {
            "label": classes[each.label],
            "verdict": each.verdict,
            "severity": each.severity,
            "p": each.p,
            "gap": each.gap,
            "gap_low": each.gap_low,
            "gap_high": each.gap_high,
            "partners": {classes[other]: count for other, count in each.partners},
            "layer": layer.name if layer else None,
            "layer_why": layer.why if layer else None,
        }
        for name, rate in (("train", each.train), ("diagnosis", each.diagnosis), ("precision", each.precision)):
            value = name if name == "precision" else f"{name}_recall"
            row |= {value: rate.value, f"{name}_low": rate.low, f"{name}_high": rate.high, f"{name}_n": rate.n}
        rows.append({column: row[column] for column in LABEL_COLUMNS})
    return rows


def partners_text(partners: dict[str, int]) -> str:
    """The classes that a label is taken for, with how many images."""
    return ", ".join(f"{name} ({count})" for name, count in partners.items())


def tap_rows(found: Diagnosis) -> list[dict[str, Any]]:
    """Each tap's probe: its accuracy, its recalls of the targets, and the published likeness to the one before."""
    probes, classes = found.probes, found.taps.classes
    if probes is None:
        return [{"name": tap.name, "train": None, "diagnosis": None, "targets": {}} for tap in found.taps.taps]
    return [
        {
            "name": tap.name,
            "train": float(probes.train_accuracy[at]),
            "diagnosis": float(probes.diagnosis_accuracy[at]),
            "targets": {
                classes[label]: {
                    "train": float(probes.train[at, label]),
                    "diagnosis": float(probes.diagnosis[at, label]),
                    "similarity": float(probes.similarity[at, label]),
                }
                for label in found.layers
            },
        }
        for at, tap in enumerate(found.taps.taps)
    ]


def issue_counts(found: Diagnosis) -> dict[str, int]:
    """How many labels are likely wrong out of how many that were judged, in all and in each role."""
    doubted = set(found.issues.ids[found.issues.issue].tolist())
    by_role = {role.role: sum(each in doubted for each in role.ids.tolist()) for role in found.taps.roles}
    return {"number": len(doubted), "judged": len(found.issues.ids), **by_role}


def arm_values(arm: ArmOutcome) -> dict[str, Any]:
    """An arm's means over the seeds after the last round, with intervals, where it began, and its gaps to chance."""
    return {
        **{figure: arm.final[figure].mean for figure in FIGURES},
        "before": {figure: arm.curves[figure][0].mean for figure in FIGURES},
        "intervals": {figure: [arm.final[figure].low, arm.final[figure].high] for figure in FIGURES},
        "seeds": list(arm.seeds),
        "vs_random": gaps_values(arm.vs_random),
        "vs_class_random": gaps_values(arm.vs_class_random),
    }


def gaps_values(gaps: dict[str, Gap]) -> dict[str, Any] | None:
    """The paired difference in target recall, and in each figure; None where the control was not run."""
    if TARGET not in gaps:
        return None
    return {**gap_values(gaps[TARGET]), "figures": {figure: gap_values(gap) for figure, gap in gaps.items()}}


def gap_values(gap: Gap) -> dict[str, Any]:
    """One paired difference, `p_adjusted` over the arms by Holm."""
    difference = gap.difference
    return {
        "mean": difference.mean,
        "low": difference.low,
        "high": difference.high,
        "p": gap.p,
        "p_adjusted": gap.adjusted,
        "n": len(difference.values),
        "over": gap.over,
    }


def selection_rows(compared: Compared, subject: Subject, demo: str | None) -> list[dict[str, Any]]:
    """What was chosen in all rounds with the first seed, by the strategy that the page recommends, if it was run."""
    if not compared.runs:
        return []
    seed = compared.runs[0].seed
    first = [both for both in zip(compared.runs, compared.names, strict=True) if both[0].seed == seed]
    run, name = min(first, key=lambda each: preference(each[0].strategy))
    images = Workbench.demo_images(demo, run.seed).value() if demo and run.seed else subject.images
    return pick_rows(run.picks, images, subject.blueprint.classes, name)


def preference(arm: str) -> int:
    """The place of an arm: recommended ones that score first, then other scoring ones, then chance."""
    if arm in CONTROLS:
        return len(RECOMMENDED) + 1
    return RECOMMENDED.index(arm) if arm in RECOMMENDED else len(RECOMMENDED)


def run_rows(compared: Compared, classes: tuple[str, ...]) -> Iterator[dict[str, Any]]:
    """A row for each strategy, seed and round, 0 before the first."""
    for run, name in zip(compared.runs, compared.names, strict=True):
        for number in range(len(run.accuracy)):
            yield {
                "strategy": run.strategy,
                "seed": run.seed,
                "round": number,
                "targets": ", ".join(classes[label] for label in run.targets),
                "layer": run.layers[number - 1] if number else "",
                **{figure: float(getattr(run, figure)[number]) for figure in RUN_FIGURES},
                "run": name,
            }
