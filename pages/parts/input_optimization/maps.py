"""The two maps: transforms, and images, near each other where the network reacts alike; a brush narrows the page."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import streamlit as st

from engine.methods.input_optimization.result import NOT_REACHED, REACHED, Map, Optimisation
from engine.methods.input_optimization.wording import said_combination
from engine.toolkit.projection import METHODS
from engine.toolkit.transforms.families import family_named
from pages.parts.draw import draw
from pages.parts.grid import data_url
from pages.parts.input_optimization.map_charts import Dot, point_map, within_brush
from pages.parts.input_optimization.scene import Scene, WayBack, brush_key, brushed
from pages.parts.pictures import as_image
from pages.parts.saving import captioned
from pages.parts.thumbnails import thumbnails

HOVER = 96  # pixels
METHOD = "map method"


def chosen_method() -> str:
    """How the maps are projected."""
    return st.session_state.get(METHOD, "pca")


def maps(scene: Scene, way_back: WayBack) -> None:
    """Both maps side by side, with what colours them."""
    st.segmented_control(
        "Projection",
        list(METHODS),
        default="pca",
        required=True,
        format_func=METHODS.__getitem__,
        key=METHOD,
        persist_state="session",
        help="PCA is at once; t-SNE and UMAP keep neighbours together, UMAP takes about 20 s the first time",
    )
    if chosen_method() != way_back.method:
        st.rerun()  # the maps are asked for by the page, not by this fragment
    if way_back.transforms is None or way_back.images is None:
        st.info("The maps are being drawn.")
        return
    left, right = st.columns(2, gap="medium")
    with left:
        one_map(
            scene,
            way_back,
            way_back.transforms,
            "transform",
            transform_dots(scene, way_back.optimisation, way_back.transforms),
        )
    with right:
        one_map(scene, way_back, way_back.images, "image", image_dots(scene, way_back.optimisation, way_back.images))
    st.caption(
        "Each point sums up, by ranks, how far the way back is in pixels, features and answers, and the margin "
        f"({', '.join(way_back.transforms.measures)}). Drag over points to see only these everywhere on the page."
    )


def one_map(scene: Scene, way_back: WayBack, found: Map, what: str, dots: list[Dot]) -> None:
    """A map with its colours, and what is brushed on it kept."""
    title = "Transforms" if what == "transform" else "Images"
    st.markdown(f"##### {title}")
    colour = st.selectbox("Coloured by", list(dots[0].colours), key=scene.key(f"colour {what}"), width=220)
    key = scene.key(f"{what} map {way_back.method} {way_back.run_id}")
    here = brushed(scene, what)
    inside = [place in set(here.tolist()) for place in range(len(dots))] if len(here) else None
    chart = point_map(dots, colour, inside)
    draw(chart, key, f"{title} as points", keep_brush(scene, key, what, dots))
    trust = f"trustworthiness {found.trustworthiness:.2f}" if np.isfinite(found.trustworthiness) else "too few to judge"
    asked = way_back.method
    fallen = f"; with so few points {METHODS[asked]} says nothing more" if asked != found.method else ""
    captioned(chart, key, f"{METHODS[found.method]}, n = {len(dots)}, {trust}{fallen}.", f"map-of-{what}s")


def keep_brush(scene: Scene, key: str, what: str, dots: list[Dot]) -> Callable[[], None]:
    """Remembers which points were brushed, before the page is drawn anew."""

    def kept() -> None:
        st.session_state[brush_key(scene, what)] = within_brush(dots, st.session_state[key])

    return kept


def transform_dots(scene: Scene, optimisation: Optimisation, found: Map) -> list[Dot]:
    """One point a combination of severities; along its first family they are joined."""
    pictures = transform_pictures(scene.run_id, found.grid.tolist(), found.combination.tolist(), scene)
    dots = []
    for place, (grid, combination) in enumerate(zip(found.grid.tolist(), found.combination.tolist(), strict=True)):
        swept = scene.sweep.grids[grid]
        severities = swept.severities[combination]
        own = (optimisation.grid == grid) & (optimisation.combination == combination)
        colours = {
            "transform": " + ".join(family_named(name).title for name in swept.families),
            "accuracy": float(scene.sweep.right(grid)[: int(optimisation.image.max()) + 1, combination].mean()),
            "way back, median L2": median(optimisation.distance[own & (optimisation.state == REACHED)]),
            "severity": float(np.abs(severities).max()),
        }
        colours |= {
            family_named(name).title: family_named(name).value(float(severity))
            for name, severity in zip(swept.families, severities, strict=True)
            if len(swept.families) > 1
        }
        others = " ".join(f"{severity:g}" for severity in severities[1:])
        side = f"{np.sign(severities[0]):.0f}" if len(severities) == 1 else ""
        dots.append(
            Dot(
                x=float(found.place[place, 0]),
                y=float(found.place[place, 1]),
                name=said_combination(swept.families, severities),
                picture=pictures[place],
                colours=colours,
                path=f"{grid} {others}{side}",
                order=float(severities[0]),
            )
        )
    return dots


@st.cache_data(show_spinner=False, max_entries=8)
def transform_pictures(run_id: str, grids: list[int], combinations: list[int], _scene: Scene) -> list[str]:
    """The sweep's first image under each of these combinations, as data URLs."""
    from engine.methods.input_optimization.preview import under_one

    del run_id
    found: dict[int, list[int]] = {}
    for place, grid in enumerate(grids):
        found.setdefault(grid, []).append(place)
    urls = [""] * len(grids)
    with _scene.bench.quick(_scene.subject) as quick:
        for grid, places in found.items():
            first = np.zeros(len(places), dtype=np.int64)
            seen = under_one(quick, _scene.sweep, first, grid, np.array([combinations[place] for place in places]))
            for place, pixels in zip(places, seen.pixels, strict=True):
                urls[place] = data_url(as_image(pixels), HOVER)
    return urls


def image_dots(scene: Scene, optimisation: Optimisation, found: Map) -> list[Dot]:
    """One point an image."""
    ids = scene.sweep.ids[found.image].tolist()
    urls = thumbnails(scene.subject.images, ids, HOVER)
    dots = []
    for place, image in enumerate(found.image.tolist()):
        own = optimisation.image == image
        label = scene.sweep.classes[scene.sweep.labels[image]]
        colours: Mapping[str, Any] = {
            "label": label,
            "right on how many of the transforms": float(right_share(scene, optimisation, image)),
            "way back, median L2": median(optimisation.distance[own & (optimisation.state == REACHED)]),
            "not reached": int(np.count_nonzero(optimisation.state[own] == NOT_REACHED)),
        }
        index = scene.subject.images.position[ids[place]]
        dots.append(
            Dot(
                x=float(found.place[place, 0]),
                y=float(found.place[place, 1]),
                name=f"{scene.subject.images.names[index]}, label {label}",
                picture=urls[place],
                colours=colours,
            )
        )
    return dots


def right_share(scene: Scene, optimisation: Optimisation, image: int) -> float:
    """On what share of the optimised transforms an image is recognised."""
    grids = np.unique(optimisation.grid)
    return float(np.concatenate([scene.sweep.right(int(grid))[image] for grid in grids]).mean())


def median(values: np.ndarray) -> float:
    """The median, 0 of nothing: nothing had to be done."""
    return float(np.median(values)) if len(values) else 0.0
