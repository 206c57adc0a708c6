"""Labels and layers as charts: rows in, charts out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import altair as alt

from pages.parts.draw import finite
from pages.parts.input_selection.words import VERDICT_COLOURS

ROW = 24  # pixels a label
BLUE, ORANGE = "#0072B2", "#D55E00"
TRAIN, DIAGNOSIS = "train", "diagnosis"


def label_chart(rows: Sequence[dict[str, Any]]) -> alt.LayerChart | alt.FacetChart:
    """Recall of each label on train and on diagnosis with intervals, the most severe first.

    rows: `label`, `verdict`, and for `train` and `diagnosis` the keys `<role>`, `<role>_low`, `<role>_high` in [0, 1].
    """
    values = [
        {"label": row["label"], "verdict": row["verdict"], "of": role, "recall": finite(row[role]),
         "low": finite(row[f"{role}_low"]), "high": finite(row[f"{role}_high"])}
        for row in rows
        for role in (TRAIN, DIAGNOSIS)
    ]  # fmt: skip
    order = [row["label"] for row in rows]
    y = alt.Y("label:N", sort=order, title=None, axis=alt.Axis(labelLimit=160, labelOverlap=False))
    x = alt.X("recall:Q", title="recall", scale=alt.Scale(domain=[0, 1]), axis=alt.Axis(format=".0%"))
    base = alt.Chart(alt.Data(values=values)).encode(y=y)
    verdicts = alt.Color(
        "verdict:N", title=None, legend=alt.Legend(orient="top"),
        scale=alt.Scale(domain=list(VERDICT_COLOURS), range=list(VERDICT_COLOURS.values())),
    )  # fmt: skip
    shapes = alt.Shape(
        "of:N", title=None, legend=alt.Legend(orient="top"),
        scale=alt.Scale(domain=[TRAIN, DIAGNOSIS], range=["triangle-right", "circle"]),
    )  # fmt: skip
    tooltip = [
        alt.Tooltip("label:N"), alt.Tooltip("verdict:N"), alt.Tooltip("of:N"),
        *(alt.Tooltip(f"{name}:Q", format=".1%") for name in ("recall", "low", "high")),
    ]  # fmt: skip
    spans = base.mark_rule(strokeWidth=1.5).encode(x=alt.X("low:Q", title="recall"), x2="high:Q", color=verdicts)
    points = base.mark_point(filled=True, size=80, opacity=1).encode(x=x, color=verdicts, shape=shapes, tooltip=tooltip)
    return alt.layer(spans, points).properties(height=ROW * len(rows) + 70)


def layer_chart(rows: Sequence[dict[str, Any]], chosen: str) -> alt.LayerChart | alt.FacetChart:
    """A label's recall read off each layer, on train and on diagnosis; the chosen layer is marked.

    rows: `tap`, `of` (train or diagnosis), `recall`, `low` and `high` in [0, 1].
    """
    values = [{**row, **{name: finite(row[name]) for name in ("recall", "low", "high")}} for row in rows]
    order = list(dict.fromkeys(row["tap"] for row in rows))
    x = alt.X("tap:N", sort=order, title="layer, first to last", axis=alt.Axis(labelAngle=-40, labelLimit=140))
    y = alt.Y("recall:Q", title="recall of a linear read-out", scale=alt.Scale(domain=[0, 1]),
              axis=alt.Axis(format=".0%"))  # fmt: skip
    colour = alt.Color(
        "of:N", title=None, legend=alt.Legend(orient="top"),
        scale=alt.Scale(domain=[TRAIN, DIAGNOSIS], range=[ORANGE, BLUE]),
    )  # fmt: skip
    base = alt.Chart(alt.Data(values=values)).encode(x=x, color=colour)
    tooltip = [
        alt.Tooltip("tap:N", title="layer"), alt.Tooltip("of:N"),
        *(alt.Tooltip(f"{name}:Q", format=".1%") for name in ("recall", "low", "high")),
    ]  # fmt: skip
    spans = base.mark_rule().encode(y=alt.Y("low:Q", title="recall of a linear read-out"), y2="high:Q")
    lines = base.mark_line(point=True).encode(y=y, tooltip=tooltip)
    mark = alt.Chart(alt.Data(values=[{"tap": chosen}])).mark_rule(color="#999999", strokeDash=[4, 3], strokeWidth=2)
    return alt.layer(mark.encode(x=x), alt.layer(spans, lines)).properties(height=280)
