"""Families swept together: accuracy under both, the line where it breaks, and how they act on each other."""

from __future__ import annotations

import streamlit as st

from engine.methods.input_optimization.result import Interaction
from engine.methods.input_optimization.sentences import how_two_act
from engine.toolkit.transforms.families import family_named
from pages.parts.draw import draw
from pages.parts.input_optimization.scene import Scene
from pages.parts.input_optimization.sweep_charts import interaction_heat
from pages.parts.saving import captioned
from pages.parts.text import plain


def two_together(scene: Scene, place: int, found: Interaction) -> None:
    """The heat map of a pair of families, and what it says."""
    st.markdown(f"##### {' and '.join(family_named(each).title for each in found.families)} together")
    chart, key = interaction_heat(found), scene.key(f"interaction {place}")
    draw(chart, key, "Accuracy under two transforms together")
    said = f"The black line is where accuracy falls past the rule; n = {len(scene.sweep.ids):,} images in each cell."
    captioned(chart, key, said, "two-transforms")
    st.markdown(plain(how_two_act(found)))
