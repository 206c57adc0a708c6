"""The jobs that wait or run, on every page."""

from __future__ import annotations

import streamlit as st

from engine.workbench import Workbench
from pages.parts.run_panel import standing
from pages.parts.text import plain

SHOWN = 3  # jobs; a comparison queues dozens


def jobs_card(bench: Workbench) -> None:
    """What the worker is at, with a stop for each; polls only while there is something."""
    if bench.worker.current():
        _polled(bench)


@st.fragment(run_every=1.0)
def _polled(bench: Workbench) -> None:
    current = bench.worker.current()
    with st.container(border=True):
        st.markdown("**At work**" if current else "**All work is done**")
        for job in current[:SHOWN]:
            st.caption(plain(job.title))
            st.progress(min(job.fraction, 1.0), text=standing(job))
            st.button("Stop", key=f"card {job.fingerprint}", on_click=job.cancel)
        if len(current) > SHOWN:
            st.caption(f"{len(current) - SHOWN} more wait for their turn.")
    if not current:
        st.rerun()
