"""Likely wrong labels: they masquerade as under- and as over-fitted, so they are looked at beside both."""

from __future__ import annotations

from functools import partial

import numpy as np
import streamlit as st

from engine.methods.input_selection import ISSUES
from engine.methods.input_selection.result import LabelIssues
from engine.methods.input_selection.settings import IssueSettings
from engine.runs.shelf import Selection
from pages.parts import picks, selections
from pages.parts.draw import draw
from pages.parts.grid import TILE, Tile, image_grid
from pages.parts.input_selection.pace import seconds_of_issues
from pages.parts.input_selection.scene import Scene
from pages.parts.run_panel import answered
from pages.parts.text import plain
from pages.parts.thumbnails import thumbnails

SHOWN = 24


def issues(scene: Scene) -> LabelIssues | None:
    """The likely wrong labels of all that were judged, most doubtful first."""
    return answered(
        scene.bench, ISSUES, scene.subject, IssueSettings(), partial(seconds_of_issues, scene), inputs=scene.tapped
    )


def show_issues(scene: Scene, found: LabelIssues | None) -> None:
    """How many, and the most doubtful as pictures; None while they are being looked for."""
    if found is None:
        st.info("They are shown here as soon as they are found.")
        return
    images, classes = scene.subject.images, scene.taps.classes
    rows = np.flatnonzero(found.issue)
    rows = rows[np.argsort(found.quality[rows], kind="stable")]
    own = rows[images.labels[[images.position[each] for each in found.ids[rows].tolist()]] == scene.target]
    folds = int(found.out_of_fold[rows].sum())
    st.markdown(
        plain(
            f"{len(rows):,} of {len(found.ids):,} labels are likely wrong, {len(own):,} of them of "
            f"{classes[scene.target]}. {folds:,} of these images were trained on, or may have been, and are judged by "
            "probes of the last block that did not see them; the others by the classifier and such probes together. "
            "Wrong labels may look like a buggy label, and retraining that takes the hardest images takes them first."
        )
    )
    if not len(rows):
        return
    shown = rows[:SHOWN]
    chart, before = picks.appearing(scene.key("issues"))
    tiles = []
    for row, url in zip(shown.tolist(), thumbnails(images, found.ids[shown].tolist(), TILE), strict=True):
        sample_id = str(found.ids[row])
        index = images.position[sample_id]
        caption = f"{classes[images.labels[index]]}, rather {classes[found.suggested[row]]}"
        hint = f"{images.names[index]}: {caption}, trust {found.quality[row]:.2f}"
        tiles.append(Tile(sample_id, url, caption, hint, True, sample_id in before))
    draw(image_grid(tiles), chart, f"{len(tiles)} likely wrong labels", lambda: picks.turn_over(chart))
    kept = st.button(
        "Keep all as selection", key=scene.key("keep issues"), icon=":material/bookmark:", on_click=selections.keep,
        args=(scene.bench, "name likely wrong labels", Selection(
            "likely wrong labels", scene.subject.dataset, "confident learning", tuple(found.ids[rows].tolist())
        )),
    )  # fmt: skip
    if kept:
        st.rerun()
