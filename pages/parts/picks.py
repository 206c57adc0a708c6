"""Which tiles of a grid a person has picked, across its pages.

The browser tells only what is selected in the chart it shows. Redrawing a chart for each click would lose that, so
a chart shows what was picked before it appeared, and what changes in its own selection is turned over here.
"""

from __future__ import annotations

import streamlit as st

PICKED = "picked"


def picked() -> list[str]:
    """The ids that are picked, in the order in which they were."""
    return st.session_state.setdefault(PICKED, [])


def picked_before(chart: str) -> frozenset[str]:
    """What was picked when this chart first appeared."""
    return st.session_state.setdefault(f"{chart} before", frozenset(picked()))


def turn_over(chart: str) -> None:
    """The chart's selection changed: add or take what it changed by, and open the image that was added last."""
    event = st.session_state.get(chart)
    points = event["selection"].get("pick", []) if event else []
    now = [point["sample_id"] for point in points if "sample_id" in point]
    last: list[str] = st.session_state.get(f"{chart} last", [])
    for sample_id in set(now) ^ set(last):
        if sample_id in picked():
            picked().remove(sample_id)
        else:
            picked().append(sample_id)
            st.session_state["opened image"] = sample_id
    st.session_state[f"{chart} last"] = now


def clear() -> None:
    """Nothing is picked any more; charts appear anew."""
    st.session_state[PICKED] = []
    st.session_state["picks cleared"] = cleared() + 1


def cleared() -> int:
    """How often the picks were cleared: part of the charts' names, so that they forget theirs too."""
    return st.session_state.get("picks cleared", 0)
