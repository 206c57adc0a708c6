"""What speaks for a label where it is recognised, lost or seen wrongly: six heat maps on one scale."""

from __future__ import annotations

import io
from collections.abc import Sequence

import numpy as np
import streamlit as st
from PIL import Image

from engine.methods.input_selection.heat_maps import heat_maps
from engine.methods.input_selection.result import HeatMap
from pages.parts.draw import draw
from pages.parts.grid import data_url
from pages.parts.input_selection.scene import Scene
from pages.parts.input_selection.words import MAP_TITLES, MODE_TITLES
from pages.parts.pictures import signed
from pages.parts.saving import captioned
from pages.parts.text import plain
from pages.parts.tiles import Picture, picture_table

TILE = 130


def heat(scene: Scene) -> None:
    """The maps of the chosen layer, or of pixels."""
    mode = map_mode("Of", scene, scene.key("heat mode"))
    maps = maps_of(scene.key(f"{mode} {scene.place}"), scene, mode)
    most = max(float(np.quantile(np.abs(each.values), 0.995)) for each in maps)
    pictures = [
        Picture(place // 3, place % 3, data_url(drawn(each, most), TILE), said(each), hint(each), wrong=False)
        for place, each in enumerate(maps)
    ]
    rows = ["the label", "differences"]
    titles = [MAP_TITLES[each.name].split(":")[0] for each in maps[:3]]
    says = f"Six heat maps of {scene.taps.classes[scene.target]}, of {MODE_TITLES[mode]}"
    chart, key = picture_table(pictures, titles, rows, TILE), scene.key(f"heat {mode} {scene.place}")
    draw(chart, key, says)
    unit = "of what a feature adds to the probe's logit" if mode == "feature" else "of pixel values, mean over colours"
    sheet = " Each square is a channel's map, one beside the other." if mode == "feature" else ""
    names = "; ".join(MAP_TITLES.values())
    caption = f"{names}. Blue adds, orange takes away; full colour is ±{most:.3g} {unit}, in all six."
    caption = f"{caption} {notes(maps)}{sheet}"
    captioned(chart, key, caption, "heat maps")
    st.download_button(
        "Maps as arrays", data=lambda: maps_npz(maps), file_name="maps.npz", mime="application/octet-stream",
        key=f"maps {key}", on_click="ignore", type="tertiary", icon=":material/download:",
    )  # fmt: skip


def map_mode(label: str, scene: Scene, key: str) -> str:
    """What the maps are of; where there are no probes only pixels are left, and nothing is asked."""
    if len(scene.modes) == 1:
        return scene.modes[0]
    return st.segmented_control(
        label, scene.modes, default=scene.modes[0], required=True, format_func=MODE_TITLES.__getitem__, key=key
    )


@st.cache_data(show_spinner=False, max_entries=16)
def maps_of(name: str, _scene: Scene, _mode: str) -> tuple[HeatMap, ...]:
    """The label's six maps, worked out once; those of pixels read the images."""
    del name
    return heat_maps(_scene.taps, _scene.probes, _scene.place, _scene.target, _mode, _scene.subject.images)


def maps_npz(maps: Sequence[HeatMap]) -> bytes:
    """The maps by their names, each (channels, height, width)."""
    buffer = io.BytesIO()
    np.savez_compressed(buffer, allow_pickle=False, **{each.name: each.values.reshape(each.shape) for each in maps})
    return buffer.getvalue()


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
    """What had to be said of the groups, each thing once, for a difference has the notes of both."""
    first: dict[str, str] = {}
    for each in maps:
        for note in filter(None, each.note.split("; ")):
            first.setdefault(note, MAP_TITLES[each.name].split(":")[0])
    return plain(" ".join(f"{name}: {note}." for note, name in first.items()))
