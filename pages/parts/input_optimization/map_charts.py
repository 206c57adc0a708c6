"""Maps of transforms and of images: data in, chart out. Dragging selects under the name `brush`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import altair as alt

from pages.parts.input_optimization.sweep_charts import PALETTE

HEIGHT = 400


@dataclass(frozen=True)
class Dot:
    """A point of a map: where it is, what it is called, its picture (a data URL), and what may colour it.

    `path` names the points that a line joins, in the order of `order`; "" where none does.
    """

    x: float
    y: float
    name: str
    picture: str
    colours: Mapping[str, Any]
    path: str = ""
    order: float = 0.0


def point_map(
    dots: Sequence[Dot], colour: str, inside: Sequence[bool] | None = None
) -> alt.LayerChart | alt.FacetChart:
    """The points, coloured by one of their `colours`, the picture on hover; those not `inside` a choice are faint."""
    within = inside if inside is not None else [True] * len(dots)
    rows = [
        {
            "x": dot.x,
            "y": dot.y,
            "name": dot.name,
            "image": dot.picture,
            "colour": dot.colours[colour],
            "path": dot.path,
            "order": dot.order,
            "inside": here,
        }
        for dot, here in zip(dots, within, strict=True)
    ]
    bare, scale = alt.Axis(labels=False, ticks=False), alt.Scale(zero=False)
    base = alt.Chart(alt.Data(values=rows)).encode(
        x=alt.X("x:Q", title=None, axis=bare, scale=scale), y=alt.Y("y:Q", title=None, axis=bare, scale=scale)
    )
    paths = base.transform_filter("datum.path != ''").mark_line(strokeWidth=1, opacity=0.5, color="#888888")
    brush = alt.selection_interval(name="brush")
    points = (
        base.mark_circle(size=90, stroke="#1C1917", strokeWidth=0.4)
        .encode(
            color=coloured(rows, colour),
            opacity=alt.condition("datum.inside", alt.value(0.95), alt.value(0.15)),
            tooltip=[alt.Tooltip("image:N"), alt.Tooltip("name:N"), alt.Tooltip("colour:N", title=colour)],
        )
        .add_params(brush)
    )
    return alt.layer(paths.encode(detail="path:N", order="order:Q"), points).properties(height=HEIGHT)


def coloured(rows: Sequence[Mapping[str, Any]], title: str) -> alt.Color:
    """Numbers get a ramp, names a hue each."""
    values = [row["colour"] for row in rows]
    if all(isinstance(value, (int, float)) for value in values):
        return alt.Color("colour:Q", title=title, scale=alt.Scale(scheme="viridis"))
    domain = sorted({str(value) for value in values}, key=lambda name: (len(name), name))
    return alt.Color(
        "colour:N",
        title=title,
        scale=alt.Scale(domain=domain, range=PALETTE),
        sort=domain,
        legend=alt.Legend(symbolStrokeWidth=0),
    )


def within_brush(dots: Sequence[Dot], event: Mapping[str, Any]) -> list[int]:
    """The numbers of the points that lie in the brushed rectangle; none where nothing is brushed."""
    brush = event["selection"].get("brush") or {}
    if not {"x", "y"} <= set(brush):
        return []
    (left, right), (low, high) = sorted(brush["x"]), sorted(brush["y"])
    return [place for place, dot in enumerate(dots) if left <= dot.x <= right and low <= dot.y <= high]
