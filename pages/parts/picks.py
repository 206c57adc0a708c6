"""Which tiles of a grid a person has picked, across its pages.

The browser tells only what is selected in the chart it shows. Redrawing a chart for each click would lose that, so
a chart shows what was picked before it appeared, and what changes in its own selection is turned over here.
"""

from __future__ import annotations

import streamlit as st

PICKED, SHOWN = "picked", "grid shown"


def picked() -> list[str]:
    """The ids that are picked, in the order in which they were."""
    return st.session_state.setdefault(PICKED, [])


def appearing(chart: str) -> tuple[str, frozenset[str]]:
    """The chart's name for this appearance, and what was picked when it began.

    A chart that comes back after another was shown has forgotten what was clicked in it, so it appears anew.
    """
    shown, number, before = st.session_state.get(SHOWN, ("", 0, frozenset()))
    if shown != chart:
        number, before = number + 1, frozenset(picked())
        st.session_state[SHOWN] = (chart, number, before)
    return f"{chart} {number}", before


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
    _, number, _ = st.session_state.get(SHOWN, ("", 0, frozenset()))
    st.session_state[SHOWN] = ("", number, frozenset())
