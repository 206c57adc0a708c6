"""Charts of input optimization are pure: data in, chart out; told by their specification, which Altair checks here."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from engine.methods.input_optimization.comparison import BreakpointDifference
from engine.methods.input_optimization.curves import Flow, Point
from engine.methods.input_optimization.result import Breakpoint, Interaction
from pages.parts.input_optimization.map_charts import Dot, point_map, within_brush
from pages.parts.input_optimization.sweep_charts import (
    BEYOND,
    answer_flow,
    class_heat,
    curves,
    interaction_heat,
    mark,
    strip,
    strips,
)
from pages.parts.input_optimization.two_classifiers import dumbbells
from pages.parts.pictures import as_image, signed
from pages.parts.saving import as_svg
from pages.parts.tiles import Picture, picture_table
from tests.pages.conftest import inline_rows

BREAK = Breakpoint(
    family="rotation", sign=-1, scope="all", severity=0.5, low=0.4, high=float("inf"), reached=True, reached_share=0.97,
    other=0.45, other_low=0.3, other_high=0.6, verified=True, threshold=0.6, n=100, units=50, end=1.0,
)  # fmt: skip


def rows_of(chart) -> list[dict]:
    """The rows of all layers; making the specification checks it."""
    return inline_rows(chart.to_dict())


def selections_of(chart) -> dict[str, dict]:
    said = chart.to_dict()
    return {each["name"]: each["select"] for each in said.get("params", []) if "select" in each}


def test_strips_have_the_worst_family_on_top_and_every_breakpoint_s_mark():
    accuracy = {"rotation": [(-1, 0.2), (0, 0.9), (1, 0.3)], "gaussian_blur": [(0, 0.9), (1, 0.1)], "hue": [(0, 0.9)]}
    chart = strips(accuracy, [BREAK])
    rows = rows_of(chart)
    cells = [row for row in rows if "left" in row]
    assert len(cells) == 6
    order = chart.to_dict()["layer"][0]["encoding"]["y"]["sort"]
    assert order == ["Rotation", "Gaussian blur", "Hue"]
    (tick,) = {(row["severity"], row["low"], row["high"]) for row in rows if "verified" in row}
    assert tick == (-0.5, -0.4, -BEYOND)
    assert selections_of(chart)["family"]["fields"] == ["family"]


def test_the_cells_of_a_strip_meet_and_say_what_they_are():
    cells = strip("rotation", [(-1.0, 0.2), (-0.5, 0.5), (0.0, 0.9), (1.0, 0.3)])
    assert [cell["right"] for cell in cells[:-1]] == [cell["left"] for cell in cells[1:]]
    assert [cell["at"] for cell in cells] == [
        "45° clockwise",
        "22.5° clockwise",
        "no change",
        "45° counter-clockwise",
    ]


def test_a_breakpoint_without_an_interval_is_a_tick_alone():
    nothing = float("nan")
    said = {**BREAK.__dict__, "low": nothing, "high": nothing, "verified": None}
    shown = mark(Breakpoint(**said))
    assert shown["low"] == shown["high"] == shown["severity"] == -0.5
    assert shown["interval"] == "too few images for an interval"


def test_curves_carry_their_intervals_and_leave_out_what_is_not_known():
    points = {"hue": [Point(0.0, 0.0, 0.9, 0.8, 0.95, 20), Point(1.0, 180.0, float("nan"), 0, 1, 0)]}
    rows = rows_of(curves(points, "accuracy", [0.8, -0.2]))
    shown = {(row["severity"], row["mean"], row["low"], row["high"], row["n"]) for row in rows if "mean" in row}
    assert shown == {(0.0, 0.9, 0.8, 0.95, 20)}
    assert [row["y"] for row in rows if "y" in row] == [0.8]  # a rule below 0 is no line


def test_the_heat_map_by_label_has_a_cell_for_every_label_with_images():
    accuracy = np.array([[1.0, 0.5], [np.nan, np.nan], [0.25, 0.0]])
    rows = rows_of(class_heat("hue", ("a", "b", "c"), np.array([0.0, 1.0]), accuracy, np.array([4, 0, 8])))
    assert {(row["label"], row["value"], row["accuracy"], row["n"]) for row in rows} == {
        ("a", "0", 1.0, 4),
        ("a", "180", 0.5, 4),
        ("c", "0", 0.25, 8),
        ("c", "180", 0.0, 8),
    }


def test_the_flow_s_pieces_add_up_to_all_wrong_answers():
    counts = np.array([[0, 1, 0], [2, 3, 1]])
    found = Flow(np.array([0.0, 1.0]), counts, counts.sum(axis=1), 10)
    rows = rows_of(answer_flow("hue", 1, ("a", "b", "c"), found, most=3))
    for place, value in enumerate(("0", "180")):
        own = [row for row in rows if row["value"] == value]
        assert sum(row["images"] for row in own) == counts[place].sum()
    assert {row["answer"] for row in rows} == {"a", "b", "any other"}


def test_two_families_together_are_cells_that_meet_and_a_line():
    first, second = np.array([-1.0, 0.0, 1.0]), np.array([0.0, 0.5])
    accuracy = np.arange(6).reshape(3, 2) / 6
    found = Interaction(
        0, ("rotation", "gaussian_blur"), first, second, accuracy, np.array([[0, 0.3], [1, 0.1]]), 0, 0, 0
    )
    rows = rows_of(interaction_heat(found))
    cells = [row for row in rows if "accuracy" in row]
    assert len(cells) == 6
    assert sorted({(row["x"], row["x2"]) for row in cells}) == [(-1.5, -0.5), (-0.5, 0.5), (0.5, 1.5)]
    assert [(row["x"], row["y"]) for row in rows if "order" in row] == [(0, 0.3), (1, 0.1)]


DOTS = [
    Dot(0.0, 0.0, "first", "data:,a", {"label": "a", "number": 1.0}, "one way", 0.0),
    Dot(1.0, 2.0, "second", "data:,b", {"label": "b", "number": 2.0}, "one way", 1.0),
    Dot(5.0, 5.0, "third", "data:,c", {"label": "c", "number": 3.0}),
]


@pytest.mark.parametrize(("colour", "kind"), [("label", "nominal"), ("number", "quantitative")])
def test_a_map_has_every_point_with_its_picture_and_colour(colour, kind):
    said = point_map(DOTS, colour, [True, False, False]).to_dict()
    rows = {row["name"]: row for row in inline_rows(said)}
    assert [row["image"] for row in rows.values()] == ["data:,a", "data:,b", "data:,c"]
    assert [row["inside"] for row in rows.values()] == [True, False, False]
    assert said["layer"][1]["encoding"]["color"]["type"] == kind


def test_what_is_brushed_is_what_lies_in_the_rectangle():
    assert within_brush(DOTS, {"selection": {"brush": {"x": [1.5, -1], "y": [-1, 3]}}}) == [0, 1]
    assert within_brush(DOTS, {"selection": {"brush": {}}}) == []
    assert within_brush(DOTS, {"selection": {}}) == []


def test_a_table_of_pictures_sends_each_once():
    places = [(row, column) for row in (0, 1) for column in (0, 1)]
    pictures = [
        Picture(row, column, f"data:,{row}{column}", "c", "h", False, f"{row} {column}") for row, column in places
    ]
    chart = picture_table(pictures, ["a", "b"], ["first", "second"], 40, "1 1")
    rows = [row for row in rows_of(chart) if "image" in row]
    assert [row["image"] for row in rows] == ["data:,00", "data:,01", "data:,10", "data:,11"]
    assert [row["picked"] for row in rows] == [False, False, False, True]
    assert [row["text"] for row in rows_of(chart) if "text" in row] == ["a", "b", "first", "second"]


def test_a_signed_change_is_white_where_nothing_changes_blue_where_light_is_added_orange_where_it_goes():
    change = np.zeros((3, 1, 3))
    change[:, 0, 1], change[:, 0, 2] = 0.5, -0.5
    pixels = np.asarray(signed(change, 0.5))
    assert pixels[0].tolist() == [[255, 255, 255], [0, 114, 178], [213, 94, 0]]
    assert np.asarray(signed(np.zeros((1, 2, 2)), 0.0)).min() == 255


def test_grey_and_coloured_pixels_become_images():
    assert as_image(np.zeros((4, 5, 1), np.uint8)).mode == "L"
    assert as_image(np.zeros((4, 5, 3), np.uint8)).size == (5, 4)


def test_two_classifiers_are_two_points_a_side_a_side_that_never_breaks_at_the_end():
    nothing = float("nan")
    one = BreakpointDifference(
        family="rotation", sign=1, first=0.4, first_low=0.3, first_high=0.5, first_reached=True, second=nothing,
        second_low=0.9, second_high=nothing, second_reached=False, difference=0.6, low=0.4, high=0.7, p=0.001,
        significant=True, n=100, units=100, end=1.0,
    )  # fmt: skip
    rows = rows_of(dumbbells([one], ("mine", "other")))
    assert {(row["side"], row["classifier"], row["breaks"]) for row in rows} == {
        ("Rotation, counter-clockwise", "mine", 0.4),
        ("Rotation, counter-clockwise", "other", 1.0),
    }


def test_a_chart_is_saved_as_svg_with_its_pictures():
    buffer = io.BytesIO()
    Image.new("L", (8, 8), 128).save(buffer, "PNG")
    import base64

    url = "data:image/png;base64," + base64.b64encode(buffer.getvalue()).decode()
    chart = picture_table([Picture(0, 0, url, "c", "h", False)], ["a"], ["b"], 40)
    svg = as_svg(chart.to_dict()).decode()
    assert svg.startswith("<svg")
    assert url in svg
