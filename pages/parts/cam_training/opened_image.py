"""One image opened: large, with its map, its figures, and the maps of all rules side by side."""

from __future__ import annotations

import numpy as np
import streamlit as st

from engine.methods.cam_training.colouring import full_colour, overlay
from engine.methods.cam_training.geometry import map_on_image
from engine.methods.cam_training.rules import RULES
from engine.methods.cam_training.settings import CamSettings
from pages.parts.cam_training.scene import Scene
from pages.parts.grid import data_url
from pages.parts.pictures import as_image
from pages.parts.text import plain
from pages.parts.thumbnails import picture

LARGE, SMALL = 150, 92


def opened_image(scene: Scene, row: int) -> None:
    """The row of the maps, opened."""
    cams, images = scene.cams, scene.subject.images
    sample_id = str(cams.ids[row])
    index = images.position[sample_id]
    label = cams.classes[cams.labels[row]] if cams.labels[row] >= 0 else "no label"
    answer = cams.classes[cams.predictions[row]]
    try:
        pixels = images.read([index])[0]
    except ValueError as error:
        st.warning(plain(str(error)))
        return
    values = map_on_image(cams.maps[row : row + 1], cams.seen, *pixels.shape[1:])[0]
    with st.container(horizontal=True, gap="small"):
        st.image(data_url(picture(images, sample_id), LARGE), alt=f"label {label}")
        st.image(data_url(as_image(overlay(pixels, values, scene.most)), LARGE), alt=f"map for {answer} on the image")
    st.markdown(f"**{plain(label)} → {plain(answer)}**, {cams.confidence[row]:.1%} sure")
    st.caption(" · ".join(plain(each) for each in said(scene, row, index)))
    with st.expander("The same image by every rule", key=scene.key("by every rule"), on_change="rerun") as every:
        if every.open:
            all_rules(scene, index)


def said(scene: Scene, row: int, index: int) -> list[str]:
    """The image's name and figures."""
    cams, images, places = scene.cams, scene.subject.images, scene.places
    words = [str(images.names[index]), str(images.roles[index]), f"score {cams.scores[row]:.2f} logits"]
    if places is None:
        return words
    for name, values in (
        ("energy inside", places.energy),
        ("against chance", places.corrected),
        ("IoU", places.iou),
        ("margin from outside", places.outside),
    ):
        words.append(f"{name} {values[row]:.0%}" if np.isfinite(values[row]) else f"{name}: nothing to measure")
    if np.isfinite(places.pointing[row]):
        words.append(f"hottest cell {'allowed' if places.pointing[row] else 'forbidden'}")
    return words


def all_rules(scene: Scene, index: int) -> None:
    """A small map of every rule that this network allows, each on a scale of its own, for their units differ."""
    from engine.methods.cam_training.cams import one_image

    cams = scene.cams
    with scene.bench.quick(scene.subject) as quick:
        found = one_image(quick, index, CamSettings(layer=cams.layer, of=cams.of, against=cams.against))
    pixels = scene.subject.images.read([index])[0]
    with st.container(horizontal=True, gap="small"):
        for method, values in found.maps.items():
            drawn = overlay(pixels, map_on_image(values[None], cams.seen, *pixels.shape[1:])[0], full_colour(values))
            with st.container(width=SMALL + 4, gap=None):
                st.image(data_url(as_image(drawn), SMALL), alt=f"map by {RULES[method].title}")
                st.caption(plain(RULES[method].title))
    for method, reason in found.missing.items():
        st.caption(plain(f"{RULES[method].title}: {reason}"))
