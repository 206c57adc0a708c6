"""The gallery: image, overlay and map of each image, worst first, on one scale; clicks pick, the last one opens."""

from __future__ import annotations

import numpy as np
import streamlit as st
from PIL import Image

from engine.methods.cam_training.colouring import coloured, overlay
from engine.methods.cam_training.geometry import map_on_image
from engine.methods.cam_training.result import Cams
from engine.methods.cam_training.sentences import unit_of
from pages.parts import picks
from pages.parts.cam_training.opened_image import opened_image
from pages.parts.cam_training.scene import Scene
from pages.parts.cam_training.selecting import keep_rows
from pages.parts.draw import draw
from pages.parts.grid import GAP, TILE, Tile, data_url, image_grid
from pages.parts.text import plain

THREE, OVERLAY, MAP = "image, overlay, map", "overlay", "map"
COLUMNS = {THREE: 3, OVERLAY: 6, MAP: 6}
PAGE_ROWS = 7
WORST, BEST, SURE, NAME = "least inside first", "most inside first", "most confident first", "by file name"


def gallery(scene: Scene) -> None:
    """A page of tiles, and the opened image beside it."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        show = st.segmented_control("Show", list(COLUMNS), default=THREE, required=True, key="gallery show")
        orders = [WORST, BEST, SURE, NAME] if scene.places is not None else [SURE, NAME]
        order = st.selectbox("Order", orders, key=f"gallery order {len(orders)}", width=210)
    rows = ordered(scene, order)
    size = PAGE_ROWS * COLUMNS[show]
    pages = -(-len(rows) // size)
    grid, card = st.columns([5, 3], gap="medium")
    with grid:
        page = st.pagination(pages, key=scene.key(f"gallery page {show} {order}")) if pages > 1 else 1
        shown = rows[(page - 1) * size : page * size]
        draw_tiles(scene, shown, show, scene.key(f"gallery {show} {order} {page}"))
        st.caption(scale_said(scene))
    position = {sample_id: row for row, sample_id in enumerate(scene.cams.ids.tolist())}
    chosen = [position[each] for each in picks.picked() if each in position]
    opened = position.get(st.session_state.get("opened image", ""), int(shown[0]))
    with card, st.container(border=True):
        opened_image(scene, opened)
    with st.container(border=True):
        if chosen:
            st.markdown(f"**{len(chosen):,} picked images**")
            st.button("Clear picks", key=scene.key("clear"), on_click=picks.clear)
            keep_rows(scene, chosen, "picked by their maps")
        else:
            st.markdown(f"**The {len(shown):,} images of this page, {order}**")
            keep_rows(scene, shown.tolist(), f"maps, {order}")


def ordered(scene: Scene, order: str) -> np.ndarray:
    """(N,) the rows in the wanted order."""
    if order == WORST:
        return scene.worst_first()
    if order == BEST and scene.places is not None:
        return np.argsort(-np.nan_to_num(scene.places.energy, nan=-np.inf), kind="stable")
    if order == SURE:
        return np.argsort(-scene.cams.confidence, kind="stable")
    images = scene.subject.images
    names = [str(images.names[images.position[each]]) for each in scene.cams.ids.tolist()]
    return np.argsort(np.array(names), kind="stable")


def draw_tiles(scene: Scene, rows: np.ndarray, show: str, chart: str) -> None:
    """The tiles of these rows, in one chart."""
    cams, images = scene.cams, scene.subject.images
    chart, before = picks.appearing(chart)
    ids = cams.ids[rows].tolist()
    pixels = images.read([images.position[each] for each in ids])
    tiles = []
    for place, row in enumerate(rows.tolist()):
        sample_id, caption = ids[place], said(scene, row)
        hint = f"{images.names[images.position[sample_id]]}: {caption}"
        strip = composed(pixels[place], cams, row, show, scene.most)
        wrong = cams.labels[row] >= 0 and cams.labels[row] != cams.predictions[row]
        tiles.append(
            Tile(
                sample_id,
                data_url(strip, len(show.split(", ")) * TILE),
                caption,
                hint,
                bool(wrong),
                sample_id in before,
            )
        )
    words = f"{len(tiles)} images with their maps, answers and the share of evidence inside"
    draw(image_grid(tiles, COLUMNS[show]), chart, words, lambda: picks.turn_over(chart))


def said(scene: Scene, row: int) -> str:
    """Label, answer, and how much of the evidence is where it may be."""
    cams = scene.cams
    label = cams.classes[cams.labels[row]] if cams.labels[row] >= 0 else "?"
    words = f"{label} → {cams.classes[cams.predictions[row]]}"
    if scene.places is None:
        return f"{words}, {cams.confidence[row]:.0%}"
    energy = scene.places.energy[row]
    return f"{words}, {energy:.0%} inside" if np.isfinite(energy) else f"{words}, no evidence"


def composed(pixels: np.ndarray, cams: Cams, row: int, show: str, most: float) -> Image.Image:
    """What is shown of one image (C, H, W), side by side."""
    values = map_on_image(cams.maps[row : row + 1], cams.seen, *pixels.shape[1:])[0]
    plain_image = np.broadcast_to(pixels.transpose(1, 2, 0), (*pixels.shape[1:], 3))
    parts = {"image": plain_image, OVERLAY: overlay(pixels, values, most), MAP: coloured(values, most)}
    wanted = [parts[name] for name in show.split(", ")]
    gap = np.full((pixels.shape[1], max(1, pixels.shape[2] // TILE * GAP // 2), 3), 255, np.uint8)
    joined = [piece for each in wanted for piece in (each, gap)][:-1]
    return Image.fromarray(np.concatenate(joined, axis=1))


def scale_said(scene: Scene) -> str:
    """What the colours mean, with the numbers behind them."""
    cams = scene.cams
    signed = bool((cams.maps < 0).any())
    colours = "Blue speaks for it, orange against it" if signed else "The bluer, the more speaks for it"
    return plain(
        f"{colours}; full colour is {scene.most:.3g} {unit_of(cams)} in a cell, in all pictures. Cells run from "
        f"{cams.maps.min():.3g} to {cams.maps.max():.3g}. {cams.maps.shape[1]} x {cams.maps.shape[2]} cells, drawn out "
        "smoothly; click images to pick them, the last one opens."
    )
