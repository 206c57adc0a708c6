"""What can be taken out: tables, pairs as arrays, failing images, an augmentation, and the command for the same."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from engine.methods.input_optimization import BREAKPOINTS
from engine.methods.input_optimization.export import (
    BREAKPOINT_COLUMNS,
    PAIR_COLUMNS,
    SWEEP_COLUMNS,
    breakpoint_rows,
    failing_rows,
    pair_rows,
    pairs_npz,
    sweep_rows,
)
from engine.methods.input_optimization.ranges import augmentation_ranges
from engine.methods.input_optimization.result import Optimisation
from engine.runs.progress import Progress
from engine.runs.run import Input
from engine.runs.shelf import Selection
from engine.toolkit.error_table import error_csv
from engine.toolkit.tables import to_csv
from pages.parts import selections
from pages.parts.command import input_optimization_command
from pages.parts.input_optimization.asking import Wanted
from pages.parts.input_optimization.scene import Scene


def take_out(scene: Scene, wanted: Wanted) -> None:
    """Downloads, made when they are pressed."""
    images, sweep, way_back = scene.subject.images, scene.sweep, scene.way_back
    st.markdown("##### Tables")
    with st.container(horizontal=True):
        download(
            "Breakpoints", lambda: to_csv(breakpoint_rows(scene.breakpoints), BREAKPOINT_COLUMNS), "breakpoints.csv"
        )
        download("The whole sweep", lambda: to_csv(sweep_rows(sweep, images), SWEEP_COLUMNS), "sweep.csv")
        if way_back is not None:
            found, differences = way_back.optimisation, way_back.differences
            download("Pairs", lambda: to_csv(pair_rows(sweep, images, found, differences), PAIR_COLUMNS), "pairs.csv")
            download("Pairs with images", lambda: arrays(scene, found), "pairs.npz", "application/octet-stream")
    failing(scene)
    st.markdown("##### An augmentation to train with")
    st.caption(
        "Each transform that breaks it, up to one and a half times its breakpoint. Whether training with it helps, a "
        "comparison of two classifiers tells."
    )
    st.code(augmentation(scene), language="python")
    selected = "selection" in wanted.inputs
    command = input_optimization_command(scene.bench, scene.subject, wanted.settings, wanted.rule, selected)
    if command:
        st.markdown("##### The same on the command line")
        st.code(command, language="bash", wrap_lines=True)
        st.caption("The same sweep and breakpoints; how images are brought back there, --help tells.")


def download(label: str, data: Callable[[], bytes], file_name: str, mime: str = "text/csv") -> None:
    """A button whose file is made when it is pressed."""
    st.download_button(
        label, data=data, file_name=file_name, mime=mime, key=f"take {file_name}", on_click="ignore",
        icon=":material/download:",
    )  # fmt: skip


def arrays(scene: Scene, found: Optimisation) -> bytes:
    """All pairs with their images and answers."""
    with scene.bench.quick(scene.subject) as quick:
        return pairs_npz(quick, scene.sweep, found, Progress())


def augmentation(scene: Scene) -> str:
    """The augmentation as text."""
    from engine.methods.input_optimization.augmentation import augmentation_code

    frame = scene.subject.images.frame
    return augmentation_code(augmentation_ranges(scene.breakpoints), frame.height, frame.width)


def breakpoints_run(scene: Scene) -> str:
    """The run that says which images break."""
    inputs = {"sweep": Input(scene.run_id, scene.sweep)}
    return scene.bench.question(BREAKPOINTS, scene.subject, scene.rule, inputs).fingerprint


def failing(scene: Scene) -> None:
    """The images that break, as an error CSV or kept as a selection."""
    st.markdown("##### Images that break")
    rows = failing_rows(scene.sweep, scene.breakpoints, scene.subject, breakpoints_run(scene), None, None)
    ids = tuple(dict.fromkeys(row["sample_id"] for row in rows))
    st.caption(f"{len(ids):,} images are right unchanged and turn wrong for good under some transform.")
    with st.container(horizontal=True):
        download("Error CSV", lambda: error_csv(rows), "failing.csv")
        origin = "breaks under a transform"
        kept = st.button(
            "Keep as selection",
            key="keep failing",
            on_click=selections.keep,
            args=(scene.bench, f"name {origin}", Selection(origin, scene.subject.dataset, origin, ids)),
            disabled=not ids,
            icon=":material/bookmark:",
        )
    if kept:
        st.rerun()  # the header, too, not this fragment alone
