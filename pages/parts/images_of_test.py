"""The images of `test` stay closed until somebody asks to see them, and asking is recorded."""

from __future__ import annotations

import streamlit as st

from engine.runs.shelf import TEST_OPENED
from engine.subject.subject import Subject
from engine.workbench import Workbench


def test_is_open(bench: Workbench, subject: Subject) -> bool:
    """Whether the person asked to see test images; asking is recorded, since what is looked at is no longer fresh."""
    opened = bench.store.shelf.events(TEST_OPENED, subject.dataset)
    if st.session_state.get(TEST_OPENED) == subject.dataset:
        return True
    before = f" Opened before: {len(opened)}." if opened else ""
    st.info(
        "The images of `test` stay closed, so that nothing is decided by looking at them; "
        f"`diagnosis` is there to be looked at. Opening them is recorded.{before}"
    )
    if st.button("Open the test images", key="open test"):
        bench.store.shelf.record(TEST_OPENED, subject.dataset, subject.model)
        st.session_state[TEST_OPENED] = subject.dataset
        st.rerun()
    return False
