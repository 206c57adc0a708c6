"""One training: its curves as they grow, what became of the classifier, and keeping it as a Fix."""

from __future__ import annotations

from dataclasses import fields
from functools import partial
from typing import Any

import numpy as np
import streamlit as st

from engine.methods.cam_training.result import Curves, Taught
from engine.methods.cam_training.teaching_sentences import how_it_went
from engine.subject.image_set import UNLABELLED, Role
from engine.subject.subject import Subject
from engine.toolkit.statistics import rate
from engine.workbench import Workbench
from pages.parts import bench as session
from pages.parts.cam_training.curve_charts import curve_charts
from pages.parts.cam_training.looks import looks
from pages.parts.cam_training.words import PART_TITLES
from pages.parts.draw import draw
from pages.parts.saving import captioned
from pages.parts.text import plain

FEWEST = 2  # logged steps that make a line


def live(partial_curves: dict[str, Any]) -> None:
    """The curves so far."""
    if len(partial_curves.get("step", ())) >= FEWEST:
        show_curves(partial_curves, "live")


def taught(bench: Workbench, subject: Subject, found: Taught, run_id: str) -> None:
    """What became of it."""
    st.markdown(plain(how_it_went(found)))
    metrics(found)
    keep(bench, subject, found, run_id)
    show_curves({each.name: getattr(found.curves, each.name).tolist() for each in fields(Curves)}, run_id)
    st.caption(
        f"Maps at `{found.layer}`, {'exact' if found.exact else 'by the gradient, to first order'}; gradients' norms "
        "over all weights, at the steps that are marked down."
    )
    looks(bench, subject, [found], run_id, given=True)


def metrics(found: Taught) -> None:
    """Accuracy on each part of the test images, with its interval, and the energy inside."""
    with st.container(horizontal=True):
        for part in found.parts:
            share = rate(part.predictions == part.labels, np.unique(part.units, return_inverse=True)[1])
            made = ", pasted together" if part.made else ""
            st.metric(
                PART_TITLES[part.name].capitalize(),
                f"{share.value:.1%}",
                f"{share.low:.1%} to {share.high:.1%}",
                delta_color="off",
                delta_arrow="off",
                help=f"accuracy on {share.n:,} test images{made}",
                width=150,
            )
        if len(found.energy_inside):
            st.metric(
                "Energy inside",
                f"{np.nanmean(found.energy_inside):.0%}",
                f"n = {np.isfinite(found.energy_inside).sum():,}",
                delta_color="off",
                delta_arrow="off",
                help="share of the label's evidence in the allowed part, diagnosis images",
                width=150,
            )
    pasted = [PART_TITLES[part.name] for part in found.parts if part.made]
    if pasted:
        st.caption(
            f"The data has no images that are {' or '.join(pasted)}: they were pasted together from its test images "
            "with the mask. Seams and what the mask cuts off are part of them, so take differences between classifiers "
            "for more than the figures themselves."
        )


def show_curves(curves: dict[str, Any], key: str) -> None:
    """Four charts in a row where there is room."""
    charts = curve_charts(curves)
    for start in (0, 2):
        for column, (title, chart) in zip(st.columns(2, gap="medium"), charts[start : start + 2], strict=True):
            with column:
                st.markdown(f"**{title}**")
                draw(chart, f"{title} {key}", f"{title}, by step")
                captioned(chart, f"{title} {key}", f"n = {len(curves['step'])} steps", title.lower().replace(" ", "-"))


def keep(bench: Workbench, subject: Subject, found: Taught, run_id: str) -> None:
    """Keep the classifier, choose it in the sidebar, and take it away as a file."""
    if not len(found.weights):
        return
    kept = next((row for row in bench.store.shelf.models() if row.run == run_id), None)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        if kept is None:
            name = st.text_input(
                "Name", f"{subject.blueprint.name}, CAM-trained", key=f"fix name {run_id}", max_chars=80, width=340
            )
            if st.button("Keep as a Fix", type="primary", key=f"keep fix {run_id}", icon=":material/bookmark:"):
                bench.keep_fix(
                    subject, found.weights.tobytes(), name.strip() or "CAM-trained", run_id, seen_by(subject)
                )
                st.rerun()
            return
        st.markdown(f"Kept as **{plain(kept.name)}**.")
        if kept.fingerprint != subject.model and st.button("Open it", key=f"open fix {run_id}"):
            session.want(model=kept.fingerprint)
            st.rerun()
        for kind in ("safetensors", "pt"):
            st.download_button(
                f".{kind}",
                data=partial(bench.export_model, kept.fingerprint, kind),
                file_name=f"{kept.name}.{kind}",
                key=f"take fix {kind} {run_id}",
                on_click="ignore",
                help="the weights with their preprocessing and class names, which open again without a question",
            )


def seen_by(subject: Subject) -> list[str]:
    """The ids that it was trained on."""
    images = subject.images
    own = images.indices(Role.TRAIN)
    return images.ids[own[images.labels[own] != UNLABELLED]].tolist()
