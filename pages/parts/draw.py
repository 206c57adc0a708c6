"""Charts onto the page.

Altair checks a chart against Vega-Lite's schema part by part and then whole, which took about half of the time after a
click. The tests check the charts; here they are only written down, and those that a click doesn't change only once.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, Protocol

import altair as alt
import streamlit as st
from altair.utils.schemapi import disable_debug_mode

disable_debug_mode()
alt.theme.enable("none")  # its default width and height would win over the page's


class Chart(Protocol):
    """Any of Altair's charts."""

    def to_dict(self, *, validate: bool = True) -> dict[str, Any]:
        """The chart's specification."""


def finite(value: float) -> float | None:
    """The value for a chart's data, None in place of NaN and infinity, which JSON doesn't know."""
    return value if math.isfinite(value) else None


def draw(chart: Chart | dict[str, Any], key: str, says: str, on_select: Any = "ignore") -> Any:
    """Show a chart, or the specification of one; returns what is selected in it where that matters.

    `says` is what a screen reader is told.
    """
    spec = chart if isinstance(chart, dict) else chart.to_dict(validate=False)
    return st.vega_lite_chart(spec=spec, key=key, alt=says, on_select=on_select, width="stretch")


@st.cache_data(show_spinner=False, max_entries=32)
def written_once(name: str, _make: Callable[[], Chart]) -> dict[str, Any]:
    """The specification of the chart that belongs to this name."""
    del name
    return _make().to_dict(validate=False)
