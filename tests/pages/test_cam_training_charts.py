"""Charts of CAM training are pure: data in, chart out; told by their specification, which Altair checks here."""

from __future__ import annotations

import json

import numpy as np
import pytest

from engine.methods.cam_training.figure import Figure
from engine.methods.cam_training.hiding import HidingFigure
from engine.methods.cam_training.result import Cams
from engine.toolkit.statistics import rate
from pages.parts.cam_training.curve_charts import curve_charts
from pages.parts.cam_training.evidence_charts import accuracy_chart, gap_chart
from pages.parts.cam_training.figures import energy_histogram
from pages.parts.cam_training.gallery import composed
from pages.parts.cam_training.hidden import hiding_chart
from pages.parts.cam_training.mask import shaded
from pages.parts.grid import Tile, image_grid
from tests.pages.conftest import inline_rows

NAN = float("nan")


def rows_of(chart) -> list[dict]:
    """The rows of all layers; making the specification checks it, and it must be JSON as browsers read it."""
    said = chart.to_dict()
    json.dumps(said, allow_nan=False)
    return inline_rows(said)


def test_curves_are_one_chart_a_question_and_a_line_a_term():
    names = ("cross_entropy", "cam_loss", "cross_entropy_gradient", "cam_gradient", "inside", "outside", "accuracy")
    curves = {"step": [0, 5], **{name: [float(place), NAN] for place, name in enumerate(names)}}
    charts = dict(curve_charts(curves))
    assert list(charts) == [
        "What it is trained on", "How hard each pulls", "Where its evidence lies", "Right answers in training"
    ]  # fmt: skip
    rows = rows_of(charts["Where its evidence lies"])
    assert [(row["of"], row["step"], row["value"]) for row in rows] == [
        ("allowed part", 0, 4.0), ("allowed part", 5, None), ("forbidden part", 0, 5.0), ("forbidden part", 5, None)
    ]  # fmt: skip
    assert [row["value"] for row in rows_of(charts["Right answers in training"])] == [6.0, None]


def evidence_rows(**more):
    return [
        {"arm": arm, "part": part, "mean": mean, "low": NAN, "high": mean + 0.1, **more}
        for arm, mean in (("default", 0.1), ("cam", 0.6))
        for part in ("unchanged", "swapped")
    ]


def test_accuracies_have_a_mark_for_every_mean_and_every_seed():
    rows = rows_of(accuracy_chart(evidence_rows(seeds=(0.2, 0.4, 0.5))))
    means = [row for row in rows if "high" in row]
    assert len(means) == 4
    assert len(rows) - len(means) == 4 * 3
    assert {row["low"] for row in means} == {None}
    assert {row["part"] for row in rows} == {"unchanged", "swapped"}


def test_differences_are_in_points():
    rows = [row for row in rows_of(gap_chart(evidence_rows()[2:])) if "arm" in row]
    assert [(row["arm"], row["mean"], row["high"]) for row in rows] == [("CAM-trained", 60.0, 70.0)] * 2


def test_the_histogram_counts_every_map_with_energy_and_marks_chance():
    rows = rows_of(energy_histogram(np.array([0.0, 0.02, 0.5, 1.0, NAN]), 0.25))
    assert sum(row.get("images", 0) for row in rows) == 4
    assert next(row["images"] for row in rows if row.get("low") == 0.0) == 2
    assert [row["chance"] for row in rows if "chance" in row] == [0.25]
    assert {row["below"] for row in rows if row.get("images") and row["low"] < 0.25} == {True}


def hidden(share: float, hot: float) -> HidingFigure:
    units = np.arange(10)
    right = rate(np.arange(10) < 10 * hot, units)
    return HidingFigure(
        share, rate(units >= 0, units), right, Figure(0.9, NAN, 1.0, 10, 0), Figure(0.9 - hot, 0, 1, 10, 0)
    )


def test_hiding_is_two_curves_from_the_whole_images_on():
    rows = rows_of(hiding_chart([hidden(0.1, 0.5), hidden(0.4, 0.1)]))
    curve = [(row["hidden"], row["accuracy"]) for row in rows if row["with"] == "the hot area hidden"]
    assert curve == [(0.0, 1.0), (0.1, 0.5), (0.4, 0.1)]
    assert [row["low"] for row in rows if row["with"] != "the hot area hidden"][1:] == [None, None]


def cams(maps: np.ndarray) -> Cams:
    count = len(maps)
    return Cams(
        "cam", "features", True, "prediction", "rest", ("a", "b"), np.array([str(i) for i in range(count)]),
        np.zeros(count, np.int64), np.zeros(count, np.int64), np.ones(count, np.float32), np.ones(count, np.float32),
        maps.astype(np.float32), (0.0, 0.0, 1.0, 1.0),
    )  # fmt: skip


@pytest.mark.parametrize("channels", [1, 3])
def test_a_tile_has_image_overlay_and_map_side_by_side(channels):
    pixels = np.full((channels, 8, 8), 100, np.uint8)
    strip = np.asarray(composed(pixels, cams(np.ones((1, 2, 2))), 0, "image, overlay, map", 1.0))
    assert strip.shape == (8, 8 * 3 + 2, 3)
    image, overlaid, alone = strip[:, :8], strip[:, 9:17], strip[:, 18:]
    assert (image == 100).all()
    assert (overlaid[..., 2] > overlaid[..., 0]).all()
    assert (alone == [0, 114, 178]).all()
    assert composed(pixels, cams(np.ones((1, 2, 2))), 0, "map", 1.0).size == (8, 8)


def test_a_mask_is_shaded_where_it_forbids():
    forbidden = np.zeros((4, 4))
    forbidden[:, 2:] = 1
    found = np.asarray(shaded(np.full((4, 4, 3), 200.0), forbidden))
    assert (found[:, :2] == 200).all()
    assert (found[:, 2:, 0] > found[:, 2:, 2]).all()


def test_a_grid_can_have_fewer_and_wider_columns():
    tiles = [Tile(str(place), "data:", "", "", False, False) for place in range(4)]
    rows = [row for row in rows_of(image_grid(tiles, 3)) if "sample_id" in row]
    assert [row["x"] for row in rows[:4]] == [0.5, 1.5, 2.5, 0.5]
    assert rows[3]["y"] > rows[0]["y"]
