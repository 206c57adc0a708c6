"""Which samples would help: a strategy, the images that it chooses in their order, and taking them away."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import streamlit as st

from engine.methods.input_selection import SELECTION
from engine.methods.input_selection.picks_table import PICK_COLUMNS, pick_rows
from engine.methods.input_selection.result import LabelIssues, Picks
from engine.methods.input_selection.settings import (
    ENDS,
    MAPS,
    METRICS,
    STRATEGIES,
    WASSERSTEINS,
    SelectionSettings,
    arm_settings,
    reads_layers,
)
from engine.methods.input_selection.strategies import layers_of
from engine.methods.input_selection.titles import STRATEGY_TITLES
from engine.runs.shelf import Selection
from engine.subject.image_set import Role
from engine.toolkit.tables import to_csv
from pages.parts import picks, selections
from pages.parts.draw import draw
from pages.parts.grid import PAGE_TILES, TILE, Tile, image_grid
from pages.parts.input_selection.scene import Scene
from pages.parts.input_selection.words import END_TITLES, MAP_TITLES, METRIC_TITLES, MODE_TITLES, WASSERSTEIN_TITLES
from pages.parts.run_panel import answered
from pages.parts.text import plain
from pages.parts.thumbnails import thumbnails

EXCLUDED = "excluded"
NEEDING_PROBES = ("mode_dhwi",)  # whatever else is set
WITHOUT_PROBES = "highest_loss"  # what is offered first in its place
SMALL, MOST_LISTED = 52, 60  # pixels, images


def choosing(scene: Scene, judged: LabelIssues) -> SelectionSettings | None:
    """Ask for a selection and show it; gives all that the widgets say, None where they describe no selection."""
    pool = scene.taps.role(Role.POOL)
    if pool is None:
        st.info("There are no images of `pool` to choose from. Load data with a pool, or a lone test set.")
        return None
    every = asked(scene)
    if every is None:
        return None
    layer = f"@{every.layer}" if reads_layers(every) else ""
    settings = arm_settings(every, f"{every.strategy}{layer}")
    inputs = {**scene.tapped, **scene.judged(judged), **(scene.probed if reads_layers(settings) else {})}
    run_id = scene.bench.question(SELECTION, scene.subject, settings, inputs).fingerprint
    found = answered(scene.bench, SELECTION, scene.subject, settings, lambda: 0.0, inputs=inputs)
    if found is not None:
        shown(scene, found, run_id, settings)
    left_out(scene)
    return every


def asked(scene: Scene) -> SelectionSettings | None:
    """All that the widgets say; None, and the reason shown, where that describes no selection."""
    usual = SelectionSettings()
    strategies = [each for each in STRATEGIES if scene.probes is not None or each not in NEEDING_PROBES]
    usually = strategies.index(usual.strategy if usual.strategy in strategies else WITHOUT_PROBES)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        strategy = st.selectbox(
            "Strategy", strategies, usually, format_func=STRATEGY_TITLES.__getitem__, key=f"strategy {len(strategies)}",
            width=290, help="HCI to DHWI are told below the heat maps; which is worth it is tried further down",
        )  # fmt: skip
        targets = st.multiselect(
            "For", range(len(scene.taps.classes)), [scene.target], format_func=scene.taps.classes.__getitem__,
            key=scene.key("targets"), width=200, wrap=True,
            help="each of these labels gets an equal part of what is scored",
        )  # fmt: skip
        budget = st.number_input("Images", 1, 100_000, usual.budget, key="budget", width=110)
        scored = st.slider(
            "Chosen by the strategy", 0.05, 1.0, usual.scored, 0.05, format="percent", key="scored", width=220,
            help="the rest is drawn at random from other labels, so that these are not forgotten",
        )  # fmt: skip
    with st.container(horizontal=True):
        filtered = st.checkbox("without likely wrong labels", value=usual.filtered, key="filtered")
        diverse = st.checkbox("without near copies", value=usual.diverse, key="diverse")
    if not targets:
        st.info("Name at least one label under *For*: images are chosen for a label.")
        return None
    by_map = by_hand(scene) if strategy == "mode" else usual
    taken_out = tuple(sorted(st.session_state.get(scene.key(EXCLUDED), ())))
    try:
        return replace(
            by_map, strategy=strategy, targets=tuple(targets), budget=int(budget), scored=scored, filtered=filtered,
            diverse=diverse, excluded=taken_out, layer=scene.asked_layer, rule=scene.rule,
        )  # fmt: skip
    except ValueError as error:
        st.warning(plain(str(error)))
        return None


def by_hand(scene: Scene) -> SelectionSettings:
    """The map, its space, the metric and the end, set by a person."""
    usual = SelectionSettings()
    kind, power = usual.wasserstein, usual.power
    with st.container(horizontal=True, vertical_alignment="bottom"):
        chosen = st.selectbox("Map", MAPS, 5, format_func=MAP_TITLES.__getitem__, key="mode map", width=250)
        mode = st.selectbox(
            "of", scene.modes, format_func=MODE_TITLES.__getitem__, key=f"mode of {len(scene.modes)}", width=200
        )
        metric = st.selectbox(
            "Likeness by", METRICS, format_func=METRIC_TITLES.__getitem__, key="mode metric", width=170
        )
        if metric == "minkowski":
            power = st.number_input("p", 1.0, 100.0, usual.power, 0.5, key="mode power", width=110)
        if metric == "wasserstein":
            kind = st.selectbox(
                "Wasserstein", WASSERSTEINS, format_func=WASSERSTEIN_TITLES.__getitem__, key="mode wasserstein",
                width=250,
            )  # fmt: skip
        end = st.segmented_control(
            "Take", ENDS, default=ENDS[0], required=True, format_func=END_TITLES.__getitem__, key="mode end"
        )
    return SelectionSettings(map=chosen, mode=mode, metric=metric, end=end, wasserstein=kind, power=power)


def shown(scene: Scene, found: Picks, run_id: str, settings: SelectionSettings) -> None:
    """The picks in order, and what can be done with them."""
    for note in found.notes:
        st.warning(plain(note))
    st.markdown(plain(what_was_chosen(scene, found, settings)))
    pages = -(-len(found.ids) // PAGE_TILES)
    page = st.pagination(pages, key=f"picks page {run_id}") if pages > 1 else 1
    rows = np.arange(len(found.ids))[(page - 1) * PAGE_TILES : page * PAGE_TILES]
    draw_picks(scene, found, rows, f"picks {run_id} {page}")
    marked = [each for each in picks.picked() if each in set(found.ids.tolist())]
    with st.container(horizontal=True, vertical_alignment="bottom"):
        names = ", ".join(scene.taps.classes[label] for label in settings.targets)
        origin = f"{STRATEGY_TITLES[settings.strategy]} for {names}"
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
            before = st.session_state.get(scene.key(EXCLUDED), ())
            st.session_state[scene.key(EXCLUDED)] = tuple(dict.fromkeys([*before, *marked]))
            picks.clear()
            st.rerun()
    if kept:
        st.rerun()


def what_was_chosen(scene: Scene, found: Picks, settings: SelectionSettings) -> str:
    """How many images, by what, and at which layer it looked."""
    scored, names = int(found.scored.sum()), ", ".join(scene.taps.classes[label] for label in settings.targets)
    said = f"{len(found.ids):,} images of the pool: "
    if scored:
        said += f"{scored:,} ranked by the strategy{'' if scored == len(found.ids) else ', the rest drawn at random'}."
    else:
        said += f"all drawn at random{'' if settings.strategy == 'random' else f', a share of them of {names}'}."
    if reads_layers(settings):
        looked = layers_of(settings, scene.taps, scene.probes)
        explaining = "which explains it" if len(settings.targets) == 1 else "which explain them"
        said += f" It looks at {looked}, {'chosen above' if scene.overruled else explaining}."
    return said


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
    st.caption("Rank, label → answer; orange: answered wrong, or likely a wrong label. Click those to be left out.")


def left_out(scene: Scene) -> None:
    """What was left out by hand, each to be taken back."""
    key = scene.key(EXCLUDED)
    out: tuple[str, ...] = st.session_state.get(key, ())
    if not out:
        return
    images = scene.subject.images
    st.markdown(f"**Left out by hand** ({len(out):,})")
    with st.container(horizontal=True, gap="small"):
        for sample_id, url in zip(out[:MOST_LISTED], thumbnails(images, out[:MOST_LISTED], SMALL), strict=True):
            with st.container(width=SMALL + 20, gap=None, horizontal_alignment="center"):
                name = images.names[images.position[sample_id]]
                st.image(url, width=SMALL, caption=None)
                st.button(
                    "", key=f"take back {sample_id} {key}", icon=":material/undo:", type="tertiary",
                    help=f"Take {plain(name)} back", on_click=take_back, args=(key, (sample_id,)),
                )  # fmt: skip
    if len(out) > MOST_LISTED:
        st.caption(f"The first {MOST_LISTED} are shown.")
    st.button("Take all back", key=f"take all back {key}", on_click=take_back, args=(key, out))


def take_back(key: str, ids: tuple[str, ...]) -> None:
    """These images may be chosen again."""
    st.session_state[key] = tuple(each for each in st.session_state.get(key, ()) if each not in ids)
