"""Charts are pure: data in, chart out; told by their specification."""

from __future__ import annotations

import base64
import io
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as some
from PIL import Image

from engine.methods.evaluation.result import ClassFigures
from engine.toolkit.statistics import Rate
from pages.parts.charts import (
    BINS,
    MOST_CLASSES,
    class_rates,
    confidence_histogram,
    confusion_matrix,
    shown_classes,
    top_classes,
)
from pages.parts.grid import COLUMNS, TILE, Tile, data_url, image_grid
from pages.parts.text import briefly, duration, plain, size


def rows_of(chart: Any) -> list[dict[str, Any]]:
    """The rows of the chart's one data source."""
    said = chart.to_dict()
    if "data" in said:
        return said["data"]["values"]
    (rows,) = {str(layer["data"]["values"]): layer["data"]["values"] for layer in said["layer"]}.values()
    return rows


def params_of(chart: Any) -> dict[str, dict[str, Any]]:
    """The chart's selections by name."""
    said = chart.to_dict()
    found = said.get("params", []) + [each for layer in said.get("layer", []) for each in layer.get("params", [])]
    return {each["name"]: each["select"] for each in found}


def test_every_cell_of_the_matrix_has_its_count_and_share():
    confusion = np.array([[8, 2, 0], [0, 5, 0], [0, 0, 0]])
    rows = rows_of(confusion_matrix(confusion, ("a", "b", "c")))
    counts = {(row["label"], row["prediction"]): row["images"] for row in rows}
    assert counts == {
        (label, prediction): confusion[i, j] for i, label in enumerate("abc") for j, prediction in enumerate("abc")
    }
    shares = {(row["label"], row["prediction"]): row["share"] for row in rows}
    assert shares["a", "b"] == 0.2
    assert shares["c", "c"] == 0.0  # a label without images
    written = {(row["label"], row["prediction"]): row["shown"] for row in rows}
    assert (written["a", "a"], written["b", "a"]) == ("8", "")


def test_right_and_wrong_cells_are_told_apart_by_sign():
    rows = rows_of(confusion_matrix(np.array([[3, 1], [2, 4]]), ("a", "b")))
    assert all((row["heat"] > 0) == (row["label"] == row["prediction"]) for row in rows)
    assert all(abs(row["heat"]) <= 1 for row in rows)


def test_a_cell_is_selected_by_the_names_of_its_classes():
    params = params_of(confusion_matrix(np.eye(2, dtype=int), ("a", "b")))
    assert params["cell"]["fields"] == ["label", "prediction"]


def test_of_many_classes_those_with_the_most_mistakes_are_shown():
    count = MOST_CLASSES + 10
    confusion = np.diag(np.full(count, 100))
    confusion[3, 37] = 50
    confusion[35, 36] = 20
    shown = shown_classes(confusion)
    assert len(shown) == MOST_CLASSES
    assert {3, 37, 35, 36} <= set(shown.tolist())
    assert (np.diff(shown) > 0).all()
    rows = rows_of(confusion_matrix(confusion, [f"class {place}" for place in range(count)]))
    assert len(rows) == MOST_CLASSES**2
    assert ("class 3", "class 37", 50) in {(row["label"], row["prediction"], row["images"]) for row in rows}


def test_thirty_classes_are_all_shown():
    assert shown_classes(np.zeros((MOST_CLASSES, MOST_CLASSES))).tolist() == list(range(MOST_CLASSES))


@given(some.lists(some.floats(0, 1, width=32), max_size=200))
def test_the_histogram_counts_everyone(confidence):
    rows = rows_of(confidence_histogram(np.array(confidence, dtype=np.float32), "wrong"))
    assert len(rows) == BINS
    assert sum(row["images"] for row in rows) == len(confidence)


def test_the_histogram_s_bins_hold_what_lies_in_them():
    rows = rows_of(confidence_histogram(np.array([0.0, 0.06, 0.97, 1.0]), "right"))
    assert [row["images"] for row in rows] == [1, 1] + [0] * 17 + [2]
    assert rows[-1]["high"] == pytest.approx(1.0)
    chart = confidence_histogram(np.array([0.5]), "right").to_dict()
    assert chart["title"] == "right answers, n = 1"
    assert params_of(confidence_histogram(np.array([0.5]), "right"))["range"]["type"] == "interval"


