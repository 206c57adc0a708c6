"""How well the maps stay where they may be: a sentence, the figures, their spread, and each label."""

from __future__ import annotations

import altair as alt
import numpy as np
import streamlit as st

from engine.methods.cam_training.figure import Figure
from engine.methods.cam_training.localisation import Summary, by_label, summary
from engine.methods.cam_training.rules import RULES
from engine.methods.cam_training.sentences import how_it_was_seen, what_comes_from_outside, where_it_looks
from engine.toolkit.tables import to_csv
from pages.parts.cam_training.scene import Scene
from pages.parts.charts import RIGHT, WRONG
from pages.parts.draw import draw
from pages.parts.saving import captioned
from pages.parts.text import plain

BINS = 20
MEANINGS = {
    "energy": ("Energy inside", "the allowed part's share of all evidence for it"),
    "corrected": ("Against chance", "the same with the allowed area taken for chance: 0 % as by chance, 100 % at best"),
    "pointing": ("Pointing game", "the share of images whose hottest cell is allowed"),
    "iou": ("IoU", "of the cells above half of the hottest and the allowed ones: both over either"),
    "outside": (
        "From outside",
        "the forbidden cells' share of what the map adds up to",
    ),
}


def sentence(scene: Scene) -> None:
    """What the maps say, in words."""
    if scene.places is not None:
        whole = summary(scene.places, scene.units)
        st.markdown(plain(where_it_looks(scene.cams, whole)))
        if outside := what_comes_from_outside(scene.cams, whole):
            st.markdown(plain(outside))
    st.caption(plain(how_it_was_seen(scene.cams)))


def figures(scene: Scene) -> None:
    """The figures in a row, a histogram, and the labels' table."""
    if scene.places is None:
        st.info("Set a mask above to measure whether it looks at the right place.")
        return
    whole = summary(scene.places, scene.units)
    with st.container(horizontal=True):
        for name, (title, meaning) in MEANINGS.items():
            if name != "outside" or RULES[scene.cams.method].adds_up:
                metric(title, getattr(whole, name), meaning)
    missing = f"; {whole.energy.missing:,} maps have nothing to measure" if whole.energy.missing else ""
    st.caption(f"{whole.area.mean:.0%} of the area is allowed; ranges are 95 % intervals{missing}.")
    left, right = st.columns([2, 3], gap="medium")
    with left:
        chart, key = energy_histogram(scene.places.energy, whole.area.mean), scene.key("energy histogram")
        draw(chart, key, "Share of the evidence inside, by number of images")
        captioned(chart, key, "Grey: the allowed share of the area, what chance would give.", "energy-inside")
    with right:
        table(scene)


def metric(title: str, found: Figure, meaning: str) -> None:
    """One figure with its interval below."""
    there = bool(found.n)
    st.metric(
        title,
        f"{found.mean:.0%}" if there else "unknown",
        f"{found.low:.0%} to {found.high:.0%}, n = {found.n:,}" if there else "no map has any",
        delta_color="off",
        delta_arrow="off",
        help=meaning,
        width=175,
    )


def energy_histogram(energy: np.ndarray, chance: float) -> alt.LayerChart | alt.FacetChart:
    """How many images have how much of their evidence inside; energy (N,) in [0, 1] or NaN."""
    counts, edges = np.histogram(energy[np.isfinite(energy)], BINS, (0, 1))
    rows = [
        {
            "low": float(low),
            "high": float(low + 1 / BINS),
            "images": int(count),
            "below": bool(low + 0.5 / BINS < chance),
        }
        for low, count in zip(edges[:-1], counts, strict=True)
    ]
    bars = (
        alt.Chart(alt.Data(values=rows), title=f"Energy inside, n = {int(counts.sum()):,}")
        .mark_bar()
        .encode(
            x=alt.X("low:Q", title="share of the evidence inside", bin="binned", scale=alt.Scale(domain=[0, 1])),
            x2="high:Q",
            y=alt.Y("images:Q", title="images"),
            color=alt.condition("datum.below", alt.value(WRONG), alt.value(RIGHT)),
            tooltip=[
                alt.Tooltip("low:Q", title="from", format=".0%"),
                alt.Tooltip("high:Q", title="to", format=".0%"),
                alt.Tooltip("images:Q"),
            ],
        )
    )
    line = (
        alt.Chart(alt.Data(values=[{"chance": chance}])).mark_rule(color="#999999", strokeWidth=2).encode(x="chance:Q")
    )
    return alt.layer(bars, line).properties(height=240)


def table(scene: Scene) -> None:
    """The figures of each label, least energy inside first."""
    found = by_label(scene.places, scene.cams.labels, scene.units) if scene.places is not None else {}
    labels = sorted(found, key=lambda label: np.nan_to_num(found[label].energy.mean, nan=np.inf))
    rows = [row_of(scene, label, found[label]) for label in labels]
    shares = ("energy inside", "against chance", "pointing game", "IoU", "margin from outside")
    st.dataframe(
        rows,
        hide_index=True,
        height=min(290, 36 * (len(rows) + 1)),
        column_config={name: st.column_config.NumberColumn(format="percent") for name in shares},
        key=scene.key("cam labels table"),
        alt="Localisation of each label's maps",
    )
    st.download_button(
        "Figures by label",
        data=lambda: to_csv(rows, tuple(rows[0])),
        file_name="cam-by-label.csv",
        mime="text/csv",
        key=scene.key("by label csv"),
        on_click="ignore",
        type="tertiary",
        icon=":material/download:",
    )


def row_of(scene: Scene, label: int, found: Summary) -> dict[str, object]:
    """One label's row."""
    energy = found.energy
    return {
        "label": scene.cams.classes[label] if label >= 0 else "(none)",
        "energy inside": energy.mean,
        "95 % interval": f"{energy.low:.0%} to {energy.high:.0%}",
        "against chance": found.corrected.mean,
        "pointing game": found.pointing.mean,
        "IoU": found.iou.mean,
        "margin from outside": found.outside.mean,
        "images": energy.n + energy.missing,
    }
