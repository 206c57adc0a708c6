"""`evaluate`: how good is it, and on which images does it fail?"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

from engine.commands.describing import described, without_nan
from engine.commands.subject_options import add_subject_options, subject_of
from engine.commands.waiting import answer
from engine.methods.evaluation import EVALUATION
from engine.methods.evaluation.export import PREDICTION_COLUMNS, rows
from engine.methods.evaluation.result import Evaluation
from engine.methods.evaluation.sentences import how_good, what_fails
from engine.methods.evaluation.settings import ROLES, EvaluationSettings
from engine.subject.image_set import Role
from engine.subject.subject import Subject
from engine.toolkit.tables import to_csv
from engine.workbench import Workbench


def add_to(parsers: Any) -> None:
    """Describe the command."""
    parser = parsers.add_parser(
        "evaluate",
        help="accuracy, per-class figures, confusions, and a prediction for every image",
        description="Classify the images of a role. Writes summary.json (figures with 95 %% intervals) and "
        "predictions.csv (one row per image) into --out.",
    )
    add_subject_options(parser)
    parser.add_argument("--role", choices=ROLES, default=Role.TEST.value, help="which images; all: a block per role")
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="folder for the results")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> None:
    """Evaluate and write; ValueError in one sentence where that can't be."""
    bench = Workbench()
    subject = subject_of(arguments, bench)
    there = [role.value for role in Role if len(subject.images.indices(role))]
    roles = there if arguments.role == "all" else [arguments.role]
    found = {role: answer(bench, EVALUATION, subject, EvaluationSettings(role)) for role in roles}
    blocks = {role: block(evaluation, seconds) for role, (evaluation, seconds) in found.items()}
    summary: dict[str, Any] = {"roles": blocks} if arguments.role == "all" else blocks[arguments.role]
    evaluations = [evaluation for evaluation, _ in found.values()]
    write(arguments.out, {**described(subject), **summary}, evaluations, subject)
    for evaluation in evaluations:
        print(how_good(evaluation))
        print(what_fails(evaluation))


def block(evaluation: Evaluation, seconds: float) -> dict[str, Any]:
    """The figures of one role as plain values; None where there is nothing to tell from."""
    summary = evaluation.summary
    figures = {
        "role": evaluation.role,
        "n": summary.accuracy.n,
        "groups": summary.accuracy.groups,
        "unlabelled": summary.unlabelled,
        "seen": dict(zip(("unknown", "no", "yes"), evaluation.seen, strict=True)),
        "accuracy": summary.accuracy.value,
        "accuracy_low": summary.accuracy.low,
        "accuracy_high": summary.accuracy.high,
        "balanced_accuracy": summary.balanced_accuracy,
        "balanced_accuracy_low": summary.balanced_low,
        "balanced_accuracy_high": summary.balanced_high,
        "top5_accuracy": summary.top5.value if summary.top5 else None,
        "calibration_error": summary.ece,
        "log_loss": summary.nll,
        "log_loss_low": summary.nll_low,
        "log_loss_high": summary.nll_high,
        "per_class": [
            {
                "label": each.name,
                "support": each.support,
                "recall": each.recall.value,
                "recall_low": each.recall.low,
                "recall_high": each.recall.high,
                "precision": each.precision.value,
                "precision_low": each.precision.low,
                "precision_high": each.precision.high,
                "f1": each.f1,
            }
            for each in summary.per_class
        ],
        "confusion": summary.confusion.tolist(),
        "seconds": seconds,
    }
    return without_nan(figures)


def write(out: Path, summary: dict[str, Any], evaluations: list[Evaluation], subject: Subject) -> None:
    """summary.json and predictions.csv in `out`, which is made if it isn't there."""
    out.mkdir(parents=True, exist_ok=True)
    (out / "summary.json").write_text(json.dumps(summary, indent=2, allow_nan=False) + "\n")
    table = [row for each in evaluations for row in rows(each, subject.images, range(len(each.ids)))]
    (out / "predictions.csv").write_bytes(to_csv(table, PREDICTION_COLUMNS))
