"""One image under one severity, opened: unchanged, transformed, brought back, the difference, answers and numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import streamlit as st

from engine.methods.input_optimization.result import ALREADY, NOT_REACHED, REACHED
from engine.methods.input_optimization.wording import said_combination, said_value
from engine.toolkit.transforms.families import family_named
from pages.parts.charts import top_classes
from pages.parts.draw import draw
from pages.parts.grid import data_url
from pages.parts.input_optimization.scene import Scene, WayBack
from pages.parts.input_optimization.trying import TRIED
from pages.parts.pictures import as_image, signed
from pages.parts.text import plain

if TYPE_CHECKING:
    from engine.methods.input_optimization.preview import Looks, Ways

SIDE, SHOWN = 118, 3  # pixels, classes
STATES = {ALREADY: "passes as it is", REACHED: "brought back", NOT_REACHED: "not brought back"}


def opened_pair(scene: Scene, grid: int, image: int, combination: int) -> None:
    """The pair of an image of the sweep and a combination of a grid."""
    from engine.methods.input_optimization.preview import under_one, ways_back

    label = scene.sweep.classes[scene.sweep.labels[image]]
    swept = scene.sweep.grids[grid]
    st.markdown(f"**Label {plain(label)}**, {plain(said_combination(swept.families, swept.severities[combination]))}")
    st.caption(plain(own_breaks(scene, swept.families, image)))
    one, ways = np.array([combination]), scene.way_back
    rows = ways.rows(image, grid, one) if ways else np.empty(0, dtype=np.int64)
    with scene.bench.quick(scene.subject) as quick:
        if ways is None or not len(rows):
            seen = under_one(quick, scene.sweep, np.array([image]), grid, one)
            st.image(data_url(as_image(seen.pixels[0]), SIDE), alt=f"label {label}, transformed")
            answers(scene, seen, label, "transformed")
        else:
            found = ways_back(quick, scene.sweep, ways.optimisation, rows)
            four_pictures(found)
            numbers(ways, int(rows[0]))
            answers(scene, found.transformed, label, "transformed")
            answers(scene, found.optimised, label, "brought back")
    sample_id = str(scene.sweep.ids[image])
    if st.button("Try this image above", key=scene.key("try this")):
        st.session_state[TRIED] = sample_id
        st.rerun()  # the preview is no part of this fragment


def own_breaks(scene: Scene, families: tuple[str, ...], image: int) -> str:
    """From where on the image's answer is wrong for good, on each side of these families."""
    found, said = scene.breakpoints, []
    for place, (family, sign) in enumerate(found.image_sides):
        if family in families:
            severity = float(found.image_breaks[image, place])
            again = ", after being right again" if found.image_returns[image, place] and np.isfinite(severity) else ""
            at = said_value(family, sign * severity) if severity else "wrong unchanged"
            said.append(f"{family_named(family).title}: {at}{again}")
    return "Wrong for good from: " + "; ".join(said) + "."


def four_pictures(ways: Ways) -> None:
    """Unchanged, transformed, brought back, and the difference of the last two."""
    most = float(np.abs(ways.change).max())
    shown = {
        "unchanged": as_image(ways.clean.pixels[0]),
        "transformed": as_image(ways.transformed.pixels[0]),
        "brought back": as_image(ways.optimised.pixels[0]),
        f"difference, ±{most:.2f}": signed(ways.change[0], most),
    }
    with st.container(horizontal=True, gap="small"):
        for name, picture in shown.items():
            with st.container(width=SIDE, gap=None):
                st.image(data_url(picture, SIDE), alt=name)
                st.caption(name)


def numbers(ways: WayBack, row: int) -> None:
    """The pair's numbers in a line."""
    found, differences = ways.optimisation, ways.differences
    said = [STATES[int(found.state[row])], f"loss {found.loss_before[row]:.2f} → {found.loss_after[row]:.2f} nats"]
    if found.state[row] == REACHED:
        said.append(f"L2 {found.distance[row]:.2f} in {found.steps[row]} steps")
    if differences is not None:
        way = differences.transformed_optimised
        said += [
            f"{name} {value:.2f}"
            for name, value in (
                ("SSIM", way.ssim[row]),
                ("cosine of features", way.feature_cosine[row]),
                ("KL", way.kl[row]),
                ("margin distance", differences.margin_distance[row]),
            )
            if np.isfinite(value)
        ]
    st.caption(" · ".join(plain(each) for each in said))


def answers(scene: Scene, seen: Looks, label: str, name: str) -> None:
    """The likeliest classes of one version."""
    order = np.argsort(-seen.shares[0], kind="stable")[:SHOWN]
    classes = [scene.sweep.classes[index] for index in order]
    st.caption(name)
    chart = top_classes(classes, seen.shares[0][order].tolist(), label)
    draw(chart, scene.key(f"answers {name}"), f"Likeliest classes, {name}")
