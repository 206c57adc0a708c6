"""One training: its curves as they grow, what became of the classifier, and keeping it as a Fix."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

import numpy as np
import streamlit as st

from engine.methods.cam_training.evidence import on_test_images
from engine.methods.cam_training.result import Curves, Taught
from engine.methods.cam_training.teaching_sentences import how_it_went
from engine.subject.subject import Subject
from engine.workbench import Workbench
from pages.parts.cam_training.curve_charts import curve_charts
from pages.parts.cam_training.looks import looks
from pages.parts.cam_training.words import PART_TITLES
from pages.parts.draw import draw
from pages.parts.fixes import keep_fix, train_ids
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
    if len(found.weights):
        keep_fix(bench, subject, found.weights, run_id, f"{subject.blueprint.name}, CAM-trained", train_ids(subject))
    show_curves({each.name: getattr(found.curves, each.name).tolist() for each in fields(Curves)}, run_id)
    st.caption(
        f"Maps at `{found.layer}`, {'exact' if found.exact else 'by the gradient, to first order'}; gradients' norms "
        "over all weights, at the steps that are marked down."
    )
    looks(bench, subject, [found], run_id, given=True)


def metrics(found: Taught) -> None:
    """Accuracy on each part of the images it was not trained on, with its interval, and the energy inside."""
    with st.container(horizontal=True):
        for part in found.parts:
            share = on_test_images(part)
            made = ", pasted together" if part.made else ""
            st.metric(
                PART_TITLES[part.name].capitalize(),
                f"{share.value:.1%}",
                f"{share.low:.1%} to {share.high:.1%}",
                delta_color="off",
                delta_arrow="off",
                help=f"accuracy on {share.n:,} images of {part.role}{made}",
                width=150,
            )
        if np.isfinite(found.energy_inside).any():
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
            f"{', '.join(pasted).capitalize()}: pasted together from images of {found.parts[0].role} with the mask. "
            "Seams and what the mask cuts off are part of them, so take differences between classifiers for more than "
            "the figures themselves. Images of test come in only when trainings are compared, so that nothing is tuned "
            "on them."
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
