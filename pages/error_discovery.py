"""Error discovery: which errors are still unseen, what kinds are there, and can they be corrected?"""

from __future__ import annotations

import streamlit as st

from engine.runs.run import Input
from engine.subject.image_set import Role
from pages.parts.bench import framed, workbench
from pages.parts.bench import subject as opened_subject
from pages.parts.error_discovery.command import Asked
from pages.parts.error_discovery.correcting import correcting
from pages.parts.error_discovery.generator import generator
from pages.parts.error_discovery.grouping import grouping, how_grouped, real_errors
from pages.parts.error_discovery.labelling import labelling
from pages.parts.error_discovery.nearest import novelty_of
from pages.parts.error_discovery.regions import regions
from pages.parts.error_discovery.scene import GENERATED, REAL, Tried
from pages.parts.error_discovery.searching import searching
from pages.parts.error_discovery.take_out import take_out
from pages.parts.error_discovery.words import SOURCES


def page() -> None:
    """The whole page: a generator, a search, regions, labels, and a correction."""
    bench, subject = workbench(), opened_subject()
    st.title("Error discovery")
    st.caption("Which errors are still unseen, what kinds are there, and can they be corrected?")
    if not len(subject.images.indices(Role.TRAIN)):
        st.info("There are no images of `train` to learn from what images look like. Load data with a training part.")
        return
    st.subheader("Can generated images be trusted?")
    made = generator(bench, subject)
    if made is None:
        return
    st.subheader("Which errors are unseen")
    searched = searching(made)
    if searched is None:
        return
    errors, search = searched
    st.subheader("What kinds there are")
    source = st.segmented_control(
        "Errors", [GENERATED, REAL], default=GENERATED, required=True, format_func=SOURCES.__getitem__,
        key="error source", persist_state="session",
    )  # fmt: skip
    wanted, testing = how_grouped(source, search)
    asked = Asked(made.settings, search, wanted, testing)
    given = errors if source == GENERATED else real_errors(made)
    if given is None:
        return
    tried = grouping(made, given, wanted, testing)
    if tried is not None:
        looked_at(tried, errors, asked)
        st.subheader("Can they be corrected?")
        if source == REAL:
            st.info("A correction trains on new draws of labelled regions; choose the generated errors above.")
        else:
            correcting(tried, asked)


def looked_at(tried: Tried, generated: Input, asked: Asked) -> None:
    """The regions, their labels, and taking both away."""
    regions(tried, generated)
    st.subheader("What they really are")
    novelty = novelty_of(tried)
    labelling(tried, novelty)
    st.subheader("Take out and bring in")
    take_out(tried, novelty, asked)


framed("pages/error_discovery.py")
page()
