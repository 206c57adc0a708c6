"""What the optimiser adds and erases on average, for each label and for each pair of labels it confuses."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import streamlit as st

from engine.methods.input_optimization.cues import Cue, by_confusion, by_label
from engine.toolkit.transforms.families import family_named
from pages.parts.draw import draw
from pages.parts.grid import data_url
from pages.parts.input_optimization.scene import Scene, WayBack
from pages.parts.pictures import signed
from pages.parts.saving import captioned
from pages.parts.tiles import Picture, picture_table

TILE, MOST, COLUMNS = 110, 10, 10


def cues(scene: Scene, way_back: WayBack) -> None:
    """The mean changes under one of the transforms whose images were brought back."""
    found = way_back.optimisation
    grids = dict.fromkeys(found.grid.tolist())
    names = {grid: " + ".join(family_named(each).title for each in scene.sweep.grids[grid].families) for grid in grids}
    grid = st.selectbox("Transform", list(names), format_func=names.__getitem__, key=scene.key("cues of"), width=240)
    table(scene, by_label(scene.sweep, found, grid), "By label", "cues by label")
    table(scene, by_confusion(scene.sweep, found, grid, MOST), "By label and wrong answer, the commonest first", "cues")
    st.caption(
        "Mean change that brought the true answer back. Blue: light is added; orange: light is taken away; each on a "
        "scale of its own (hover for it). What comes again and again is what the network looks for; n counts pairs."
    )


def table(scene: Scene, found: Sequence[Cue], title: str, key: str) -> None:
    """One picture a cue."""
    st.markdown(f"##### {title}")
    if not found:
        st.info("No pair of this kind was brought back.")
        return
    classes = scene.sweep.classes
    pictures = []
    for place, cue in enumerate(found):
        most = float(np.abs(cue.change.mean(axis=0)).max())
        said = classes[cue.label] if cue.prediction < 0 else f"{classes[cue.label]} from {classes[cue.prediction]}"
        pictures.append(
            Picture(
                row=place // COLUMNS,
                column=place % COLUMNS,
                url=data_url(signed(cue.change, most), TILE),
                caption=f"{said}, n = {cue.n}",
                hint=f"{said}: ±{most:.3f} at most, {cue.n} pairs of {cue.images} images",
                wrong=False,
            )
        )
    rows = -(-len(found) // COLUMNS)
    chart = picture_table(pictures, [""] * COLUMNS, [""] * rows, TILE)
    draw(chart, scene.key(key), title)
    said = f"{sum(cue.n for cue in found):,} pairs that were brought back."
    captioned(chart, scene.key(key), said, key.replace(" ", "-"))
