"""Regions with their labels as tables and pictures, and labels brought in again."""

from __future__ import annotations

from typing import Any

import streamlit as st

from engine.methods.error_discovery.discovery import Discovery
from engine.methods.error_discovery.image_table import images_csv, images_of
from engine.methods.error_discovery.labelling import Event, snapshot
from engine.methods.error_discovery.region_table import edits_from_csv, labels_from_csv, regions_csv
from engine.methods.error_discovery.result import Labels, Novelty
from engine.methods.error_discovery.settings import IdentificationSettings
from pages.parts.error_discovery.command import Asked, error_discovery_command
from pages.parts.error_discovery.deciding import PERSON, state_of, write
from pages.parts.error_discovery.scene import GENERATED, Tried
from pages.parts.text import plain

PLAIN = ":material/download:"
ALL, ERRORS = "all regions", "those labelled as errors"
MOST_MEGABYTES = 20  # of a table of labels


@st.fragment
def take_out(tried: Tried, novelty: Novelty | None, asked: Asked) -> None:
    """Downloads, made when they are pressed, and a field for a regions.csv."""
    which = st.segmented_control("Take out", [ALL, ERRORS], default=ALL, required=True, key="errors which")

    def chosen() -> list[int] | None:
        """The regions that are taken out, None for all."""
        decided = state_of(tried).decisions
        return None if which == ALL else [region for region, event in decided.items() if event.kind == "class"]

    def known() -> Discovery:
        return discovery(tried, novelty, asked.search)

    with st.container(horizontal=True):
        for label, data, name, mime, icon in (
            ("Regions as CSV", lambda: regions_csv(known(), chosen()), "regions.csv", "text/csv", PLAIN),
            ("Images as CSV", lambda: images_table(known(), chosen()), "images.csv", "text/csv", PLAIN),
            (
                "All with images", lambda: zipped(tried, known(), chosen()), "regions.zip", "application/zip",
                ":material/folder_zip:",
            ),
        ):  # fmt: skip
            st.download_button(
                label, data=data, file_name=name, mime=mime, key=f"take {name}", on_click="ignore", icon=icon
            )
    bring_in(tried)
    same = error_discovery_command(tried.made.bench, tried.made.subject, asked)
    if same:
        with st.expander("The same on the command line", icon=":material/terminal:"):
            st.code(same, language="bash", wrap_lines=True)


def discovery(tried: Tried, novelty: Novelty | None, search: IdentificationSettings) -> Discovery:
    """All that is known of the regions, with what has been said of them by now."""
    state, made = state_of(tried), tried.made
    own: dict[str, Any] = {"search": search, "generator": made.run_id} if tried.source == GENERATED else {}
    return Discovery(
        made.subject,
        tried.found,
        tried.groups,
        tried.again,
        snapshot(state, PERSON),
        tried.about,
        state,
        novelty,
        **own,
    )


def images_table(found: Discovery, chosen: list[int] | None) -> bytes:
    """The table of images, without hashes of pictures that nobody made."""
    images = images_of(found, chosen)
    return images_csv(found, images, [""] * len(images))


def zipped(tried: Tried, found: Discovery, chosen: list[int] | None) -> bytes:
    """Tables and pictures."""
    from engine.methods.error_discovery.decoding import Decoder
    from engine.methods.error_discovery.exporting import bundle

    if tried.source != GENERATED:
        return bundle(found, None, chosen)
    with tried.made.bench.quick(tried.made.subject) as quick:
        return bundle(found, Decoder(tried.made.generator, quick), chosen)


def bring_in(tried: Tried) -> None:
    """Labels from a regions.csv that was taken out here, by whomever it was filled in."""
    file = st.file_uploader(
        "Labels from a regions.csv of these regions", ["csv"], key=tried.key("labels file"),
        max_upload_size=MOST_MEGABYTES,
    )  # fmt: skip
    if file is None:
        return
    if file.size > MOST_MEGABYTES << 20:
        st.warning("This file is too large to be a table of regions.")
        return
    try:
        if edits_from_csv(file.getvalue()) != tried.edits:
            raise ValueError("regions were merged or split in it that are not here, or here that are not in it")
        labels = labels_from_csv(file.getvalue(), tried.groups, tried.made.classes)
    except ValueError as error:
        st.warning(f"Not read: {plain(str(error))}.")
        return
    if not len(labels.region):
        st.info("There is no label in this file.")
    elif st.button(f"Take over {len(labels.region)} labels", key=tried.key("take over"), type="primary"):
        take_over(tried, labels)
        st.rerun()


def take_over(tried: Tried, labels: Labels) -> None:
    """Write down what differs from what is known, one thing after the other, so that each can be undone."""
    state, answer = state_of(tried), tried.groups.prediction
    for region, kind, label in zip(labels.region.tolist(), labels.kind.tolist(), labels.label.tolist(), strict=True):
        wanted = "model_right" if kind == "class" and label == answer[region] else kind
        before = state.decisions.get(region)
        if before is None or (before.kind, before.label) != (wanted, label):
            write(tried, Event(wanted, region, label))
    for region, draw in {(int(region), int(draw)) for region, draw in labels.excluded} - state.excluded:
        write(tried, Event("exclude", region, draw=draw))
