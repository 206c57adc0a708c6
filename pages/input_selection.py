"""Input selection: which labels are buggy, in which layer, and which samples would help?"""

from __future__ import annotations

import streamlit as st

from engine.methods.input_selection import TAPS
from engine.methods.input_selection.layer_choice import LayerChoice
from engine.methods.input_selection.result import LabelIssues, Probes
from engine.methods.input_selection.settings import TapSettings
from pages.parts.bench import framed, workbench
from pages.parts.bench import subject as opened_subject
from pages.parts.input_selection.arena import arena
from pages.parts.input_selection.choosing import choosing
from pages.parts.input_selection.heat import heat
from pages.parts.input_selection.issues import issues, show_issues
from pages.parts.input_selection.labels import labels, the_rule
from pages.parts.input_selection.layers import layers
from pages.parts.input_selection.nine import nine
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

    def seconds() -> float:
        from engine.methods.input_selection.estimate import seconds_of_taps

        with bench.quick(subject) as quick:
            return seconds_of_taps(quick, TapSettings())

    taps = answered(bench, TAPS, subject, TapSettings(), seconds)
    if taps is None:
        return
    run_id = bench.question(TAPS, subject, TapSettings()).fingerprint
    try:
        verdicts, target = labels(taps, subject.images, rule, run_id)
    except ValueError as error:  # no labelled image to judge by
        st.warning(plain(str(error)))
        return
    scene = Scene(bench, subject, taps, rule, verdicts, target)
    st.subheader("Which layer explains it")
    found = layers(scene)
    judged = issues(scene)
    if found is None or judged is None:
        return
    probes, layer = found
    closer(scene, probes, layer, judged)
    st.subheader("Which samples would help")
    inputs = {**scene.tapped, **scene.probed(probes), **scene.judged(judged)}
    selection = choosing(scene, inputs, layer.name)
    if selection is None:
        return
    st.subheader("Was it worth it?")
    arena(scene, selection, layer.name, {**scene.tapped, **scene.judged(judged)})


@st.fragment
def closer(scene: Scene, probes: Probes, layer: LayerChoice, judged: LabelIssues) -> None:
    """A closer look at the label; a click in it reruns nothing else."""
    look = st.segmented_control(
        "A closer look", [HEAT, ISSUES, NINE], default=HEAT, required=True, key="selection closer look",
        label_visibility="collapsed",
    )  # fmt: skip
    try:
        if look == HEAT:
            heat(scene, probes, layer)
        elif look == ISSUES:
            show_issues(scene, judged)
        else:
            nine(scene, probes, layer)
    except ValueError as error:  # a file that was there when the data was loaded, say
        st.warning(plain(str(error)))


framed("pages/input_selection.py")
page()
