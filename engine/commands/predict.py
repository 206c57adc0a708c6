"""`predict`: what does it take these images for?"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from engine.commands.subject_options import add_subject_options, subject_of
from engine.commands.waiting import answer
from engine.methods.evaluation import EVALUATION
from engine.methods.evaluation.result import Evaluation
from engine.methods.evaluation.settings import EvaluationSettings
from engine.subject.image_set import ImageSet
from engine.toolkit.error_table import rounded
from engine.toolkit.tables import to_csv
from engine.workbench import Workbench


def add_to(parsers: Any) -> None:
    """Describe the command."""
    parser = parsers.add_parser(
        "predict",
        help="predictions for images that need no labels",
        description="Classify every image, whether or not it has a label. Writes predictions.csv into --out: "
        "file name, prediction, confidence, and the best five classes.",
    )
    add_subject_options(parser)
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="folder for predictions.csv")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> None:
    """Predict and write; ValueError in one sentence where that can't be."""
    bench = Workbench()
    subject = subject_of(arguments, bench)
    found, _ = answer(bench, EVALUATION, subject, EvaluationSettings("all"))
    arguments.out.mkdir(parents=True, exist_ok=True)
    places = range(1, found.top.shape[1] + 1)
    columns = ["sample_id", "file_name", "prediction", "confidence"]
    columns += [f"{what}_{place}" for place in places for what in ("class", "confidence")]
    (arguments.out / "predictions.csv").write_bytes(to_csv(rows(found, subject.images), columns))
    print(f"{len(found.ids):,} images classified: {arguments.out / 'predictions.csv'}")


def rows(found: Evaluation, images: ImageSet) -> list[dict[str, Any]]:
    """One row per image, with the best classes and how sure it is of each."""
    table = []
    for row, sample_id in enumerate(found.ids.tolist()):
        best = [
            (found.classes[index], rounded(share))
            for index, share in zip(found.top[row], found.top_confidence[row], strict=True)
        ]
        said: dict[str, Any] = {
            "sample_id": sample_id,
            "file_name": str(images.names[images.position[sample_id]]),
            "prediction": best[0][0],
            "confidence": best[0][1],
        }
        for place, (name, share) in enumerate(best, start=1):
            said[f"class_{place}"], said[f"confidence_{place}"] = name, share
        table.append(said)
    return table
