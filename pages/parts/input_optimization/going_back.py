"""Asking for the way back: the optimisation, then the differences and the maps, each once what it needs is there."""

from __future__ import annotations

import streamlit as st

from engine.methods.input_optimization import DIFFERENCES, MAP, OPTIMISATION, SWEEP
from engine.methods.input_optimization.result import Sweep
from engine.methods.input_optimization.sentences import what_comes_back
from engine.methods.input_optimization.settings import (
    DifferenceSettings,
    MapSettings,
    OptimisationSettings,
)
from engine.runs.run import Input
from engine.subject.subject import Subject
from engine.toolkit.transforms.families import family_named
from engine.workbench import Workbench
from pages.parts.input_optimization.asking import Wanted
from pages.parts.input_optimization.maps import chosen_method
from pages.parts.input_optimization.scene import WayBack
from pages.parts.run_panel import answered
from pages.parts.text import plain

RULES = {
    "momentum": "momentum, steps of one length",
    "adam": "Adam",
    "minimal": "smallest change (DDN)",
    "paper": "as published (slow)",
}
SUCCESS_WORDS = {"loss": "the loss is below", "margin": "the margin is at least"}


def going_back(bench: Workbench, subject: Subject, sweep: Sweep, wanted: Wanted) -> WayBack | None:
    """What is known of the way back; asks for what is missing."""
    swept = bench.question(SWEEP, subject, wanted.settings, wanted.inputs).fingerprint
    settings = how_to_go_back(subject, sweep, swept)
    inputs = {"sweep": Input(swept, sweep)}

    def seconds() -> float:
        from engine.methods.input_optimization.estimate import seconds_of_optimisation

        with bench.quick(subject) as quick:
            return seconds_of_optimisation(quick, sweep, settings)

    found = answered(bench, OPTIMISATION, subject, settings, seconds, inputs=inputs)
    if found is None:
        return None
    st.caption(plain(what_comes_back(found)))
    run_id, method = bench.question(OPTIMISATION, subject, settings, inputs).fingerprint, chosen_method()
    inputs["optimisation"] = Input(run_id, found)
    layer = DifferenceSettings(st.session_state.get("compared layer", ""))
    took = bench.store.register.entry(run_id)  # comparing takes about as long as bringing back has taken
    differences = answered(bench, DIFFERENCES, subject, layer, lambda: took.seconds if took else 0.0, inputs=inputs)
    if differences is None:
        return WayBack(run_id, method, found)
    inputs["differences"] = Input(bench.question(DIFFERENCES, subject, layer, inputs).fingerprint, differences)
    both = [
        answered(bench, MAP, subject, MapSettings(points, method), lambda: 0.0, inputs=inputs)
        for points in ("transform", "image")
    ]
    return WayBack(run_id, method, found, differences, *both)


def how_to_go_back(subject: Subject, sweep: Sweep, run_id: str) -> OptimisationSettings:
    """The settings that were asked for last of the sweep that this run made, at first the default."""
    key = f"asked optimisation {run_id}"
    with st.expander("How images are brought back", icon=":material/undo:"):
        draft = drafted(subject, sweep, run_id)
        if st.button("Bring back", type="primary", key="ask optimisation"):
            st.session_state[key] = draft
    return st.session_state.setdefault(key, default(sweep))


def default(sweep: Sweep) -> OptimisationSettings:
    """The three worst families; where several were swept together, those."""
    single = any(len(swept.families) == 1 for swept in sweep.grids)
    return (
        OptimisationSettings(images=min(OptimisationSettings.images, len(sweep.ids)))
        if single
        else (OptimisationSettings(grids=tuple(range(len(sweep.grids))), images=min(20, len(sweep.ids))))
    )


def drafted(subject: Subject, sweep: Sweep, run_id: str) -> OptimisationSettings:
    """The settings that the widgets describe."""
    names = {
        number: " + ".join(family_named(n).title for n in swept.families) for number, swept in enumerate(sweep.grids)
    }
    grids = st.multiselect(
        "Transforms",
        list(names),
        format_func=names.__getitem__,
        key=f"back grids {run_id}",
        placeholder="the three worst",
    )
    with st.container(horizontal=True, vertical_alignment="bottom"):
        most = len(sweep.ids)
        images = st.number_input(
            "Images", 1, most, min(OptimisationSettings.images, most), key=f"back images {most}", width=120
        )
        success = st.selectbox(
            "Until",
            list(SUCCESS_WORDS),
            format_func=SUCCESS_WORDS.__getitem__,
            key="back success",
            width=200,
        )
        loss, margin = OptimisationSettings.loss_level, OptimisationSettings.margin_level
        if success == "loss":
            loss = st.number_input("nats", 0.001, 2.0, loss, 0.01, key="back loss", width=120)
        else:
            margin = st.number_input("logits", 0.0, 20.0, margin, 0.5, key="back margin", width=120)
        rule = st.selectbox("Steps", list(RULES), format_func=RULES.__getitem__, key="back rule", width=240)
        steps = st.number_input("At most", 10, 1000, OptimisationSettings.most_steps, key="back steps", width=120)
    layers(subject)
    if not any(len(swept.families) == 1 for swept in sweep.grids) and not grids:
        grids = list(names)
    return OptimisationSettings(
        grids=tuple(sorted(grids)),
        images=int(images),
        success=success,
        loss_level=loss,
        margin_level=margin,
        step_rule=rule,
        most_steps=int(steps),
    )


def layers(subject: Subject) -> None:
    """Which layer's features are compared."""
    from engine.methods.input_optimization.differences import layer_names

    st.selectbox(
        "Features of",
        ["", *layer_names(subject)],
        format_func=lambda name: name or "what the last layer is given",
        key="compared layer",
        persist_state="session",
        width=300,
    )
