"""Input optimization: which changes of the input break it, from where on, and how far is the way back?"""

from __future__ import annotations

import math

import streamlit as st

from engine.methods.input_optimization import BREAKPOINTS, SWEEP
from engine.runs.run import Input
from pages.parts.bench import framed, workbench
from pages.parts.bench import subject as opened_subject
from pages.parts.input_optimization.asking import Wanted, asking, estimated
from pages.parts.input_optimization.cues import cues
from pages.parts.input_optimization.going_back import going_back
from pages.parts.input_optimization.image_rows import image_rows
from pages.parts.input_optimization.maps import maps
from pages.parts.input_optimization.one_transform import one_transform
from pages.parts.input_optimization.scene import Scene, WayBack
from pages.parts.input_optimization.take_out import take_out
from pages.parts.input_optimization.trying import trying
from pages.parts.input_optimization.two_classifiers import two_classifiers
from pages.parts.input_optimization.whole_picture import partly, whole_picture
from pages.parts.run_panel import AT_ONCE_SECONDS, answered
from pages.parts.text import plain

IMAGES, CLOSELY, MAPS, CUES, OTHER, OUT = (
    "Images",
    "One transform",
    "Maps",
    "Added and erased",
    "Two classifiers",
    "Take out",
)


def page() -> None:
    """The whole page: one image at once, then the sweep, then the way back."""
    bench, subject = workbench(), opened_subject()
    st.title("Input optimization")
    st.caption("Which changes of the input break it, from where on, and how far is the way back?")
    trying(bench, subject)
    st.subheader("Sweep many images")
    wanted = asking(bench, subject)
    if wanted is None:
        return
    seconds = estimated(bench, subject, wanted.settings, wanted.inputs)
    at_once = math.inf if wanted.pressed else AT_ONCE_SECONDS
    sweep = answered(bench, SWEEP, subject, wanted.settings, seconds, at_once, wanted.inputs, partly)
    if sweep is None:
        return
    run_id = bench.question(SWEEP, subject, wanted.settings, wanted.inputs).fingerprint
    inputs = {"sweep": Input(run_id, sweep)}
    breaks = answered(bench, BREAKPOINTS, subject, wanted.rule, lambda: 0.0, inputs=inputs)
    if breaks is None:
        return
    picture = st.container()
    st.subheader("The way back")
    way_back = going_back(bench, subject, sweep, wanted)
    with picture:
        explorer(Scene(bench, subject, sweep, run_id, wanted.rule, breaks, way_back), wanted)


@st.fragment
def explorer(scene: Scene, wanted: Wanted) -> None:
    """The whole picture and a closer look; a click in it reruns nothing else."""
    whole_picture(scene)
    look = st.segmented_control(
        "A closer look", [IMAGES, CLOSELY, MAPS, CUES, OTHER, OUT], default=IMAGES, required=True, key="closer look"
    )
    try:
        closer_look(scene, wanted, look)
    except ValueError as error:  # a file that was there when the data was loaded, say
        st.warning(plain(str(error)))


def closer_look(scene: Scene, wanted: Wanted, look: str) -> None:
    """What was chosen to be seen."""
    if look == IMAGES:
        image_rows(scene)
    elif look == CLOSELY:
        one_transform(scene)
    elif look == OTHER:
        two_classifiers(scene, wanted)
    elif look == OUT:
        take_out(scene, wanted)
    elif scene.way_back is None:
        st.info("This is known when images have been brought back, below.")
    else:
        after_the_way_back(scene, scene.way_back, look)


def after_the_way_back(scene: Scene, way_back: WayBack, look: str) -> None:
    """What needs the optimisation."""
    if look == MAPS:
        maps(scene, way_back)
    else:
        cues(scene, way_back)


framed("pages/input_optimization.py")
page()
