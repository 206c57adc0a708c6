"""Input selection: which labels are buggy, in which layer, and which samples would help?"""

from __future__ import annotations

from functools import partial

import streamlit as st

from engine.methods.input_selection import TAPS
from engine.methods.input_selection.result import LabelIssues
from engine.methods.input_selection.settings import TapSettings
from engine.toolkit.wording import capital
from pages.parts.bench import framed, workbench
from pages.parts.bench import subject as opened_subject
from pages.parts.input_selection.arena import arena
from pages.parts.input_selection.choosing import choosing
from pages.parts.input_selection.heat import heat
from pages.parts.input_selection.issues import issues, show_issues
from pages.parts.input_selection.labels import labels, the_rule
from pages.parts.input_selection.layers import explained
from pages.parts.input_selection.nine import nine
from pages.parts.input_selection.pace import seconds_of_taps
from pages.parts.input_selection.scene import Scene
from pages.parts.run_panel import answered
from pages.parts.text import plain

HEAT, ISSUES, NINE = "Heat maps", "Likely wrong labels", "The nine metrics"


def page() -> None:
    """The whole page: the labels, the layer, the samples, and whether choosing them was worth it."""
    bench, subject = workbench(), opened_subject()
    st.title("Input selection")
    st.caption("Which labels are under- or over-fitted, in which layer, and which samples would help?")
    st.subheader("Which labels are buggy")
    rule = the_rule()

    taps = answered(bench, TAPS, subject, TapSettings(), partial(seconds_of_taps, bench, subject))
    if taps is None:
        return
    run_id = bench.question(TAPS, subject, TapSettings()).fingerprint
    try:
        verdicts, target = labels(taps, subject.images, rule, run_id)
    except ValueError as error:  # no labelled image to judge by
        st.warning(plain(f"{capital(str(error))}."))
        return
    scene = Scene(bench, subject, taps, rule, verdicts, target)
    st.subheader("Which layer explains it")
    explaining = explained(scene)
    if explaining is None:
        return
    judged = issues(scene)
    closer(explaining, judged)
    if judged is None:
        return
    st.subheader("Which samples would help")
    selection = choosing(explaining, judged)
    if selection is None:
        return
    st.subheader("Was it worth it?")
    arena(explaining, selection, judged)


@st.fragment
def closer(scene: Scene, judged: LabelIssues | None) -> None:
    """A closer look at the label; a click in it reruns nothing else."""
    look = st.segmented_control(
        "A closer look", [HEAT, ISSUES, NINE], default=HEAT, required=True, key="selection closer look",
        label_visibility="collapsed",
    )  # fmt: skip
    try:
        if look == HEAT:
            heat(scene)
        elif look == ISSUES:
            show_issues(scene, judged)
        else:
            nine(scene)
    except ValueError as error:  # a file that was there when the data was loaded, say
        st.warning(plain(str(error)))


framed("pages/input_selection.py")
page()
