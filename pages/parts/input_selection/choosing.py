"""Which samples would help: a strategy, the images that it chooses in their order, and taking them away."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import streamlit as st

from engine.methods.input_selection import SELECTION
from engine.methods.input_selection.picks_table import PICK_COLUMNS, pick_rows
from engine.methods.input_selection.result import Picks
from engine.methods.input_selection.settings import (
    ENDS,
    MAPS,
    METRICS,
    MODES,
    STRATEGIES,
    WASSERSTEINS,
    SelectionSettings,
)
from engine.runs.run import Input
from engine.runs.shelf import Selection
from engine.subject.image_set import Role
from engine.toolkit.tables import to_csv
from pages.parts import picks, selections
from pages.parts.draw import draw
from pages.parts.grid import PAGE_TILES, TILE, Tile, image_grid
from pages.parts.input_selection.scene import Scene
from pages.parts.input_selection.words import MAP_TITLES, METRIC_TITLES, MODE_TITLES, STRATEGY_TITLES
from pages.parts.run_panel import answered
from pages.parts.text import plain
from pages.parts.thumbnails import thumbnails


def choosing(scene: Scene, inputs: dict[str, Input], layer: str) -> SelectionSettings | None:
    """Ask for a selection, show it, and give the settings that it was asked with; `layer` is the one that explains."""
    pool = scene.taps.role(Role.POOL)
    if pool is None:
        st.info("There are no images of `pool` to choose from. Load data with a pool, or a lone test set.")
        return None
    settings = asked(scene, layer)
    if settings is None:
        return None
    found = answered(scene.bench, SELECTION, scene.subject, settings, lambda: 0.0, inputs=inputs)
    if found is not None:
        run_id = scene.bench.question(SELECTION, scene.subject, settings, inputs).fingerprint
        shown(scene, found, run_id, settings)
    return settings


def asked(scene: Scene, layer: str) -> SelectionSettings | None:
    """The selection that the widgets describe; None, and the reason shown, where they describe none."""
    usual = SelectionSettings()
    with st.container(horizontal=True, vertical_alignment="bottom"):
        strategy = st.selectbox(
            "Strategy", STRATEGIES, STRATEGIES.index(usual.strategy), format_func=STRATEGY_TITLES.__getitem__,
            key="strategy", width=290,
        )  # fmt: skip
        budget = st.number_input("Images", 1, 100_000, usual.budget, key="budget", width=110)
        scored = st.slider(
            "Chosen by the strategy", 0.05, 1.0, usual.scored, 0.05, format="percent", key="scored", width=220,
            help="the rest is drawn at random from other labels, so that these are not forgotten",
        )  # fmt: skip
        filtered = st.checkbox("without likely wrong labels", value=usual.filtered, key="filtered")
        diverse = st.checkbox("without near copies", value=usual.diverse, key="diverse")
    by_map = by_hand() if strategy == "mode" else usual
    taken_out = tuple(sorted(st.session_state.get(scene.key("excluded"), ())))
    try:
        return replace(
            by_map, strategy=strategy, targets=(scene.target,), budget=int(budget), scored=scored, layer=layer,
            filtered=filtered, diverse=diverse, excluded=taken_out,
        )  # fmt: skip
    except ValueError as error:
        st.warning(plain(str(error)))
        return None


def by_hand() -> SelectionSettings:
    """The map, its space, the metric and the end, set by a person."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        chosen = st.selectbox("Map", MAPS, 5, format_func=MAP_TITLES.__getitem__, key="mode map", width=250)
        mode = st.selectbox("of", MODES, format_func=MODE_TITLES.__getitem__, key="mode of", width=200)
        metric = st.selectbox(
            "Likeness by", METRICS, format_func=METRIC_TITLES.__getitem__, key="mode metric", width=170
        )
        end = st.segmented_control("End", ENDS, default=ENDS[0], required=True, key="mode end")
        kind = WASSERSTEINS[0]
        if metric == "wasserstein":
            kind = st.selectbox("Wasserstein", WASSERSTEINS, key="mode wasserstein", width=150)
    return SelectionSettings(map=chosen, mode=mode, metric=metric, end=end, wasserstein=kind)


def shown(scene: Scene, found: Picks, run_id: str, settings: SelectionSettings) -> None:
    """The picks in order, and what can be done with them."""
    for note in found.notes:
        st.warning(plain(note))
    scored = int(found.scored.sum())
    st.markdown(
        plain(f"{len(found.ids):,} images of the pool: {scored:,} chosen by the strategy, the rest drawn at random.")
    )
    pages = -(-len(found.ids) // PAGE_TILES)
    page = st.pagination(pages, key=f"picks page {run_id}") if pages > 1 else 1
    rows = np.arange(len(found.ids))[(page - 1) * PAGE_TILES : page * PAGE_TILES]
    draw_picks(scene, found, rows, f"picks {run_id} {page}")
    marked = [each for each in picks.picked() if each in set(found.ids.tolist())]
    with st.container(horizontal=True, vertical_alignment="bottom"):
        origin = f"{STRATEGY_TITLES[settings.strategy]} for {scene.taps.classes[scene.target]}"
        ids = tuple(found.ids.tolist())
        kept = st.button(
            "Keep as selection", key=f"keep picks {run_id}", icon=":material/bookmark:", on_click=selections.keep,
            args=(scene.bench, f"name {origin}", Selection(origin, scene.subject.dataset, origin, ids)),
        )  # fmt: skip
        st.download_button(
            "Selection as CSV",
            data=lambda: to_csv(pick_rows(found, scene.subject.images, scene.taps.classes, run_id), PICK_COLUMNS),
            file_name="selection.csv", mime="text/csv", key=f"picks csv {run_id}", on_click="ignore",
            icon=":material/download:",
        )  # fmt: skip
        if marked and st.button(f"Leave out the {len(marked)} picked", key=f"leave out {run_id}"):
            before = st.session_state.get(scene.key("excluded"), ())
            st.session_state[scene.key("excluded")] = tuple({*before, *marked})
            picks.clear()
            st.rerun()
    if kept:
        st.rerun()


def draw_picks(scene: Scene, found: Picks, rows: np.ndarray, chart: str) -> None:
    """The tiles of these picks: rank, label and answer, the score, and a flag on likely wrong labels."""
    classes, images = scene.taps.classes, scene.subject.images
    chart, before = picks.appearing(chart)
    tiles = []
    for row, url in zip(rows.tolist(), thumbnails(images, found.ids[rows].tolist(), TILE), strict=True):
        sample_id = str(found.ids[row])
        place = f"{found.rank[row]}. " if found.scored[row] else ""
        caption = f"{place}{classes[found.labels[row]]} → {classes[found.predictions[row]]}"
        hint = f"{images.names[images.position[sample_id]]}: {caption}"
        hint += f", score {found.score[row]:.4g}" if found.scored[row] else ", drawn at random"
        hint += ", its label is likely wrong" if found.issue[row] else ""
        wrong = bool(found.issue[row] or found.labels[row] != found.predictions[row])
        tiles.append(Tile(sample_id, url, caption, hint, wrong, sample_id in before))
    draw(image_grid(tiles), chart, f"{len(tiles)} chosen images in their order", lambda: picks.turn_over(chart))
    st.caption("Rank, label → answer; orange: answered wrong, or likely a wrong label. Click images to leave them out.")
