"""The search as charts: what each filter left, and what more noise brings and costs."""

from __future__ import annotations

from collections.abc import Sequence

import altair as alt
import numpy as np

from engine.methods.error_discovery.result import Calibration
from pages.parts.draw import finite

BLUE, ORANGE = "#0072B2", "#D55E00"
BAND = 28  # pixels a bar


def funnel_chart(funnel: Sequence[tuple[str, int]]) -> alt.LayerChart | alt.FacetChart:
    """How many were left after each of (name, count), in order."""
    rows = [
        {"step": name, "draws": count, "text": f"{count:,}", "share": count / before if before else 0.0}
        for (name, count), before in zip(funnel, [count for _, count in [*funnel[:1], *funnel[:-1]]], strict=True)
    ]
    base = alt.Chart(alt.Data(values=rows)).encode(
        y=alt.Y("step:N", sort=[name for name, _ in funnel], title=None,
                axis=alt.Axis(labelLimit=300, labelOverlap=False)),
        x=alt.X("draws:Q", title="images, then draws, that are left", scale=alt.Scale(type="symlog", constant=1),
                axis=alt.Axis(tickCount=5)),
        tooltip=[
            alt.Tooltip("step:N", title="after"), alt.Tooltip("draws:Q", format=",", title="left"),
            alt.Tooltip("share:Q", format=".1%", title="of those before"),
        ],
    )  # fmt: skip
    texts = base.mark_text(align="left", dx=4, color="#888888").encode(text="text:N")
    return alt.layer(base.mark_bar(color=BLUE), texts).properties(height=BAND * len(rows) + 60)


def calibration_chart(found: Calibration, chosen: float) -> alt.LayerChart | alt.FacetChart:
    """For each scale of the noise: the share of draws kept as errors, and of wrong ones that seem to keep their label.

    `chosen` is the scale that is searched with.
    """
    kept, preserved = "of all draws, kept as errors", "of wrong draws, label seems preserved"
    rows = [
        {"scale": float(scale), "of": kept, "share": count / max(draws, 1), "low": None, "high": None, "n": int(draws)}
        for scale, count, draws in zip(found.scales, found.kept.tolist(), found.draws.tolist(), strict=True)
    ] + [
        {"scale": float(scale), "of": preserved, "share": finite(share), "low": finite(low), "high": finite(high),
         "n": int(wrong)}
        for scale, share, low, high, wrong in zip(
            found.scales, found.preserved, found.preserved_low, found.preserved_high, found.wrong, strict=True)
    ]  # fmt: skip
    x = alt.X("scale:Q", title="scale of the noise, standard deviations")
    colour = alt.Color(
        "of:N", title=None, scale=alt.Scale(domain=[preserved, kept], range=[BLUE, ORANGE]),
        legend=alt.Legend(orient="top", columns=1, labelLimit=300),
    )  # fmt: skip
    base = alt.Chart(alt.Data(values=rows)).encode(x=x, color=colour)
    most = alt.Scale(domain=[0, float(np.nanmax([1e-9, *[row["high"] or row["share"] or 0 for row in rows]]))])
    tooltip = [
        alt.Tooltip("of:N"), alt.Tooltip("scale:Q"),
        *(alt.Tooltip(f"{name}:Q", format=".1%") for name in ("share", "low", "high")), alt.Tooltip("n:Q", format=","),
    ]  # fmt: skip
    title = "share"
    spans = base.mark_rule().encode(y=alt.Y("low:Q", title=title, scale=most), y2="high:Q")
    lines = base.mark_line(point=True).encode(
        y=alt.Y("share:Q", title=title, scale=most, axis=alt.Axis(format=".0%", tickCount=5)), tooltip=tooltip
    )
    mark = alt.Chart(alt.Data(values=[{"scale": chosen}])).mark_rule(color="#999999", strokeDash=[4, 3])
    return alt.layer(mark.encode(x=x), alt.layer(spans, lines)).properties(height=320)
