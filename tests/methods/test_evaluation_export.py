from __future__ import annotations

import io
import zipfile
from dataclasses import replace

import numpy as np
from PIL import Image

from engine.methods.evaluation import EVALUATION
from engine.methods.evaluation.export import PREDICTION_COLUMNS, error_rows, error_zip, rows
from engine.methods.evaluation.settings import EvaluationSettings
from engine.runs.progress import Progress
from engine.toolkit.error_table import COLUMNS, error_csv
from engine.toolkit.tables import from_csv, to_csv


def evaluated(subject):
    return EVALUATION.run(subject, EvaluationSettings(), {}, Progress())


def test_the_errors_come_back_from_their_csv(rgb_subject):
    found = evaluated(rgb_subject)
    chosen = np.flatnonzero(found.wrong)
    back = from_csv(error_csv(error_rows(found, rgb_subject, chosen, "reds", "run1")))
    assert tuple(back[0]) == COLUMNS
    assert [row["file_name"] for row in back] == ["0.png", "1.png", "8.png"]
    assert [(row["label"], row["prediction"]) for row in back] == [("green", "red"), ("green", "red"), ("red", "blue")]
    assert {row["is_error"] for row in back} == {"true"}
    assert back[0]["cluster_error_rate"] == "1.0"
    assert back[0]["corrected_label"] == ""
    assert float(back[0]["margin"]) < 0
    assert back[0]["dataset_sha256"] == rgb_subject.images.fingerprint


def test_the_zip_holds_each_picture_where_its_row_says(rgb_subject):
    found = evaluated(rgb_subject)
    bundle = zipfile.ZipFile(io.BytesIO(error_zip(error_rows(found, rgb_subject, [8, 4], "x", ""), rgb_subject.images)))
    listed = from_csv(bundle.read("metadata.csv"))
    assert [row["note"] for row in listed] == ["8.png", "4.png"]
    for row, index in zip(listed, [8, 4], strict=True):
        picture = np.asarray(Image.open(io.BytesIO(bundle.read(row["file_name"]))))
        np.testing.assert_array_equal(picture.transpose(2, 0, 1), rgb_subject.images.read([index])[0])


def test_every_evaluated_image_has_its_row_and_hostile_names_are_neutralised(rgb_subject):
    names = rgb_subject.images.names.astype("<U30")
    names[0] = "=cmd|'/c calc'!A1.png"
    images = replace(rgb_subject.images, names=names)
    found = evaluated(rgb_subject)
    text = to_csv(rows(found, images, range(9)), PREDICTION_COLUMNS)
    assert b",'=cmd|" in text
    assert len(from_csv(text)) == 9
    assert from_csv(text)[0]["file_name"] == names[0]
