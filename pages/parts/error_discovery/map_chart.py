"""Errors among real images as points: data in, chart out. Dragging selects under the name `brush`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import altair as alt

HEIGHT = 460
PALETTE = ["#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00", "#8C6BB1", "#6B7F2A", "#8B4A2B", "#444444"]
REST, PALE = "others", "#B9A79A"
NUMBERED = 12  # regions; more numbers would hide what they name


@dataclass(frozen=True)
class Point:
    """A point of the map: where it is, what it is called, its picture (a data URL), and what colours it.

    `region` is its region's number, -1 for none; real images that are no errors are drawn small and grey.
    """

    x: float
    y: float
    name: str
    picture: str
    colour: str
    error: bool
    region: int = -1


def code_chart(points: Sequence[Point], title: str, colours: Sequence[str]) -> alt.LayerChart | alt.FacetChart:
    """All points, errors as diamonds in one of `colours` above the rest, regions' numbers at their middles."""
    rows = [
        {
            "x": each.x,
            "y": each.y,
            "name": each.name,
            "image": each.picture,
            "colour": each.colour if each.colour in colours else REST,
        }
        for each in points
        if each.error
    ]
    rows.sort(key=lambda row: row["colour"] != REST)  # those with a colour of their own on top
    grey = [{"x": each.x, "y": each.y, "name": each.name, "image": each.picture} for each in points if not each.error]
    bare, scale = alt.Axis(labels=False, ticks=False), alt.Scale(zero=False)
    where = {
        "x": alt.X("x:Q", title=None, axis=bare, scale=scale),
        "y": alt.Y("y:Q", title=None, axis=bare, scale=scale),
    }
    tooltip = [alt.Tooltip("image:N"), alt.Tooltip("name:N")]
    real = alt.Chart(alt.Data(values=grey)).mark_circle(size=26, color="#999999", opacity=0.45)
    marks = alt.Chart(alt.Data(values=rows)).mark_point(
        shape="diamond", filled=True, size=70, stroke="#1C1917", strokeWidth=0.3, opacity=0.9
    )
    hue = alt.Color(
        "colour:N", title=title, sort=list(colours),
        scale=alt.Scale(
            domain=list(colours),
            range=[PALE if name == REST else hue for name, hue in zip(colours, PALETTE, strict=False)],
        ),
        legend=alt.Legend(symbolStrokeWidth=0, labelLimit=180),
    )  # fmt: skip
    numbers = alt.Chart(alt.Data(values=middles(points))).mark_text(
        fontSize=13, fontWeight="bold", color="#1C1917", stroke="#FFFFFF", strokeWidth=0.6
    )
    errors = marks.encode(**where, color=hue, tooltip=tooltip).add_params(alt.selection_interval(name="brush"))
    return alt.layer(real.encode(**where, tooltip=tooltip), errors, numbers.encode(**where, text="text:N")).properties(
        height=HEIGHT
    )


def middles(points: Sequence[Point]) -> list[dict[str, Any]]:
    """Where the numbers of the largest regions stand: at the mean of their points."""
    found: dict[int, list[Point]] = {}
    for each in points:
        if each.region >= 0:
            found.setdefault(each.region, []).append(each)
    largest = sorted(found, key=lambda region: -len(found[region]))[:NUMBERED]
    return [
        {
            "x": sum(each.x for each in found[region]) / len(found[region]),
            "y": sum(each.y for each in found[region]) / len(found[region]),
            "text": str(region),
        }
        for region in largest
    ]


def brushed(points: Sequence[Point], event: Mapping[str, Any] | None) -> list[int]:
    """The numbers of the points in the brushed rectangle; none where nothing is brushed."""
    brush = (event["selection"].get("brush") or {}) if event else {}
    if not {"x", "y"} <= set(brush):
        return []
    (left, right), (low, high) = sorted(brush["x"]), sorted(brush["y"])
    return [place for place, each in enumerate(points) if left <= each.x <= right and low <= each.y <= high]
