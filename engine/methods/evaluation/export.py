"""Images and what the classifier makes of them, as a CSV, alone or in a zip with the pictures."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from engine.methods.evaluation.result import Evaluation
from engine.subject.image_set import UNLABELLED, ImageSet
from engine.subject.subject import Subject
from engine.toolkit.error_table import error_csv, rounded

PREDICTION_COLUMNS = (
    "sample_id",
    "file_name",
    "split",
    "label",
    "prediction",
    "confidence",
    "is_error",
    "loss",
    "margin",
)


def rows(evaluation: Evaluation, images: ImageSet, chosen: Sequence[int] | np.ndarray) -> list[dict[str, Any]]:
    """One row per chosen row of the evaluation, with the columns of `PREDICTION_COLUMNS`."""
    where = [images.position[sample_id] for sample_id in evaluation.ids[np.asarray(chosen, dtype=np.int64)].tolist()]
    found = []
    for row, index in zip(chosen, where, strict=True):
        label = int(evaluation.labels[row])
        known = label != UNLABELLED
        found.append(
            {
                "sample_id": str(evaluation.ids[row]),
                "file_name": str(images.names[index]),
                "split": str(images.roles[index]),
                "label": evaluation.classes[label] if known else "",
                "prediction": evaluation.classes[int(evaluation.predictions[row])],
                "confidence": rounded(evaluation.confidence[row]),
                "is_error": str(bool(evaluation.wrong[row])).lower() if known else "",
                "loss": rounded(evaluation.loss[row]) if known else "",
                "margin": rounded(evaluation.margin[row]) if known else "",
            }
        )
    return found


def error_rows(
    evaluation: Evaluation, subject: Subject, chosen: Sequence[int], name: str, run_id: str
) -> list[dict[str, Any]]:
    """The chosen rows as one cluster called `name`; `corrected_label` is empty, for a person to fill in."""
    found = rows(evaluation, subject.images, chosen)
    wrong = sum(row["is_error"] == "true" for row in found)
    labelled = sum(row["is_error"] != "" for row in found)
    cluster = {
        "corrected_label": "",
        "cluster_id": "0",
        "cluster_name": name,
        "cluster_size": len(found),
        "cluster_error_rate": rounded(wrong / labelled) if labelled else "",
        "source": "real",
        "method": "evaluation",
        "run_id": run_id,
        "model_sha256": subject.blueprint.weights,
        "dataset_sha256": subject.images.fingerprint,
        "note": "",
    }
    return [{**row, **cluster} for row in found]


def error_zip(found: Sequence[Mapping[str, Any]], images: ImageSet) -> bytes:
    """`metadata.csv` and the images as PNG beside it; opens as a Hugging Face image folder.

    In this CSV `file_name` is the picture's place in the zip, and `note` the file that it came from. A picture whose
    file is gone is left out, its row stays.
    """
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as bundle:
        moved = []
        for row in found:
            place = f"images/{row['sample_id']}.png"
            picture = io.BytesIO()
            try:
                images.pixels.image(images.position[row["sample_id"]]).save(picture, "PNG")
            except ValueError:
                moved.append({**row, "note": "the file is gone or has changed"})
                continue
            bundle.writestr(place, picture.getvalue())
            moved.append({**row, "file_name": place, "note": row["file_name"]})
        bundle.writestr("metadata.csv", error_csv(moved))
    return buffer.getvalue()
