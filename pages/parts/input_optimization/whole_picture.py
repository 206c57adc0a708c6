"""The whole picture: what breaks it and from where on, for all families at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np
import streamlit as st

from engine.methods.input_optimization.breakpoints import breakpoints
from engine.methods.input_optimization.curves import MEASURES, Point, curve, worst_grids
from engine.methods.input_optimization.result import Breakpoint, Breakpoints, Sweep
from engine.methods.input_optimization.sentences import for_all_images, what_breaks
from engine.methods.input_optimization.settings import BreakpointSettings
from engine.methods.input_optimization.wording import far_end, said_value, shown_number
from engine.toolkit.transforms.families import family_named
from pages.parts.draw import draw, written_once
from pages.parts.input_optimization.distances import distance_curve
from pages.parts.input_optimization.scene import Scene, brushed, chosen_families, clear_brushes
from pages.parts.input_optimization.sweep_charts import PALETTE, curves, strips
from pages.parts.input_optimization.together import two_together
from pages.parts.saving import captioned
from pages.parts.text import plain

WORST = 3
ALL_IMAGES = -1  # among the numbers of labels
NAMES = {"accuracy": "accuracy", "loss": "loss", "confidence": "confidence", "shift": "pixel change"}


def partly(partial_result: dict[str, Any]) -> None:
    """The first curves, as a sweep goes on: half and full severities first, then those between."""
    if any(partial_result.values()):
        draw(strips(partial_result, ()), "strips so far", "Accuracy of each transform at the severities known so far")


def whole_picture(scene: Scene) -> None:
    """The sentence, the strips with their breakpoints, the table, and the curves of some families."""
    st.markdown(plain(what_breaks(scene.breakpoints, scene.sweep)))
    images = brushed(scene, "image")
    found = breakpoints_of(scene, images)
    said_brushed(scene, images)
    left, right = st.columns([1, 1], gap="medium")
    with left:
        if scene.single:
            draw_strips(scene, found)
        for place, both in enumerate(found.interactions):
            two_together(scene, place, both)
    with right:
        break_table(scene, found)
    if scene.single:
        draw_curves(scene, images, found)


def breakpoints_of(scene: Scene, images: np.ndarray) -> Breakpoints:
    """Those of all images, or anew of the brushed ones."""
    if not len(images):
        return scene.breakpoints
    return _of_some(f"{scene.run_id} {scene.rule} {images.tolist()}", scene.sweep, images, scene.rule)


@st.cache_data(show_spinner=False, max_entries=8)
def _of_some(name: str, _sweep: Sweep, _images: np.ndarray, _rule: BreakpointSettings) -> Breakpoints:
    del name
    return breakpoints(_sweep.take(_images), _rule)


def said_brushed(scene: Scene, images: np.ndarray) -> None:
    """What is brushed on the maps below, and a way to let it go."""
    transforms = brushed(scene, "transform")
    if len(images) or len(transforms):
        with st.container(horizontal=True, vertical_alignment="center"):
            parts = [f"{len(images)} images"] if len(images) else []
            parts += [f"{len(transforms)} transforms"] if len(transforms) else []
            st.info(f"Brushed on the maps below: {' and '.join(parts)}. What follows shows these.")
            st.button("Show all again", key="clear brushes", on_click=clear_brushes)


def accuracy_curves(
    sweep: Sweep, single: Mapping[str, int], images: np.ndarray
) -> dict[str, list[tuple[float, float]]]:
    """(severity, accuracy) of each family that is swept alone, of some images or of all."""
    rows = images if len(images) else np.arange(len(sweep.ids))
    found = {}
    for name, number in single.items():
        severities = np.append(0.0, sweep.grids[number].severities[:, 0])
        accuracy = np.append(sweep.clean_right[rows].mean(), sweep.right(number)[rows].mean(axis=0))
        order = np.argsort(severities)
        found[name] = list(zip(severities[order].tolist(), accuracy[order].tolist(), strict=True))
    return found


def draw_strips(scene: Scene, found: Breakpoints) -> None:
    """Accuracy of every family against severity, with the breakpoints on it."""
    st.markdown("##### Which changes break it, and from where on")
    rows = [row for row in for_all_images(found) if row.family in scene.single]
    shown = accuracy_curves(scene.sweep, scene.single, brushed(scene, "image"))
    chosen = brushed_families(scene)
    shown = {name: points for name, points in shown.items() if not chosen or name in chosen}
    rows = [row for row in rows if row.family in shown]
    name = f"strips {scene.run_id} {scene.rule} {sorted(shown)} {brushed(scene, 'image').tolist()}"
    chart = written_once(name, partial(strips, shown, rows))
    draw(chart, scene.key("strips"), "Accuracy of each transform against severity, with breakpoints", "rerun")
    captioned(
        chart,
        scene.key("strips"),
        "Blue: right; orange: wrong. The black mark is where accuracy falls past the rule, its line the 95 % interval. "
        "Click transforms to see their curves.",
        "accuracy-by-transform",
    )


def brushed_families(scene: Scene) -> set[str]:
    """The families of the transforms that are brushed on their map."""
    transforms = brushed(scene, "transform")
    if not len(transforms) or scene.way_back is None or scene.way_back.transforms is None:
        return set()
    grids = scene.way_back.transforms.grid[transforms]
    return {name for number in set(grids.tolist()) for name in scene.sweep.grids[number].families}


def break_table(scene: Scene, found: Breakpoints) -> None:
    """Every side's breakpoint, for all images or for one label."""
    st.markdown("##### Breakpoints")
    labels = [ALL_IMAGES, *np.unique(scene.sweep.labels).tolist()]
    label = st.selectbox(
        "Of",
        labels,
        key=scene.key("scope"),
        format_func=lambda each: "all images" if each == ALL_IMAGES else f"label {scene.sweep.classes[each]}",
        width=220,
    )
    chosen = brushed_families(scene)
    every = for_all_images(found) if label == ALL_IMAGES else rows_of_label(found, scene.sweep.classes[label])
    rows = [row for row in every if not chosen or row.family in chosen]
    st.dataframe(
        [table_row(row) for row in sorted(rows, key=by_break)],
        hide_index=True,
        key=scene.key(f"breakpoints {label}"),
        height=min(560, 36 * (len(rows) + 1)),
        column_config={
            "transform": st.column_config.TextColumn(pinned=True, width=185),
            "breaks at": st.column_config.TextColumn(width=175),
            "95 % interval": st.column_config.TextColumn(width=115),
            "other half": st.column_config.TextColumn(
                width=150, help="The breakpoint is found on one half of the images; the same, on the half kept aside."
            ),
            "verified": st.column_config.TextColumn(
                width=70, help="✓: the other half breaks too, at a severity that doesn't differ beyond chance"
            ),
            "of range": st.column_config.ProgressColumn(format="percent", min_value=0, max_value=1, width=90),
        },
        alt="Breakpoints of each transform with intervals",
    )
    n = f"{rows[0].n:,} images" + (f" of {rows[0].units:,} groups" if rows[0].units < rows[0].n else "") if rows else ""
    st.caption(f"n = {n}; found on one half of them, verified on the other." if n else "No such images.")


