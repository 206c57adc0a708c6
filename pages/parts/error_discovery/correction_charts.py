"""A correction as charts: each figure over the weight of the generated images, and classes before and after."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import altair as alt

from pages.parts.draw import finite
from pages.parts.error_discovery.words import ARM_COLOURS, ARM_TITLES

HEIGHT, BAND = 340, 24
FLAT = ("before", "continued", "identified")  # arms without a weight, drawn across


def weight_chart(rows: Sequence[dict[str, Any]], figure: str, chosen: float | None) -> alt.LayerChart | alt.FacetChart:
    """Rows: `arm`, `weight`, `mean`, `low`, `high` in [0, 1], `seeds`; `chosen` is the weight that is taken."""
    weights = sorted({row["weight"] for row in rows if row["arm"] not in FLAT}) or [0.1]
    ends = (weights[0] / 1.3, weights[-1] * 1.3)
    values = [
        {**row, "arm": ARM_TITLES[row["arm"]], "weight": weight,
         **{name: finite(row[name]) for name in ("mean", "low", "high")}}
        for row in rows
        for weight in (ends if row["arm"] in FLAT else (row["weight"],))
    ]  # fmt: skip
    arms = [name for name in ARM_TITLES if any(row["arm"] == name for row in rows)]
    axis = alt.Axis(values=weights, format="~g", grid=False)
    base = alt.Chart(alt.Data(values=values)).encode(
        x=alt.X("weight:Q", title="weight of generated images", scale=alt.Scale(type="log", domain=ends, nice=False),
                axis=axis),
        color=alt.Color(
            "arm:N", title=None, legend=alt.Legend(orient="bottom", columns=2, labelFontSize=10, symbolOpacity=1),
            scale=alt.Scale(domain=[ARM_TITLES[arm] for arm in arms], range=[ARM_COLOURS[arm] for arm in arms]),
        ),
    )  # fmt: skip
    y = alt.Scale(zero=False)
    bands = base.mark_area(opacity=0.15).encode(y=alt.Y("low:Q", title=figure, scale=y), y2="high:Q")
    lines = base.mark_line(point=True).encode(
        y=alt.Y("mean:Q", title=figure, scale=y, axis=alt.Axis(format=".3~p", tickCount=6)),
        tooltip=[
            alt.Tooltip("arm:N"), alt.Tooltip("weight:Q", format="~g"),
            *(alt.Tooltip(f"{name}:Q", format=".1%") for name in ("mean", "low", "high")), alt.Tooltip("seeds:Q"),
        ],
    )  # fmt: skip
    mark = alt.Chart(alt.Data(values=[{"weight": chosen}] if chosen is not None else []))
    dashed = mark.mark_rule(color="#999999", strokeDash=[4, 3]).encode(x="weight:Q")
    return alt.layer(dashed, alt.layer(bands, lines)).properties(height=HEIGHT)


def class_chart(rows: Sequence[dict[str, Any]]) -> alt.LayerChart | alt.FacetChart:
    """By how much each class's accuracy on test changed: `class`, `change`, `low`, `high` in [-1, 1]."""
    values = [{**row, **{name: finite(row[name]) for name in ("change", "low", "high")}} for row in rows]
    title = "change of accuracy on test, points"
    for row in values:
        row.update({name: None if row[name] is None else 100 * row[name] for name in ("change", "low", "high")})
    base = alt.Chart(alt.Data(values=values)).encode(
        y=alt.Y("class:N", sort=[row["class"] for row in rows], title=None, axis=alt.Axis(labelOverlap=False))
    )
    tooltip = [
        alt.Tooltip("class:N"), *(alt.Tooltip(f"{name}:Q", format="+.1f") for name in ("change", "low", "high"))
    ]  # fmt: skip
    spans = base.mark_rule(color="#0072B2").encode(x=alt.X("low:Q", title=title), x2="high:Q")
    points = base.mark_point(filled=True, size=70, color="#0072B2", opacity=1).encode(
        x=alt.X("change:Q", title=title, axis=alt.Axis(tickCount=8)), tooltip=tooltip
    )
    zero = alt.Chart(alt.Data(values=[{"change": 0}])).mark_rule(color="#999999", strokeDash=[3, 3])
    return alt.layer(zero.encode(x="change:Q"), alt.layer(spans, points)).properties(height=BAND * len(values) + 50)
