"""Codes as small pictures, made once."""

from __future__ import annotations

import numpy as np
import streamlit as st

from pages.parts.error_discovery.scene import Made
from pages.parts.grid import data_url
from pages.parts.pictures import as_image


@st.cache_resource(show_spinner=False, max_entries=200)
def decoded(name: str, _made: Made, _codes: np.ndarray, _labels: np.ndarray, side: int) -> list[str]:
    """Data URLs of codes (n, d) with labels (n,), the longer side `side` pixels; the same name, the same codes."""
    del name
    pixels = _made.pixels(_codes, _labels)
    return [data_url(as_image(each), side) for each in pixels.transpose(0, 2, 3, 1)]