def rows_of_label(found: Breakpoints, name: str) -> list[Breakpoint]:
    """The rows of a label, one a side; the last of its scope, for a class, too, may be called "all"."""
    return list({(row.family, row.sign): row for row in found.rows if row.scope == name}.values())


def by_break(row: Breakpoint) -> tuple[bool, float]:
    """What breaks first comes first, what doesn't break last."""
    return (not np.isfinite(row.severity), row.severity if np.isfinite(row.severity) else -row.reached_share)


def table_row(row: Breakpoint) -> dict[str, object]:
    """A breakpoint in words."""
    family = family_named(row.family)

    def at(severity: float) -> str:
        if not np.isfinite(severity):
            return f"not {far_end(family, row.sign, row.end)}"
        return said_value(row.family, row.sign * severity)

    ends = [shown_number(family, row.sign * end) if np.isfinite(end) else "beyond" for end in (row.low, row.high)]
    known = np.isfinite(row.severity) and not np.isnan(row.low)
    return {
        "transform": family.title + (f", {family.side(row.sign).name}" if len(family.sides) > 1 else ""),
        "breaks at": at(row.severity),
        "95 % interval": f"{ends[0]} to {ends[1]}" if known else "",
        "verified": {True: "✓", False: "✗", None: ""}[row.verified],
        "other half": at(row.other),
        "of range": row.severity if np.isfinite(row.severity) else None,
        "resamples that break": row.reached_share,
    }


def draw_curves(scene: Scene, images: np.ndarray, found: Breakpoints) -> None:
    """A measure of the chosen families, of the three worst where none is chosen."""
    names = chosen_families(scene) or sorted(brushed_families(scene) & set(scene.single))
    if not names:
        names = [scene.sweep.grids[number].families[0] for number in worst_grids(scene.sweep, WORST)]
    names = names[: len(PALETTE)]
    options = [*MEASURES, "distance"] if scene.way_back and scene.way_back.differences else [*MEASURES]
    st.markdown("##### Curves")
    measure = st.segmented_control(
        "Measure",
        options,
        default="accuracy",
        required=True,
        format_func=lambda each: NAMES.get(each, "distance"),
        key=scene.key("measure"),
        label_visibility="collapsed",
    )
    points = {name: curve_of(scene, name, measure, images) for name in names}
    points = {name: those for name, those in points.items() if those}
    if not points:
        st.info("Distances are known for the transforms whose images were brought back. Choose one of those.")
        return
    threshold = [row.threshold for row in for_all_images(found)[:1]] if measure == "accuracy" else []
    chart = curves(points, measure, threshold)
    draw(chart, scene.key("curves"), f"{measure} of some transforms against severity")
    titles = ", ".join(family_named(name).title for name in points)
    said = f"{titles}: means with 95 % intervals{meaning(measure)} Click strips above to choose others."
    captioned(chart, scene.key("curves"), said, f"{measure}-curves")


def curve_of(scene: Scene, name: str, measure: str, images: np.ndarray) -> Sequence[Point]:
    """The points of one family's curve; none where its distances are not known."""
    if measure == "distance":
        return distance_curve(scene, name, images)
    return curve(scene.sweep, scene.single[name], measure, images if len(images) else None)


def meaning(measure: str) -> str:
    """What a measure is, where its name doesn't say."""
    return {
        "accuracy": "; the dashed line is the rule.",
        "distance": ": how far an image is from the boundary of its answer, above 0 where it is right.",
        "shift": ": how much the transform itself changes the pixels.",
    }.get(measure, ".")
