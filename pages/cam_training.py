"""CAM training: does it look at the right place, and can it be taught to?"""

from __future__ import annotations

import streamlit as st

from engine.methods.cam_training import CAMS
from engine.methods.cam_training.localisation import localise
from engine.methods.cam_training.masks import on_grid
from engine.methods.cam_training.result import Cams, Localisation
from engine.subject.subject import Subject
from pages.parts.bench import framed, workbench
from pages.parts.bench import subject as opened_subject
from pages.parts.cam_training.asking import Wanted, asking, estimated, run_of
from pages.parts.cam_training.figures import figures, sentence
from pages.parts.cam_training.gallery import gallery
from pages.parts.cam_training.grouped import grouped
from pages.parts.cam_training.hidden import hidden
from pages.parts.cam_training.mask import Mask, the_mask
from pages.parts.cam_training.scene import Scene
from pages.parts.cam_training.take_out import take_out
from pages.parts.cam_training.teaching import teaching
from pages.parts.run_panel import answered
from pages.parts.text import plain

GALLERY, FIGURES, HIDDEN, GROUPED, OUT = "Gallery", "Against the mask", "Hide what it looks at", "Groups", "Take out"

FINE = 128  # pixels a side, in which masks are drawn before they are pooled to a map's cells


def page() -> None:
    """The whole page: where it looks, then teaching it to look elsewhere."""
    bench, subject = workbench(), opened_subject()
    st.title("CAM training")
    st.caption("Does it look at the right place, and can it be taught to?")
    st.subheader("Where it looks")
    wanted = asking(bench, subject)
    mask = the_mask(bench, subject)
    if wanted is not None:
        seconds = estimated(bench, subject, wanted)
        cams = answered(bench, CAMS, subject, wanted.settings, seconds, inputs=wanted.inputs)
        if cams is not None:
            run_id = run_of(bench, subject, wanted)
            explorer(Scene(bench, subject, cams, run_id, mask, measured(subject, cams, mask)), wanted)
    st.subheader("Teach it to look elsewhere")
    if mask is None:
        st.info("Say above where it should look; without a mask there is nothing to teach.")
        return
    teaching(bench, subject, mask, wanted.settings.layer if wanted is not None else "")


def measured(subject: Subject, cams: Cams, mask: Mask | None) -> Localisation | None:
    """How well the maps stay where they may be; None, with the reason shown, where images have no mask."""
    if mask is None:
        return None
    try:
        forbidden = on_grid(
            mask.settings, mask.over(subject.images, cams.ids, FINE, FINE), cams.seen, *cams.maps.shape[1:]
        )
    except ValueError as error:
        st.warning(plain(str(error)))
        return None
    return localise(cams.maps, forbidden)


@st.fragment
def explorer(scene: Scene, wanted: Wanted) -> None:
    """What the maps say and a closer look at them; a click in it reruns nothing else."""
    sentence(scene)
    look = st.segmented_control(
        "A closer look",
        [GALLERY, FIGURES, HIDDEN, GROUPED, OUT],
        default=GALLERY,
        required=True,
        key="cam closer look",
        label_visibility="collapsed",
    )
    try:
        if look == GALLERY:
            gallery(scene)
        elif look == FIGURES:
            figures(scene)
        elif look == HIDDEN:
            hidden(scene)
        elif look == GROUPED:
            grouped(scene)
        else:
            take_out(scene, wanted)
    except ValueError as error:  # a file that was there when the data was loaded, say
        st.warning(plain(str(error)))


framed("pages/cam_training.py")
page()