def test_the_table_says_where_there_are_no_images():
    nothing = Rate(float("nan"), 0.0, 1.0, 0, 0, 0.0)
    (row,) = class_rates([ClassFigures("a", nothing, nothing, float("nan"), 0, 0)])
    assert row["95 % interval"] == "no images"
    some_images = Rate(0.5, 0.2, 0.8, 10, 7, 8.0)
    (row,) = class_rates([ClassFigures("a", some_images, some_images, 0.5, 10, 9)])
    assert (row["95 % interval"], row["support"], row["groups"], row["predicted"]) == ("20.0% to 80.0%", 10, 7, 9)


def test_the_label_s_bar_is_told_apart():
    rows = rows_of(top_classes(["a", "b"], [0.7, 0.3], "b"))
    assert [(row["class"], row["confidence"], row["is"]) for row in rows] == [
        ("a", 0.7, "another class"),
        ("b", 0.3, "the label"),
    ]


def decoded(url: str) -> Image.Image:
    """The picture of a data URL."""
    start, content = url.split(",", 1)
    assert start == "data:image/webp;base64"
    return Image.open(io.BytesIO(base64.b64decode(content)))


@pytest.mark.parametrize("mode", ["L", "RGB"])
@pytest.mark.parametrize(("width", "height"), [(8, 8), (400, 100), (1, 500), (84, 84)])
def test_a_thumbnail_keeps_its_shape_and_fits(mode, width, height):
    small = decoded(data_url(Image.new(mode, (width, height), 128), TILE))
    assert max(small.size) == TILE
    assert min(small.size) == max(1, round(TILE * min(width, height) / max(width, height)))


def test_a_small_image_is_enlarged_without_blurring():
    checks = Image.fromarray(np.indices((4, 4)).sum(axis=0).astype(np.uint8) % 2 * 255)
    pixels = np.asarray(decoded(data_url(checks, 84)).convert("L"))
    assert pixels[10, 10] < 30
    assert pixels[10, 31] > 225


def tile(place: int, **changed: Any) -> Tile:
    said = {"sample_id": f"id {place}", "picture": "data:,", "caption": "a → b", "hint": "x.png", "wrong": True}
    return Tile(**{**said, "picked": False, **changed})


def test_tiles_lie_in_rows_and_carry_who_they_are():
    rows = rows_of(image_grid([tile(place, picked=place == 1) for place in range(COLUMNS + 1)]))
    assert [row["sample_id"] for row in rows] == [f"id {place}" for place in range(COLUMNS + 1)]
    assert [row["x"] for row in rows] == [*(place + 0.5 for place in range(COLUMNS)), 0.5]
    assert rows[COLUMNS]["y"] > rows[0]["y"]
    assert [row["picked"] for row in rows][:3] == [False, True, False]
    assert params_of(image_grid([tile(0)]))["pick"]["fields"] == ["sample_id"]


def test_a_grid_without_tiles_can_be_drawn():
    assert image_grid([]).to_dict()["height"] == 1


# Words


@given(some.text(alphabet="ab*_`[]()<>#|~:$^=\\-.!+{}", max_size=30))
def test_what_was_made_plain_reads_as_it_was(text):
    made = plain(text)
    read, place = "", 0
    while place < len(made):
        assert made[place] not in "*_`[]()<>#|~:$^"
        place += made[place] == "\\"
        read += made[place]
        place += 1
    assert read.replace("\u2060", "") == text


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(0.2, "under a second"), (1, "1 s"), (89, "89 s"), (300, "5 min"), (7200, "2.0 h")],
)
def test_times_are_said_as_a_person_would(seconds, said):
    assert duration(seconds) == said


@pytest.mark.parametrize(("count", "said"), [(12, "12 B"), (1200, "1 kB"), (3_400_000, "3 MB"), (5e9, "5.0 GB")])
def test_sizes_are_said_in_the_unit_that_suits_them(count, said):
    assert size(count) == said


def test_settings_are_said_briefly():
    assert briefly([1, 2]) == "1 2"
    assert briefly([]) == "none"
    assert briefly([{"families": ["rotation"]}]) == "(1)"
    assert briefly(list(range(9))) == "(9)"
    assert briefly("diagnosis") == "diagnosis"
