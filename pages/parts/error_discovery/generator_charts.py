"""A generator as charts: what is lost by rebuilding, how its training went, what its dimensions carry."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import altair as alt

from pages.parts.draw import finite

REAL, REBUILT = "real images", "their reconstructions"
BLUE, ORANGE, GREEN = "#0072B2", "#D55E00", "#009E73"
BAND = 26  # pixels a class
USED = 0.01  # nats, below which a dimension carries nothing


def gate_chart(rows: Sequence[dict[str, Any]]) -> alt.LayerChart | alt.FacetChart:
    """Accuracy of each class on real images and on reconstructions: `class`, `of`, `value`, `low`, `high`, `n`."""
    values = [{**row, **{name: finite(row[name]) for name in ("value", "low", "high")}} for row in rows]
    order = list(dict.fromkeys(row["class"] for row in rows))
    scale = alt.Scale(domain=[0, 1])
    base = alt.Chart(alt.Data(values=values)).encode(
        y=alt.Y("class:N", sort=order, title=None, axis=alt.Axis(labelLimit=160, labelOverlap=False)),
        yOffset=alt.YOffset("of:N", sort=[REAL, REBUILT]),
        color=alt.Color(
            "of:N", title=None, legend=alt.Legend(orient="top"),
            scale=alt.Scale(domain=[REAL, REBUILT], range=[BLUE, ORANGE]),
        ),
    )  # fmt: skip
    tooltip = [
        alt.Tooltip("class:N"), alt.Tooltip("of:N"),
        *(alt.Tooltip(f"{name}:Q", format=".1%") for name in ("value", "low", "high")), alt.Tooltip("n:Q"),
    ]  # fmt: skip
    spans = base.mark_rule(strokeWidth=1.5).encode(x=alt.X("low:Q", title="accuracy", scale=scale), x2="high:Q")
    points = base.mark_point(filled=True, size=70, opacity=1).encode(
        x=alt.X("value:Q", title="accuracy", scale=scale, axis=alt.Axis(format=".0%", tickCount=6)), tooltip=tooltip
    )
    return alt.layer(spans, points).properties(height=BAND * len(order) + 70)


def loss_chart(curves: dict[str, Sequence[float]], best: int | None = None) -> alt.LayerChart | alt.FacetChart:
    """Nats an image by epoch: `reconstruction`, `divergence`, `validation`; `best` is the epoch that is kept."""
    colours = {"reconstruction": BLUE, "divergence": GREEN, "validation": ORANGE}
    rows = [
        {"epoch": epoch, "of": name, "nats": finite(value)}
        for name in colours
        for epoch, value in enumerate(curves.get(name, ()), start=1)
    ]
    x = alt.X("epoch:Q", title="epoch", axis=alt.Axis(tickMinStep=1))
    lines = alt.Chart(alt.Data(values=rows)).mark_line().encode(
        x=x,
        y=alt.Y("nats:Q", title="nats an image", scale=alt.Scale(zero=False)),
        color=alt.Color(
            "of:N", title=None, legend=alt.Legend(orient="top"),
            scale=alt.Scale(domain=list(colours), range=list(colours.values())),
        ),
        tooltip=[alt.Tooltip("of:N"), alt.Tooltip("epoch:Q"), alt.Tooltip("nats:Q", format=".1f")],
    )  # fmt: skip
    marks = [] if best is None else [{"epoch": best + 1}]
    mark = alt.Chart(alt.Data(values=marks)).mark_rule(color="#999999", strokeDash=[4, 3]).encode(x=x)
    return alt.layer(mark, lines).properties(height=260)


def used_chart(used: Sequence[float]) -> alt.LayerChart | alt.FacetChart:
    """What each dimension of the code carries, in nats, most first; those below the dashed line carry nothing."""
    order = sorted(range(len(used)), key=lambda place: -used[place])
    rows = [{"dimension": f"{place + 1}", "nats": finite(used[place])} for place in order]
    base = alt.Chart(alt.Data(values=rows))
    bars = base.mark_bar(color=BLUE).encode(
        x=alt.X("dimension:N", sort=[f"{place + 1}" for place in order], title="dimension of the code"),
        y=alt.Y("nats:Q", title="nats an image"),
        tooltip=[alt.Tooltip("dimension:N"), alt.Tooltip("nats:Q", format=".3f")],
    )
    line = alt.Chart(alt.Data(values=[{"nats": USED}])).mark_rule(color="#999999", strokeDash=[4, 3])
    return alt.layer(bars, line.encode(y="nats:Q")).properties(height=260)
