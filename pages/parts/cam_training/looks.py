"""The same test images under several classifiers, side by side: what speaks for the label, and where."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import streamlit as st

from engine.methods.cam_training.colouring import full_colour, overlay
from engine.methods.cam_training.geometry import map_on_image
from engine.methods.cam_training.result import Cams, PartOutcome, Taught
from engine.subject.image_set import Role
from engine.subject.subject import Subject
from engine.workbench import Workbench
from pages.parts.cam_training.words import ARM_TITLES, PART_TITLES
from pages.parts.draw import draw
from pages.parts.grid import data_url
from pages.parts.images_of_test import test_is_open
from pages.parts.pictures import as_image
from pages.parts.tiles import Picture, picture_table

TILE, ROWS = 84, 8


def looks(bench: Workbench, subject: Subject, runs: Sequence[Taught], key: str, *, given: bool = False) -> None:
    """A part of the images, the images down and the classifiers across; those of test show only when opened.

    `given`: the classifier that is open comes first.
    """
    st.markdown("##### What they look at")
    if not runs[0].parts:
        st.caption("There are no labelled images to look at but those of train.")
        return
    if runs[0].parts[0].role == Role.TEST and not test_is_open(bench, subject):
        return
    parts = [part.name for part in runs[0].parts]
    name = st.segmented_control(
        "Images", parts, default="swapped" if "swapped" in parts else parts[0], required=True,
        format_func=PART_TITLES.__getitem__, key=f"looks part {key}",
    )  # fmt: skip
    own = [(run, next(part for part in run.parts if part.name == name)) for run in runs]
    shown = [(ARM_TITLES[run.arm], part.looks) for run, part in own]
    if given:
        shown.insert(0, ("as it was given", before(f"{key} {name}", bench, subject, own[0][1], runs[0].layer)))
    most = full_colour(np.concatenate([cams.maps.ravel() for _, cams in shown]))
    pictures, rows = tiles(own[0][1].pictures, shown, most)
    says = f"{len(rows)} images, {PART_TITLES[name]}, and the maps of {len(shown)} classifiers"
    columns = ["image", *(title for title, _ in shown)]
    draw(picture_table(pictures, columns, rows, TILE), f"looks {key} {name}", says)
    st.caption(
        f"Blue speaks for the label, orange against it; full colour is {most:.1f} logits in a cell, in all pictures. "
        "Below each map: the answer, orange where it is wrong. On swapped backgrounds a biased classifier's map may "
        "still lie on the object, for the background votes against the label: judge by the answers, too."
    )


@st.cache_data(show_spinner=False, max_entries=16)
def before(key: str, _bench: Workbench, _subject: Subject, _part: PartOutcome, _layer: str) -> Cams:
    """What the classifier that is open makes of the part's pictures, asked once."""
    from engine.methods.cam_training.given_looks import given_looks

    del key
    with _bench.quick(_subject) as quick:
        return given_looks(quick, _part, _layer)


def tiles(pixels: np.ndarray, shown: Sequence[tuple[str, Cams]], most: float) -> tuple[list[Picture], list[str]]:
    """The pictures of the first images (n, C, H, W) under each classifier's title, and the rows' names."""
    pictures, rows = [], []
    for row, image in enumerate(pixels[:ROWS]):
        first = shown[0][1]
        rows.append(f"label {first.classes[first.labels[row]]}")
        pictures.append(Picture(row, 0, data_url(as_image(image.transpose(1, 2, 0)), TILE), "", rows[-1], wrong=False))
        for column, (title, cams) in enumerate(shown, start=1):
            pictures.append(mapped(image, cams, row, column, title, most))
    return pictures, rows


def mapped(pixels: np.ndarray, cams: Cams, row: int, column: int, title: str, most: float) -> Picture:
    """One classifier's map over the image, with its answer below."""
    drawn = overlay(pixels, map_on_image(cams.maps[row : row + 1], cams.seen, *pixels.shape[1:])[0], most)
    caption = f"{cams.classes[cams.predictions[row]]}, {cams.confidence[row]:.0%}"
    wrong = bool(cams.predictions[row] != cams.labels[row])
    return Picture(row, column, data_url(as_image(drawn), TILE), caption, f"{title}: {caption}", wrong)
