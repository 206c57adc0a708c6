"""The nine metrics side by side: the candidates that each puts at either end, and how far they agree."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import altair as alt
import numpy as np
import streamlit as st

from engine.methods.input_selection.agreement import Agreement, agreement
from engine.methods.input_selection.heat_maps import values_of
from engine.methods.input_selection.result import HeatMap
from engine.methods.input_selection.settings import MAPS
from engine.subject.image_set import Role
from pages.parts.draw import draw
from pages.parts.input_selection.heat import map_mode, maps_of
from pages.parts.input_selection.scene import Scene
from pages.parts.input_selection.words import MAP_TITLES, METRIC_TITLES
from pages.parts.saving import captioned
from pages.parts.text import plain
from pages.parts.thumbnails import thumbnails
from pages.parts.tiles import Picture, picture_table

TILE, FEW, MOST = 56, 5, 500  # pixels; images at each end; candidates at most


def nine(scene: Scene) -> None:
    """Choose a map, and see all nine rankings of the label's candidates."""
    pool = scene.taps.role(Role.POOL)
    rows = np.flatnonzero(pool.labels == scene.target)[:MOST] if pool is not None else np.empty(0, np.int64)
    if pool is None or len(rows) < 2 * FEW:
        name = scene.taps.classes[scene.target]
        st.info(
            plain(f"The pool has too few candidates of {name} to be ranked: {len(rows)}, and {2 * FEW} are needed.")
        )
        return
    with st.container(horizontal=True, vertical_alignment="bottom"):
        name = st.selectbox("Map", MAPS, 5, format_func=MAP_TITLES.__getitem__, key=scene.key("nine map"), width=270)
        mode = map_mode("of", scene, scene.key("nine of"))
    wanted = next(each for each in maps_of(scene.key(f"{mode} {scene.place}"), scene, mode) if each.name == name)
    values = partial(values_of(scene.probes, scene.place, mode, scene.subject.images), pool, rows, scene.target)
    found = ranked(scene.key(f"{name} {mode} {scene.place}"), values, wanted)
    sheet(scene, found, pool.ids[rows], f"{name} {mode} {scene.place}")
    chart, key = agreement_chart(found), scene.key(f"agreement {name} {mode} {scene.place}")
    draw(chart, key, "Rank correlation of each two metrics")
    said = f"Spearman's correlation of the rankings of the first {len(rows):,} candidates of this label; 1: the same."
    captioned(chart, key, said, "metrics")


@st.cache_data(show_spinner=False, max_entries=16)
def ranked(key: str, _values: Callable[[], np.ndarray], _wanted: HeatMap) -> Agreement:
    """What the nine metrics make of candidates' values (n, F) against a map, worked out once."""
    del key
    return agreement(_values(), _wanted.values, FEW, shape=_wanted.shape)


def sheet(scene: Scene, found: Agreement, ids: np.ndarray, key: str) -> None:
    """The nearest and the farthest candidates by each metric."""
    wanted = [*dict.fromkeys(ids[np.concatenate([found.best, found.worst]).ravel()].tolist())]
    urls = dict(zip(wanted, thumbnails(scene.subject.images, wanted, TILE), strict=True))
    pictures, names = [], [METRIC_TITLES[metric] for metric in found.metrics]
    for row in range(len(names)):
        ends = [*found.best[row], *found.worst[row][::-1]]
        for column, candidate in enumerate(ends):
            sample_id = str(ids[candidate])
            pictures.append(Picture(row, column, urls[sample_id], "", f"{names[row]}: {sample_id}", wrong=False))
    columns = ["nearest", *[""] * (FEW - 1), *[""] * (FEW - 1), "farthest"]
    says = f"The nearest and the farthest candidates by {len(names)} metrics"
    chart = picture_table(pictures, columns, names, TILE)
    draw(chart, scene.key(f"nine sheet {key}"), says)
    said = (
        f"The {FEW} candidates nearest to the map by each metric, nearest first, and the {FEW} farthest, farthest last."
    )
    captioned(chart, scene.key(f"nine sheet {key}"), said, "nearest and farthest")


def agreement_chart(found: Agreement) -> alt.LayerChart | alt.FacetChart:
    """The rank correlations as a square."""
    names = [METRIC_TITLES[metric] for metric in found.metrics]
    rows = [
        {"one": one, "other": other, "spearman": float(found.spearman[i, j])}
        for i, one in enumerate(names)
        for j, other in enumerate(names)
    ]
    base = alt.Chart(alt.Data(values=rows)).encode(
        x=alt.X("other:N", sort=names, title=None, axis=alt.Axis(labelAngle=-40)),
        y=alt.Y("one:N", sort=names, title=None),
    )
    cells = base.mark_rect().encode(
        color=alt.Color("spearman:Q", scale=alt.Scale(domain=[-1, 0, 1], range=["#D55E00", "#F2F0EC", "#0072B2"]),
                        title="Spearman")
    )  # fmt: skip
    text = base.mark_text(fontSize=10).encode(text=alt.Text("spearman:Q", format=".2f"))
    return alt.layer(cells, text).properties(height=320)
