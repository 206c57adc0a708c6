"""The workbench that all tabs share, and what this tab has open."""

from __future__ import annotations

import gc

import streamlit as st

from engine.subject.subject import Subject
from engine.workbench import Opened, Workbench

FIRST_DEMO = "digits"


@st.cache_resource(show_spinner=False, on_release=lambda bench: bench.worker.close())
def workbench() -> Workbench:
    """One for the whole process: its worker goes on when a tab is closed."""
    gc.freeze()  # what the libraries hold is no garbage, and takes long to visit whenever Python looks for some
    return Workbench()


def opened() -> Opened:
    """What this tab shows: what it chose, else what was open last, else the built-in digits."""
    if "opened" not in st.session_state:
        bench = workbench()
        found = bench.last_opened()
        if found is None:
            with st.spinner("Drawing the built-in digits, once …"):
                found = bench.open_demo(FIRST_DEMO)
        st.session_state.opened = st.session_state.wanted = found
    return st.session_state.opened


def want(model: str | None = None, dataset: str | None = None) -> None:
    """Choose a classifier or data; what is shown changes only if the two fit, and the reason is kept if not."""
    now: Opened = st.session_state.wanted
    wanted = Opened(model or now.model, dataset or now.dataset)
    st.session_state.wanted = wanted
    st.session_state.misfit = ""
    try:
        workbench().subject(wanted)
    except (ValueError, KeyError) as error:
        st.session_state.misfit = str(error.args[0])
        return
    st.session_state.opened = wanted
    workbench().remember_opened(wanted)


def subject() -> Subject:
    """The classifier and the images that this tab shows; falls back to the built-in ones if they were forgotten."""
    try:
        return workbench().subject(opened())
    except (KeyError, ValueError) as error:
        found = workbench().open_demo(FIRST_DEMO)
        st.session_state.opened = st.session_state.wanted = found
        st.session_state.misfit = f"what was open can't be opened any more: {error.args[0]}"
        return workbench().subject(found)


PAGE_FIRST, FRAMED = "page asked for first", "app.py runs around this page"


def framed(page: str) -> None:
    """Go through `app.py` where Streamlit ran a page by itself.

    It takes the folder `pages` for its own way of finding pages until `st.navigation` has run once, so that the first
    address opened after a start would show a page without its frame.
    """
    if not st.session_state.pop(FRAMED, False):
        st.session_state[PAGE_FIRST] = page
        st.switch_page("app.py")
