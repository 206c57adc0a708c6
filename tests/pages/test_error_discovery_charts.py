"""Charts of error discovery are pure: data in, chart out; told by their specification, which Altair checks here."""

from __future__ import annotations

import json

import numpy as np
import pytest

from engine.methods.error_discovery.result import Calibration
from pages.parts.error_discovery.correction_charts import class_chart, weight_chart
from pages.parts.error_discovery.deciding import key_of
from pages.parts.error_discovery.generator_charts import gate_chart, loss_chart, used_chart
from pages.parts.error_discovery.map_chart import REST, Point, brushed, code_chart
from pages.parts.error_discovery.search_charts import calibration_chart, funnel_chart
from tests.pages.conftest import inline_rows

NAN = float("nan")


def rows_of(chart) -> list[dict]:
    """The rows of all layers; making the specification checks it, and it must be JSON as browsers read it."""
    said = chart.to_dict()
    json.dumps(said, allow_nan=False)
    return inline_rows(said)


def test_the_gate_has_two_marks_a_class_in_the_order_given():
    rows = [
        {"class": name, "of": of, "value": value, "low": NAN, "high": 1.0, "n": 4}
        for name, value in (("b", 0.5), ("a", NAN))
        for of in ("real images", "their reconstructions")
    ]
    found = rows_of(gate_chart(rows))
    assert [(row["class"], row["value"]) for row in found] == [("b", 0.5), ("b", 0.5), ("a", None), ("a", None)]
    assert {row["low"] for row in found} == {None}


def test_the_loss_has_a_line_each_and_marks_the_epoch_that_is_kept():
    curves = {"reconstruction": [3.0, 2.0], "divergence": [0.0, 1.0], "validation": [NAN, 3.5]}
    rows = rows_of(loss_chart(curves, best=1))
    assert {"epoch": 2} in rows
    assert [row["nats"] for row in rows if row.get("of") == "validation"] == [None, 3.5]
    assert not [row for row in rows_of(loss_chart(curves)) if "of" not in row]


def test_dimensions_are_told_with_what_carries_most_first():
    rows = [row for row in rows_of(used_chart([0.001, 2.0, 0.5])) if "dimension" in row]
    assert [row["dimension"] for row in rows] == ["2", "3", "1"]


def test_the_funnel_tells_what_each_filter_left_of_those_before():
    rows = rows_of(funnel_chart([("tried", 1000), ("wrong", 100), ("kept", 25), ("none", 0), ("after", 0)]))
    assert [row["share"] for row in rows] == [1.0, 0.1, 0.25, 0.0, 0.0]
    assert rows[1]["text"] == "100"


def calibration(**changes) -> Calibration:
    values = {
        "scales": np.array([0.1, 0.3]), "draws": np.array([100, 100]), "wrong": np.array([0, 20]),
        "kept": np.array([0, 5]), "preserved": np.array([NAN, 0.5]), "preserved_low": np.array([NAN, 0.3]),
        "preserved_high": np.array([NAN, 0.7]), "example_codes": np.zeros((2, 12, 3), np.float32),
        "example_labels": np.full((2, 12), -1), "example_predictions": np.full((2, 12), -1),
    }  # fmt: skip
    return Calibration(**(values | changes))


def test_calibration_has_yield_and_preservation_at_each_scale():
    rows = [row for row in rows_of(calibration_chart(calibration(), 0.3)) if "of" in row]
    assert [(row["scale"], row["share"]) for row in rows] == [(0.1, 0.0), (0.3, 0.05), (0.1, None), (0.3, 0.5)]
    assert rows[-1]["n"] == 20


POINTS = [
    Point(0.0, 0.0, "real", "data:a", "", error=False),
    Point(1.0, 1.0, "an error", "data:b", "0: 3 → 5", error=True, region=0),
    Point(3.0, 1.0, "an error", "data:c", "0: 3 → 5", error=True, region=0),
    Point(9.0, 9.0, "an error", "data:d", REST, error=True),
]


def test_the_map_shows_each_point_once_and_a_region_at_its_middle():
    rows = rows_of(code_chart(POINTS, "region", ["0: 3 → 5", REST]))
    assert len([row for row in rows if "image" in row]) == 4
    assert [row for row in rows if "text" in row] == [{"x": 2.0, "y": 1.0, "text": "0"}]


@pytest.mark.parametrize(
    ("brush", "inside"),
    [
        ({"x": [3.5, 0.5], "y": [2, 0]}, [1, 2]),
        ({}, []),
        ({"x": [0, 9]}, []),
        ({"x": [0, 9], "y": [0, 9]}, [0, 1, 2, 3]),
    ],
)
def test_a_brush_holds_the_points_in_its_rectangle(brush, inside):
    assert brushed(POINTS, {"selection": {"brush": brush}}) == inside
    assert brushed(POINTS, None) == []


def test_arms_without_a_weight_go_across_and_the_others_over_it():
    rows = [
        {"arm": arm, "weight": weight, "mean": 0.9, "low": NAN, "high": NAN, "seeds": 1}
        for arm, weight in (("before", 0.0), ("regions", 0.1), ("regions", 1.0))
    ]
    found = [row for row in rows_of(weight_chart(rows, "right", 0.1)) if "mean" in row]
    weights = {arm: sorted(row["weight"] for row in found if row["arm"] == arm) for arm in {r["arm"] for r in found}}
    assert weights["labelled regions"] == [0.1, 1.0]
    assert weights["before"][0] < 0.1
    assert weights["before"][-1] > 1.0


def test_changes_of_classes_are_in_points():
    rows = [{"class": "a", "change": -0.02, "low": -0.05, "high": NAN}]
    found = [row for row in rows_of(class_chart(rows)) if "class" in row]
    assert [(row["change"], row["low"], row["high"]) for row in found] == [(-2.0, -5.0, None)]


@pytest.mark.parametrize(
    ("classes", "keys"),
    [
        (tuple("0123456789"), list("0123456789")),
        (("cat", "dog"), ["1", "2"]),
        (tuple(f"c{number}" for number in range(11)), [*map(str, range(1, 10)), None, None]),
        (("1", "2", "twelve"), ["1", "2", "3"]),
    ],
)
def test_each_class_has_its_own_key_as_far_as_there_are_digits(classes, keys):
    assert [key_of(label, classes) for label in range(len(classes))] == keys
