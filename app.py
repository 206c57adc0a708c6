"""Faultline: where an image classifier fails, why, how to mend it, and whether the mending held."""

from __future__ import annotations

import streamlit as st

from pages.parts import selections
from pages.parts.bench import FRAMED, PAGE_FIRST, opened, workbench
from pages.parts.jobs import jobs_card
from pages.parts.sidebar import sidebar

st.set_page_config(page_title="Faultline", page_icon="assets/icon.svg", layout="wide")
st.logo("assets/logo.svg", size="large", icon_image="assets/icon.svg")
page = st.navigation(
    [
        st.Page(
            "pages/evaluation.py", title="Overview", icon=":material/monitoring:", url_path="overview", default=True
        ),
        st.Page(
            "pages/input_optimization.py",
            title="Input optimization",
            icon=":material/tune:",
            url_path="input_optimization",
        ),
        st.Page(
            "pages/cam_training.py",
            title="CAM training",
            icon=":material/center_focus_strong:",
            url_path="cam_training",
        ),
        st.Page(
            "pages/input_selection.py",
            title="Input selection",
            icon=":material/checklist:",
            url_path="input_selection",
        ),
        st.Page(
            "pages/error_discovery.py",
            title="Error discovery",
            icon=":material/travel_explore:",
            url_path="error_discovery",
        ),
        st.Page("pages/ledger.py", title="Ledger", icon=":material/receipt_long:", url_path="ledger"),
    ]
)
bench = workbench()
opened()
with st.sidebar:
    jobs = st.container()  # filled last, when the page has asked what it asks
    sidebar(bench)
if asked_first := st.session_state.pop(PAGE_FIRST, None):
    st.switch_page(asked_first)
selections.header(bench, opened().dataset)
st.session_state[FRAMED] = True
page.run()
with jobs:
    jobs_card(bench)
