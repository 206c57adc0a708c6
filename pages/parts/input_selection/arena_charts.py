"""A comparison of strategies as charts: differences to chance, and curves over rounds."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import altair as alt

from pages.parts.draw import finite

ROW = 34  # pixels an arm
COLOURS = ["#999999", "#0072B2"]  # against any, against the same labels


def gap_chart(rows: Sequence[dict[str, Any]], figure: str, share: bool) -> alt.LayerChart | alt.FacetChart:
    """Differences to each control: `arm`, `control`, `mean`, `low`, `high`, `p`, `seeds`; of a `share` or a count."""
    values = [{**row, **{name: finite(row[name]) for name in ("mean", "low", "high", "p")}} for row in rows]
    controls = list(dict.fromkeys(row["control"] for row in rows))
    title = f"{figure}, more than the control"
    base = alt.Chart(alt.Data(values=values)).encode(
        y=alt.Y("arm:N", sort=list(dict.fromkeys(row["arm"] for row in rows)), title=None,
                axis=alt.Axis(labelLimit=290, labelOverlap=False)),
        yOffset=alt.YOffset("control:N", sort=controls),
        color=alt.Color("control:N", title="against", legend=alt.Legend(orient="top", columns=1, labelLimit=300),
                        scale=alt.Scale(domain=controls, range=COLOURS[: len(controls)])),
    )  # fmt: skip
    tooltip = [
        alt.Tooltip("arm:N"), alt.Tooltip("control:N", title="against"),
        *(alt.Tooltip(f"{name}:Q", format="+.1%" if share else "+.1f") for name in ("mean", "low", "high")),
        alt.Tooltip("p:Q", format=".2g"), alt.Tooltip("seeds:Q"),
    ]  # fmt: skip
    spans = base.mark_rule(strokeWidth=2).encode(x=alt.X("low:Q", title=title), x2="high:Q")
    points = base.mark_point(filled=True, size=80, opacity=1).encode(
        x=alt.X("mean:Q", title=title, axis=alt.Axis(format="+.3~p" if share else "+~g", tickCount=6)), tooltip=tooltip
    )
    zero = alt.Chart(alt.Data(values=[{"mean": 0}])).mark_rule(color="#999999", strokeDash=[3, 3]).encode(x="mean:Q")
    return alt.layer(zero, alt.layer(spans, points)).properties(height=ROW * len({row["arm"] for row in rows}) + 140)


def curve_chart(rows: Sequence[dict[str, Any]], figure: str, share: bool) -> alt.LayerChart | alt.FacetChart:
    """A figure after each round, a `share` or a count: `arm`, `round`, `mean`, `low`, `high`."""
    values = [{**row, **{name: finite(row[name]) for name in ("mean", "low", "high")}} for row in rows]
    base = alt.Chart(alt.Data(values=values)).encode(
        x=alt.X("round:Q", title="round", axis=alt.Axis(tickMinStep=1)),
        color=alt.Color("arm:N", sort=list(dict.fromkeys(row["arm"] for row in rows)), title=None,
                        legend=alt.Legend(orient="top", columns=1, labelLimit=340, labelFontSize=10)),
    )  # fmt: skip
    tooltip = [
        alt.Tooltip("arm:N"), alt.Tooltip("round:Q"),
        *(alt.Tooltip(f"{name}:Q", format=".1%" if share else ".1f") for name in ("mean", "low", "high")),
    ]  # fmt: skip
    y = alt.Y("mean:Q", title=figure, scale=alt.Scale(zero=False), axis=alt.Axis(format=".3~p" if share else "~g"))
    bands = base.mark_errorbar().encode(y=alt.Y("low:Q", title=figure), y2="high:Q")
    lines = base.mark_line(point=True).encode(y=y, tooltip=tooltip)
    return alt.layer(bands, lines).properties(height=280 + 20 * len({row["arm"] for row in rows}))
