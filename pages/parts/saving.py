"""A chart's caption, with the chart as SVG beside it; as PNG it is in the menu that shows on the chart itself."""

from __future__ import annotations

from functools import partial
from typing import Any

import streamlit as st

from pages.parts.draw import Chart

WIDTH = 900  # pixels


def captioned(chart: Chart | dict[str, Any], key: str, caption: str, name: str) -> None:
    """The caption, and a button that gives the chart as `name`.svg; made when it is pressed."""
    spec = chart if isinstance(chart, dict) else chart.to_dict(validate=False)
    with st.container(horizontal=True, vertical_alignment="top", gap="small"):
        st.caption(caption, width="stretch")
        st.download_button(
            "SVG",
            data=partial(as_svg, spec),
            file_name=f"{name}.svg",
            mime="image/svg+xml",
            key=f"svg {key}",
            on_click="ignore",
            type="tertiary",
            icon=":material/download:",
            help="Save the chart as SVG; as PNG, and its data, in the menu on the chart",
        )


def as_svg(spec: dict[str, Any]) -> bytes:
    """The chart as the bytes of an SVG file, on white."""
    import vl_convert  # 88 MB of code, loaded only when somebody saves

    return vl_convert.vegalite_to_svg({"width": WIDTH, "background": "white", **spec}).encode()
