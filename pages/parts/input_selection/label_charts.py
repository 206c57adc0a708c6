"""Labels and layers as charts: rows in, charts out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import altair as alt

from pages.parts.draw import finite
from pages.parts.input_selection.words import VERDICT_COLOURS

ROW = 24  # pixels a label
PURPLE, GREY = "#CC79A7", "#888888"
TRAIN, DIAGNOSIS = "train", "diagnosis"
ROLE_COLOURS = {TRAIN: "#D55E00", DIAGNOSIS: "#0072B2"}


def label_chart(rows: Sequence[dict[str, Any]]) -> alt.LayerChart | alt.FacetChart:
    """Recall of each label on train and on diagnosis with intervals, the most severe first.

    rows: `label`, `verdict`, and for `train` and `diagnosis` the keys `<role>`, `<role>_low`, `<role>_high` in [0, 1]
    and `n <role>`.
    """
    values = [
        {"label": row["label"], "verdict": row["verdict"], "of": role, "recall": finite(row[role]),
         "low": finite(row[f"{role}_low"]), "high": finite(row[f"{role}_high"]), "n": row[f"n {role}"]}
        for row in rows
        for role in (TRAIN, DIAGNOSIS)
    ]  # fmt: skip
    order = [row["label"] for row in rows]
    y = alt.Y("label:N", sort=order, title=None, axis=alt.Axis(labelLimit=160, labelOverlap=False))
    x = alt.X("recall:Q", title="recall", scale=alt.Scale(domain=[0, 1]), axis=alt.Axis(format=".0%"))
    base = alt.Chart(alt.Data(values=values)).encode(y=y, yOffset=alt.YOffset("of:N", sort=[TRAIN, DIAGNOSIS]))
    there = {
        verdict: colour for verdict, colour in VERDICT_COLOURS.items() if verdict in {row["verdict"] for row in rows}
    }
    verdicts = alt.Color(
        "verdict:N", title=None, legend=alt.Legend(orient="top", columns=3),
        scale=alt.Scale(domain=list(there), range=list(there.values())),
    )  # fmt: skip
    shapes = alt.Shape(
        "of:N", title=None, legend=alt.Legend(orient="bottom", symbolFillColor=GREY, symbolStrokeColor=GREY),
        scale=alt.Scale(domain=[TRAIN, DIAGNOSIS], range=["triangle-right", "circle"]),
    )  # fmt: skip
    tooltip = [
        alt.Tooltip("label:N"), alt.Tooltip("verdict:N"), alt.Tooltip("of:N"),
        *(alt.Tooltip(f"{name}:Q", format=".1%") for name in ("recall", "low", "high")), alt.Tooltip("n:Q", format=","),
    ]  # fmt: skip
    spans = base.mark_rule(strokeWidth=1.5).encode(x=alt.X("low:Q", title="recall"), x2="high:Q", color=verdicts)
    points = base.mark_point(filled=True, size=60, opacity=1).encode(x=x, color=verdicts, shape=shapes, tooltip=tooltip)
    return alt.layer(spans, points).properties(height=ROW * len(rows) + 150)


def layer_chart(rows: Sequence[dict[str, Any]], chosen: str) -> alt.LayerChart | alt.FacetChart:
    """A label's recall read off each layer, on train and on diagnosis; the chosen layer is marked.

    rows: `tap`, `of` (train or diagnosis), `recall`, `low` and `high` in [0, 1], `n`.
    """
    values = [{**row, **{name: finite(row[name]) for name in ("recall", "low", "high")}} for row in rows]
    order = list(dict.fromkeys(row["tap"] for row in rows))
    x = alt.X("tap:N", sort=order, title="layer, first to last", axis=alt.Axis(labelAngle=-40, labelLimit=140))
    y = alt.Y("recall:Q", title="recall of a linear read-out", scale=alt.Scale(domain=[0, 1]),
              axis=alt.Axis(format=".0%"))  # fmt: skip
    there = {role: colour for role, colour in ROLE_COLOURS.items() if role in {row["of"] for row in rows}}
    colour = alt.Color(
        "of:N", title=None, legend=alt.Legend(orient="top"),
        scale=alt.Scale(domain=list(there), range=list(there.values())),
    )  # fmt: skip
    base = alt.Chart(alt.Data(values=values)).encode(x=x, color=colour)
    tooltip = [
        alt.Tooltip("tap:N", title="layer"), alt.Tooltip("of:N"),
        *(alt.Tooltip(f"{name}:Q", format=".1%") for name in ("recall", "low", "high")), alt.Tooltip("n:Q", format=","),
    ]  # fmt: skip
    spans = base.mark_rule().encode(y=alt.Y("low:Q", title="recall of a linear read-out"), y2="high:Q")
    lines = base.mark_line(point=True).encode(y=y, tooltip=tooltip)
    return alt.layer(dashed({"tap": chosen}).encode(x=x), alt.layer(spans, lines)).properties(height=320)


def gap_chart(rows: Sequence[dict[str, Any]], chosen: str, most: float) -> alt.LayerChart | alt.FacetChart:
    """How much better a label is read off each layer on train than on diagnosis; `most` is the threshold.

    rows: `tap`, `gap`, `low` and `high` in [-1, 1].
    """
    title = "gap, train less diagnosis"
    values = [{**row, **{name: finite(row[name]) for name in ("gap", "low", "high")}} for row in rows]
    x = alt.X("tap:N", sort=[row["tap"] for row in rows], title="layer, first to last",
              axis=alt.Axis(labelAngle=-40, labelLimit=140))  # fmt: skip
    base = alt.Chart(alt.Data(values=values)).encode(x=x)
    tooltip = [
        alt.Tooltip("tap:N", title="layer"),
        *(alt.Tooltip(f"{name}:Q", format="+.1%") for name in ("gap", "low", "high")),
    ]
    spans = base.mark_rule(color=PURPLE).encode(y=alt.Y("low:Q", title=title), y2="high:Q")
    lines = base.mark_line(point={"color": PURPLE}, color=PURPLE).encode(
        y=alt.Y("gap:Q", title=title, axis=alt.Axis(format="+.0%")), tooltip=tooltip
    )
    mark = dashed({"tap": chosen}).encode(x=x)
    threshold = dashed({"most": most}).encode(
        y=alt.Y("most:Q", title=title), tooltip=alt.Tooltip("most:Q", title="threshold", format=".0%")
    )
    return alt.layer(mark, threshold, spans, lines).properties(height=320)


def dashed(row: dict[str, Any]) -> alt.Chart:
    """A dashed line through the one place that the row names."""
    return alt.Chart(alt.Data(values=[row])).mark_rule(color="#999999", strokeDash=[4, 3], strokeWidth=2)
