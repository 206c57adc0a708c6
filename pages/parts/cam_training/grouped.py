"""Maps that are alike, group by group: the mean map, how many, how good, and the images that are most typical."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import streamlit as st

from engine.methods.cam_training import GROUPS
from engine.methods.cam_training.colouring import coloured, overlay
from engine.methods.cam_training.geometry import map_on_image
from engine.methods.cam_training.result import Groups
from engine.methods.cam_training.sentences import what_groups_there_are
from engine.methods.cam_training.settings import GroupSettings
from engine.runs.run import Input
from engine.toolkit.statistics import rate
from pages.parts.cam_training.scene import Scene
from pages.parts.cam_training.selecting import keep_rows
from pages.parts.draw import draw
from pages.parts.grid import data_url
from pages.parts.pictures import as_image
from pages.parts.run_panel import answered
from pages.parts.text import plain
from pages.parts.tiles import Picture, picture_table

TILE, TYPICAL = 84, 7
ALL = -1


def grouped(scene: Scene) -> None:
    """Choose whose maps, and see their groups."""
    classes = scene.cams.classes
    there = [int(label) for label in np.unique(scene.cams.labels) if label >= 0]
    label = st.selectbox(
        "Maps of",
        [ALL, *there],
        format_func=lambda each: "all these images" if each == ALL else f"label {classes[each]}",
        key=scene.key("grouped label"),
        width=240,
    )
    settings, inputs = GroupSettings(label), {"cams": Input(scene.run_id, scene.cams)}
    found = answered(scene.bench, GROUPS, scene.subject, settings, estimated(scene, settings), inputs=inputs)
    if found is None:
        return
    for sentence in what_groups_there_are(found, scene.cams, scene.units):
        st.markdown(plain(sentence))
    if not len(found.mean_maps):
        return
    draw_groups(scene, found)
    group = st.segmented_control(
        "Take out group", range(len(found.mean_maps)), default=0, required=True,
        format_func=lambda each: f"{each + 1}", key=scene.key(f"group {label}"),
    )  # fmt: skip
    rows = np.flatnonzero(found.group == group)
    keep_rows(scene, rows.tolist(), f"maps of group {group + 1}")


def estimated(scene: Scene, settings: GroupSettings) -> Callable[[], float]:
    """How long grouping takes, measured on a few maps."""

    def seconds() -> float:
        from engine.methods.cam_training.estimate import seconds_of_groups

        return seconds_of_groups(scene.cams, settings)

    return seconds


def draw_groups(scene: Scene, found: Groups) -> None:
    """A row for each group: its mean map, then its most typical images."""
    images, cams = scene.subject.images, scene.cams
    pictures, names = [], []
    for group in range(len(found.mean_maps)):
        members = np.flatnonzero(found.group == group)
        members = members[np.argsort(found.distance[members], kind="stable")]
        names.append(f"{group + 1}: {len(members)} images")
        pictures.append(mean_picture(scene, found, group, members))
        shown = members[:TYPICAL]
        pixels = images.read([images.position[each] for each in cams.ids[shown].tolist()])
        for column, row in enumerate(shown.tolist(), start=1):
            values = map_on_image(cams.maps[row : row + 1], cams.seen, *pixels.shape[2:])[0]
            drawn = overlay(pixels[column - 1], values, scene.most)
            label = cams.classes[cams.labels[row]] if cams.labels[row] >= 0 else "?"
            caption = f"{label} → {cams.classes[cams.predictions[row]]}"
            wrong = bool(cams.labels[row] >= 0 and cams.labels[row] != cams.predictions[row])
            hint = f"{images.names[images.position[str(cams.ids[row])]]}: {caption}"
            pictures.append(Picture(group, column, data_url(as_image(drawn), TILE), caption, hint, wrong))
    columns = ["mean map", *(["most typical"] + [""] * (TYPICAL - 1))]
    says = f"{len(names)} groups of maps, each with its mean map and typical images"
    draw(picture_table(pictures, columns, names, TILE), scene.key(f"groups {len(found.group)} {names}"), says)
    st.caption(
        "k-means of the maps' positive parts scaled to one length; as many groups as stand out most from maps without "
        "groups, one where none do. Below the mean map: accuracy, and the share of evidence inside."
    )


def mean_picture(scene: Scene, found: Groups, group: int, members: np.ndarray) -> Picture:
    """The group's mean map, with its accuracy and the mean energy inside."""
    cams, side = scene.cams, scene.subject.images.frame
    values = map_on_image(found.mean_maps[group : group + 1], cams.seen, side.height, side.width)[0]
    known = members[cams.labels[members] >= 0]
    right = rate(cams.labels[known] == cams.predictions[known], np.unique(scene.units[known], return_inverse=True)[1])
    said = [f"{right.value:.0%} right" if right.n else "no labels"]
    if scene.places is not None and np.isfinite(scene.places.energy[members]).any():
        said.append(f"{np.nanmean(scene.places.energy[members]):.0%} inside")
    hint = f"{len(members)} images; accuracy {right}"
    top = float(found.mean_maps[group].max())
    return Picture(group, 0, data_url(as_image(coloured(values, top)), TILE), ", ".join(said), hint, wrong=False)
