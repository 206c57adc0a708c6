"""What speaks for a label where it is recognised, lost or seen wrongly: six heat maps on one scale."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import streamlit as st
from PIL import Image

from engine.methods.input_selection.heat_maps import heat_maps
from engine.methods.input_selection.layer_choice import LayerChoice
from engine.methods.input_selection.result import HeatMap, Probes
from engine.methods.input_selection.settings import MODES
from pages.parts.draw import draw
from pages.parts.grid import data_url
from pages.parts.input_selection.scene import Scene
from pages.parts.input_selection.words import MAP_TITLES, MODE_TITLES
from pages.parts.pictures import signed
from pages.parts.text import plain
from pages.parts.tiles import Picture, picture_table

TILE = 130


def heat(scene: Scene, probes: Probes, layer: LayerChoice) -> None:
    """The maps of the chosen layer, or of pixels."""
    mode = st.segmented_control(
        "Of", MODES, default=MODES[0], required=True, format_func=MODE_TITLES.__getitem__, key=scene.key("heat mode")
    )
    maps = maps_of(scene.key(f"{mode} {layer.tap}"), scene, probes, layer.tap, mode)
    most = max(float(np.quantile(np.abs(each.values), 0.995)) for each in maps)
    pictures = [
        Picture(place // 3, place % 3, data_url(drawn(each, most), TILE), said(each), hint(each), wrong=False)
        for place, each in enumerate(maps)
    ]
    rows = ["the label", "differences"]
    titles = [MAP_TITLES[each.name].split(":")[0] for each in maps[:3]]
    says = f"Six heat maps of {scene.taps.classes[scene.target]}, of {MODE_TITLES[mode]}"
    draw(picture_table(pictures, titles, rows, TILE), scene.key(f"heat {mode} {layer.tap}"), says)
    unit = "of what a feature adds to the probe's logit" if mode == "feature" else "of pixel values, mean over colours"
    st.caption(
        f"Blue adds, orange takes away; full colour is ±{most:.3g} {unit}, in all six. " + notes(maps)
        + (" Each square is a channel's map, one beside the other." if mode == "feature" else "")
    )  # fmt: skip


@st.cache_data(show_spinner=False, max_entries=16)
def maps_of(name: str, _scene: Scene, _probes: Probes, _tap: int, _mode: str) -> tuple[HeatMap, ...]:
    """The label's six maps, worked out once; those of pixels read the images."""
    del name
    return heat_maps(_scene.taps, _probes, _tap, _scene.target, _mode, _scene.subject.images)


def drawn(each: HeatMap, most: float) -> Image.Image:
    """A map as a picture: pixels as they lie, channels side by side in a near square."""
    values = each.values.reshape(each.shape)
    if each.shape[0] in (1, 3) and each.shape[1] > 1:
        return signed(values, most)
    channels, height, width = each.shape
    across = int(np.ceil(np.sqrt(channels)))
    down = -(-channels // across)
    sheet = np.zeros((down * across, height, width))
    sheet[:channels] = values
    joined = sheet.reshape(down, across, height, width).transpose(0, 2, 1, 3).reshape(down * height, across * width)
    return signed(joined[None], most)


def said(each: HeatMap) -> str:
    """How many images are behind it."""
    return f"{each.group:,} images" + (f" less {each.against:,}" if each.against else "")


def hint(each: HeatMap) -> str:
    """What a hover says."""
    return f"{MAP_TITLES[each.name]}: {said(each)}"


def notes(maps: Sequence[HeatMap]) -> str:
    """What had to be said of groups that were too small."""
    found = [f"{MAP_TITLES[each.name].split(':')[0]}: {each.note}." for each in maps if each.note]
    return plain(" ".join(found))
