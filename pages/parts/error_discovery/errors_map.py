"""The map of codes: where errors lie among real images; what is brushed is shown, and its regions can be opened."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np
import streamlit as st

from engine.methods.error_discovery import CODE_MAP
from engine.methods.error_discovery.result import CodeMap
from engine.methods.error_discovery.settings import MapSettings
from engine.toolkit.projection import METHODS
from pages.parts.draw import draw
from pages.parts.error_discovery.deciding import open_region
from pages.parts.error_discovery.decoded import decoded
from pages.parts.error_discovery.map_chart import PALETTE, REST, Point, brushed, code_chart
from pages.parts.error_discovery.scene import GENERATED, Tried
from pages.parts.run_panel import answered
from pages.parts.saving import captioned
from pages.parts.thumbnails import thumbnails
from pages.parts.tiles import Picture, picture_table

HOVER, TILE, ACROSS, MOST = 64, 64, 12, 36  # pixels; pictures in a row, and in all
COLOURS = {"region": "region", "label": "label", "answer": "the classifier's answer"}


def errors_map(tried: Tried) -> None:
    """Project, colour, draw; show what is brushed."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        method = st.segmented_control(
            "Projection", list(METHODS), default="pca", required=True, format_func=METHODS.__getitem__,
            key="error map method", help="PCA is at once; t-SNE and UMAP keep neighbours together and take longer",
        )  # fmt: skip
        by = st.segmented_control(
            "Coloured by", list(COLOURS), default="region", required=True, format_func=COLOURS.__getitem__,
            key="error map colour",
        )  # fmt: skip
    settings = MapSettings(method=method)
    inputs = {name: each for name, each in tried.inputs.items() if name != "regions"}
    found = answered(tried.made.bench, CODE_MAP, tried.made.subject, settings, lambda: 0.0, inputs=inputs)
    if found is None:
        return
    points = points_of(tried, found, by)
    colours = in_order(points, by)
    key = tried.key(f"error map {method} {by} {tried.regions.fingerprint}")
    chart = code_chart(points, COLOURS[by], colours)
    event = draw(chart, key, "Errors among real images, as points", "rerun")
    captioned(chart, key, caption_of(tried, found), "map-of-errors")
    here = [points[place] for place in brushed(points, event)]
    if here:
        show_brushed(tried, here, key)


def points_of(tried: Tried, found: CodeMap, by: str) -> list[Point]:
    """One point a row of the map, with its picture."""
    errors, classes, member = tried.found, tried.made.classes, tried.groups.member
    urls = pictures_of(tried, found)
    points = []
    for place, (x, y) in enumerate(found.place.tolist()):
        row = int(found.row[place])
        if not found.error[place]:
            points.append(Point(x, y, real_name(tried, row), urls[place], "", error=False))
            continue
        region = int(member[row])
        label, answer = classes[errors.labels[row]], classes[errors.predictions[row]]
        colour = {"region": tried.title(region) if region >= 0 else REST, "label": label, "answer": answer}[by]
        within = f", region {region}" if region >= 0 else ", kept aside" if errors.aside[row] else ""
        name = f"{label} taken for {answer}{within}"
        points.append(Point(x, y, name, urls[place], colour, error=True, region=region))
    return points


def real_name(tried: Tried, row: int) -> str:
    """What a real image is called: a training image, or one of the trials."""
    if tried.source == GENERATED:
        return f"real, label {tried.made.classes[tried.made.generator.labels[row]]}"
    return f"recognised, label {tried.made.classes[tried.found.trial_labels[row]]}"


def pictures_of(tried: Tried, found: CodeMap) -> list[str]:
    """A data URL for each point, "" where it has no picture."""
    errors, images = tried.found, tried.made.subject.images
    rows, real = found.row[found.error], found.row[~found.error]
    if tried.source == GENERATED:
        name = f"map {tried.errors.fingerprint} {len(rows)}"
        own = decoded(name, tried.made, errors.codes[rows], errors.labels[rows], HOVER)
        beside = thumbnails(images, tried.made.generator.ids[real].tolist(), HOVER)
    else:
        own = thumbnails(images, errors.ids[rows].tolist(), HOVER)
        beside = [""] * len(real)
    left = {True: iter(own), False: iter(beside)}
    return [next(left[bool(error)]) for error in found.error]


def in_order(points: Sequence[Point], by: str) -> list[str]:
    """The colours' names, the most frequent first; beyond what can be told apart, none gets its own."""
    count = Counter(each.colour for each in points if each.error)
    names = [name for name, _ in count.most_common() if name != REST]
    if by != "region":
        names = sorted(names, key=lambda name: (len(name), name))
    return [*names[: len(PALETTE) - 1], REST]


def caption_of(tried: Tried, found: CodeMap) -> str:
    """What is to be known of the map."""
    shown = int(found.error.sum())
    trust = f"trustworthiness {found.trustworthiness:.2f}" if np.isfinite(found.trustworthiness) else "too few to judge"
    beside = "images of train" if tried.source == GENERATED else "images kept aside that it gets right"
    return (
        f"{METHODS[found.method]} of {shown:,} of {len(tried.found.ids):,} errors (diamonds) and "
        f"{len(found.error) - shown:,} {beside} (grey), {trust}; numbers are regions. For orientation only. "
        "Drag over points to see them."
    )


def show_brushed(tried: Tried, here: Sequence[Point], key: str) -> None:
    """The brushed errors as pictures, and the regions among them to be opened."""
    errors = [each for each in here if each.error]
    there = Counter(each.region for each in errors if each.region >= 0)
    shown = [each for each in (*errors, *(each for each in here if not each.error)) if each.picture][:MOST]
    pictures = [
        Picture(place // ACROSS, place % ACROSS, each.picture, "error" if each.error else "real", each.name, each.error)
        for place, each in enumerate(shown)
    ]
    st.markdown(f"{len(errors):,} errors and {len(here) - len(errors):,} real images are brushed.")
    rows = [""] * (-(-len(pictures) // ACROSS))
    if pictures:
        draw(picture_table(pictures, [""] * ACROSS, rows, TILE), f"brushed {key}", f"{len(pictures)} brushed images")
    with st.container(horizontal=True):
        for region, count in there.most_common(6):
            if st.button(f"Open {tried.title(region)} ({count})", key=f"brushed {region} {key}"):
                open_region(tried, region)
                st.rerun()
