"""Images against severities: transformed, brought back, the signed difference, and the answers, a page at a time."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import streamlit as st

from engine.methods.input_optimization.curves import worst_grids
from engine.methods.input_optimization.result import NOT_REACHED, REACHED, Optimisation
from engine.methods.input_optimization.wording import said_combination
from engine.toolkit.transforms.families import family_named
from pages.parts.draw import draw
from pages.parts.grid import data_url
from pages.parts.input_optimization.lines import Line, lines_of
from pages.parts.input_optimization.opened_pair import STATES, opened_pair
from pages.parts.input_optimization.scene import Scene, WayBack, brushed, chosen_families
from pages.parts.pictures import as_image, signed
from pages.parts.saving import captioned
from pages.parts.thumbnails import thumbnails
from pages.parts.tiles import Picture, picture_table

if TYPE_CHECKING:
    from engine.methods.input_optimization.preview import Looks, Ways

PAGE, TILE = 4, 64
FIRST_BREAK, LAST_BREAK, FAR, FILE = "breaks first", "breaks last", "longest way back", "file name"


def image_rows(scene: Scene) -> None:
    """The table of pictures and, beside it, the one that was clicked."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        line = choose_line(scene)
        order = st.selectbox(
            "First",
            [FIRST_BREAK, LAST_BREAK, FAR, FILE],
            key=scene.key("rows first"),
            width=170,
            help="before all others those that were brought back, which have more to show",
        )
    images = ordered(scene, line, order)
    pages = -(-len(images) // PAGE)
    page = st.pagination(pages, key=scene.key(f"rows page {line.name} {order}")) if pages > 1 else 1
    shown = images[(page - 1) * PAGE : page * PAGE]
    left, right = st.columns([5, 2], gap="medium")
    with left:
        key = scene.key(f"rows {line.name} {order} {page}")
        picked = clicked(key) or f"{shown[0]} {line.combinations[-1]}"
        draw_table(scene, line, shown, key, picked)
    with right, st.container(border=True):
        image, combination = (int(part) for part in picked.split())
        opened_pair(scene, line.grid, image, combination)


def choose_line(scene: Scene) -> Line:
    """The line to lay images out against: at first that of a clicked strip, else of the worst family."""
    lines = lines_of(scene)
    clicked = [family_named(name).title for name in chosen_families(scene)]
    worst = [family_named(scene.sweep.grids[grid].families[0]).title for grid in worst_grids(scene.sweep, 1)]
    first = next((name for name in [*clicked[::-1], *worst] if name in lines), next(iter(lines)))
    names = list(lines)
    key = scene.key(f"line {first}")
    return lines[st.selectbox("Transform", names, index=names.index(first), key=key, width=240)]


def ordered(scene: Scene, line: Line, order: str) -> np.ndarray:
    """The sweep's images, or those that are brushed, in order; before all others those that were brought back."""
    here = brushed(scene, "image")
    images = here if len(here) else np.arange(len(scene.sweep.ids))
    known = np.unique(scene.way_back.optimisation.image) if scene.way_back else np.empty(0, dtype=np.int64)
    return images[np.lexsort((sort_key(scene, line, order)[images], ~np.isin(images, known)))]


def sort_key(scene: Scene, line: Line, order: str) -> np.ndarray:
    """(N,) what images are sorted by, the smallest first; an image that is wrong unchanged comes last."""
    if order == FILE:
        images = scene.subject.images
        names = [str(images.names[images.position[each]]) for each in scene.sweep.ids.tolist()]
        return np.unique(names, return_inverse=True)[1]
    if order == FAR and scene.way_back is not None:
        return -longest_way(scene.way_back.optimisation, line.grid, len(scene.sweep.ids))
    sides = [place for place, (family, _) in enumerate(scene.breakpoints.image_sides) if family in line.families]
    first = scene.breakpoints.image_breaks[:, sides].min(axis=1)
    never = np.isinf(first) | (first == 0)
    return np.where(never, np.inf, first if order == FIRST_BREAK else -first)


def longest_way(found: Optimisation, grid: int, count: int) -> np.ndarray:
    """(N,) the longest way back of each image under a grid; one that was not reached is longer than all."""
    longest = np.zeros(count)
    own = found.grid == grid
    distance = np.where(found.state == NOT_REACHED, np.inf, found.distance)
    np.maximum.at(longest, found.image[own], distance[own])
    return longest


def clicked(key: str) -> str:
    """The key of the picture that was clicked in a table, "" if none was."""
    event = st.session_state.get(key) or {}
    points = event.get("selection", {}).get("pick", []) if event else []
    return next((point["key"] for point in points if point.get("key")), "")


def draw_table(scene: Scene, line: Line, shown: np.ndarray, key: str, picked: str) -> None:
    """The pictures of a page."""
    pictures, names = pictures_of(scene, line, shown)
    chart = picture_table(pictures, ["unchanged", *line.heads], names, TILE, picked)
    draw(chart, key, "Images against severities", "rerun")
    captioned(
        chart,
        key,
        f"{line.name}, {line.unit}. Below an image that was brought back: what the optimiser made of it, "
        "and what that adds (blue) and takes away (orange), on one scale an image. Click one to open it.",
        f"{'-'.join(line.families)}-images",
    )


def pictures_of(scene: Scene, line: Line, images: np.ndarray) -> tuple[list[Picture], list[str]]:
    """The pictures of a page, and the names of its rows."""
    from engine.methods.input_optimization.preview import under_one, ways_back

    pictures: list[Picture] = []
    names: list[str] = []
    with scene.bench.quick(scene.subject) as quick:
        for image in images.tolist():
            label = scene.sweep.classes[scene.sweep.labels[image]]
            keys = [f"{image} {combination}" for combination in line.combinations.tolist()]
            way_back = scene.way_back
            rows = way_back.rows(image, line.grid, line.combinations) if way_back else np.empty(0, dtype=np.int64)
            pictures.append(unchanged(scene, image, len(names)))
            if way_back is None or not len(rows):
                many = np.full(len(line.combinations), image)
                seen = under_one(quick, scene.sweep, many, line.grid, line.combinations)
                pictures += answered_row(scene, line, seen, len(names), label, keys)
                names.append(f"label {label}")
                continue
            ways = ways_back(quick, scene.sweep, way_back.optimisation, rows)
            pictures += answered_row(scene, line, ways.transformed, len(names), label, keys)
            pictures += answered_row(scene, line, ways.optimised, len(names) + 1, label, keys)
            pictures += difference_row(way_back, ways, rows, len(names) + 2, keys)
            names += [f"label {label}", "brought back", "difference"]
    return pictures, names


def unchanged(scene: Scene, image: int, row: int) -> Picture:
    """The image as it is, with its answer."""
    answer, sure = scene.sweep.clean.prediction[image, 0], scene.sweep.clean.confidence[image, 0]
    sample_id = str(scene.sweep.ids[image])
    images = scene.subject.images
    said = f"{scene.sweep.classes[answer]} {sure:.0%}"
    return Picture(
        row=row,
        column=0,
        url=thumbnails(images, [sample_id], TILE)[0],
        caption=said,
        hint=f"{images.names[images.position[sample_id]]}: {said}",
        wrong=not scene.sweep.clean_right[image],
    )


def answered_row(scene: Scene, line: Line, seen: Looks, row: int, label: str, keys: list[str]) -> list[Picture]:
    """Images with the answer to each."""
    classes, swept = scene.sweep.classes, scene.sweep.grids[line.grid]
    return [
        Picture(
            row=row,
            column=place + 1,
            url=data_url(as_image(pixels), TILE),
            caption=f"{classes[answer]} {sure:.0%}",
            hint=f"{said_combination(swept.families, swept.severities[line.combinations[place]])}: {classes[answer]}",
            wrong=classes[answer] != label,
            key=keys[place],
        )
        for place, (pixels, answer, sure) in enumerate(zip(seen.pixels, seen.prediction, seen.confidence, strict=True))
    ]


def difference_row(way_back: WayBack, ways: Ways, rows: np.ndarray, row: int, keys: list[str]) -> list[Picture]:
    """The signed changes of an image, on one scale, with their lengths."""
    found = way_back.optimisation
    most = float(np.abs(ways.change).max())
    return [
        Picture(
            row=row,
            column=place + 1,
            url=data_url(signed(change, most), TILE),
            caption=f"L2 {found.distance[pair]:.2f}"
            if found.state[pair] == REACHED
            else STATES[int(found.state[pair])],
            hint=f"{STATES[int(found.state[pair])]}, {found.steps[pair]} steps",
            wrong=bool(found.state[pair] == NOT_REACHED),
            key=keys[place],
        )
        for place, (change, pair) in enumerate(zip(ways.change, rows.tolist(), strict=True))
    ]
