"""Merging and splitting regions by hand."""

from __future__ import annotations

import numpy as np
import streamlit as st

from engine.methods.error_discovery.editing import Merge, Split, edited
from engine.methods.error_discovery.labelling import Event
from pages.parts.error_discovery.deciding import open_region, write
from pages.parts.error_discovery.scene import Tried
from pages.parts.text import plain


def merge_or_split(tried: Tried, region: int) -> None:
    """Two buttons; what can't be done is said, and nothing is written down."""
    groups = tried.groups
    others = [each for each in np.flatnonzero(groups.alive & (groups.label == groups.label[region])) if each != region]
    with st.container(horizontal=True, vertical_alignment="bottom"):
        if st.button(
            "Split in two", key=tried.key("split"), icon=":material/call_split:",
            help="its errors are parted into the two groups that differ most; both are tried again",
        ):  # fmt: skip
            change(tried, Event("split", region), Split(region))
        if not others:
            return
        other = st.selectbox(
            "Merge with", others, format_func=lambda each: f"region {each}", key=tried.key(f"merge with {region}"),
            width=160,
        )  # fmt: skip
        if st.button("Merge", key=tried.key("merge"), icon=":material/call_merge:"):
            change(tried, Event("merge", region, other=int(other)), Merge(region, int(other)))


def change(tried: Tried, event: Event, edit: Merge | Split) -> None:
    """Try the edit, write it down, and draw the whole page anew with the first heir open."""
    try:
        edited(tried.groups, tried.found, [edit])
    except ValueError as error:
        st.warning(plain(str(error)))
        return
    write(tried, event)
    open_region(tried, len(tried.groups.alive))
    st.rerun()
