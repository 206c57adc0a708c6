"""Do the answers rest on the hot area? Accuracy with it hidden, against an equal area hidden elsewhere."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import altair as alt
import streamlit as st

from engine.methods.cam_training import HIDING
from engine.methods.cam_training.hiding import HidingFigure, hiding_figures
from engine.methods.cam_training.sentences import what_hiding_showed
from engine.methods.cam_training.settings import HidingSettings
from engine.runs.run import Input
from engine.toolkit.tables import to_csv
from pages.parts.cam_training.scene import Scene
from pages.parts.draw import draw, finite
from pages.parts.run_panel import answered
from pages.parts.saving import captioned
from pages.parts.text import plain

ORANGE, GREY = "#D55E00", "#999999"
HOT, ELSEWHERE = "the hot area hidden", "an equal area elsewhere"


def hidden(scene: Scene) -> None:
    """Ask, and show two curves."""
    settings, inputs = HidingSettings(), {"cams": Input(scene.run_id, scene.cams)}
    found = answered(scene.bench, HIDING, scene.subject, settings, estimated(scene, settings), inputs=inputs)
    if found is None:
        return
    figures = hiding_figures(found)
    st.markdown(plain(what_hiding_showed(figures)))
    chart, key = hiding_chart(figures), scene.key("hiding")
    draw(chart, key, "Accuracy against the share of the image that is hidden")
    said = (
        f"n = {len(found.ids):,} labelled images; hidden with the image's own mean colour; elsewhere: the same shape "
        f"in {found.elsewhere.shape[2]} random places; bars are 95 % intervals."
    )
    captioned(chart, key, said, "hiding")
    rows = table_rows(figures)
    st.download_button(
        "Figures", data=lambda: to_csv(rows, tuple(rows[0])), file_name="hiding.csv", mime="text/csv",
        key=scene.key("hiding csv"), on_click="ignore", type="tertiary", icon=":material/download:",
    )  # fmt: skip


def estimated(scene: Scene, settings: HidingSettings) -> Callable[[], float]:
    """How long hiding takes, measured on a few images."""

    def seconds() -> float:
        from engine.methods.cam_training.estimate import seconds_of_hiding

        with scene.bench.quick(scene.subject) as quick:
            return seconds_of_hiding(quick, settings, scene.cams)

    return seconds


def table_rows(figures: Sequence[HidingFigure]) -> list[dict[str, object]]:
    """The figures as rows of a table."""
    return [
        {
            "share_hidden": each.share,
            "accuracy_before": each.before.value,
            "hot": each.hot.value,
            "hot_low": each.hot.low,
            "hot_high": each.hot.high,
            "elsewhere": each.elsewhere.mean,
            "elsewhere_low": each.elsewhere.low,
            "elsewhere_high": each.elsewhere.high,
            "difference": each.difference.mean,
            "difference_low": each.difference.low,
            "difference_high": each.difference.high,
            "n": each.before.n,
        }
        for each in figures
    ]


def hiding_chart(figures: Sequence[HidingFigure]) -> alt.LayerChart | alt.FacetChart:
    """Two curves from the accuracy of the whole images on."""
    before = figures[0].before
    points = [(0.0, name, before.value, before.low, before.high) for name in (HOT, ELSEWHERE)]
    for each in figures:
        points.append((each.share, HOT, each.hot.value, each.hot.low, each.hot.high))
        points.append((each.share, ELSEWHERE, each.elsewhere.mean, each.elsewhere.low, each.elsewhere.high))
    rows = [
        {"hidden": share, "with": name, "accuracy": finite(mean), "low": finite(low), "high": finite(high)}
        for share, name, mean, low, high in points
    ]
    base = alt.Chart(alt.Data(values=rows)).encode(
        x=alt.X("hidden:Q", title="share of the image that is hidden", axis=alt.Axis(format=".0%")),
        color=alt.Color(
            "with:N", scale=alt.Scale(domain=[HOT, ELSEWHERE], range=[ORANGE, GREY]), title=None,
            legend=alt.Legend(orient="top"),
        ),
    )  # fmt: skip
    y = alt.Y("accuracy:Q", title="accuracy", scale=alt.Scale(domain=[0, 1]), axis=alt.Axis(format=".0%"))
    tooltip = [
        alt.Tooltip("with:N"),
        alt.Tooltip("hidden:Q", format=".0%"),
        alt.Tooltip("accuracy:Q", format=".1%"),
        alt.Tooltip("low:Q", format=".1%", title="from"),
        alt.Tooltip("high:Q", format=".1%", title="to"),
    ]
    lines = base.mark_line(point=True).encode(y=y, tooltip=tooltip)
    bars = base.mark_rule().encode(y=alt.Y("low:Q", title="accuracy"), y2="high:Q")
    return alt.layer(alt.layer(bars, lines)).properties(height=260)
