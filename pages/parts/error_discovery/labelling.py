"""Look and label: one region at a time, its images, what real ones are nearest, and buttons for what it is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st

from engine.methods.error_discovery.labelling import Event, LabelState
from engine.methods.error_discovery.region_sentences import how_far_labelled, what_a_region_is
from engine.methods.error_discovery.result import Novelty
from pages.parts.draw import draw
from pages.parts.error_discovery.deciding import buttons, open_region, opened_region, state_of, write
from pages.parts.error_discovery.merging import merge_or_split
from pages.parts.error_discovery.nearest import nearest_images
from pages.parts.error_discovery.scene import Tried
from pages.parts.error_discovery.shown_images import Shown, shown
from pages.parts.error_discovery.words import KIND_TITLES
from pages.parts.grid import TILE, Tile, image_grid
from pages.parts.text import plain

ACROSS = 8
TELL = "error tell"  # whether the classifier's own numbers are shown


@st.fragment
def labelling(tried: Tried, novelty: Novelty | None) -> None:
    """The region that is open; what is pressed is in the data folder at once and reruns nothing else."""
    state = state_of(tried)
    if state.edits != tried.edits:
        st.rerun()  # a region was merged or split, or that was undone: the rest of the page follows
    if not len(tried.alive):
        return
    region = opened_region(tried, state)
    how_far(tried, state)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        st.selectbox(
            "Region", tried.alive.tolist(), tried.alive.tolist().index(region), key=tried.key(f"region {region}"),
            format_func=lambda each: named(tried, state, each), width=260, on_change=chosen, args=(tried, region),
        )  # fmt: skip
        tell = st.toggle(
            "Show what the classifier says", key=TELL, persist_state="session",
            help="hidden at first, so that you say what you see and not what it says",
        )  # fmt: skip
    left, right = st.columns([2, 1], gap="medium")
    with left:
        images_of(tried, region, state, tell)
    with right:
        nearest_images(tried, region, novelty)
    if tell:
        numbers(tried, region)
    buttons(tried, region, state)
    note(tried, region, state)
    merge_or_split(tried, region)


def how_far(tried: Tried, state: LabelState) -> None:
    """How many regions are done."""
    alive = tried.alive.tolist()
    done = sum(region in state.decisions for region in alive)
    st.progress(done / len(alive), text=how_far_labelled(tried.groups, state))


def named(tried: Tried, state: LabelState, region: int) -> str:
    """A region in the list: its number, and what was said of it."""
    event = state.decisions.get(region)
    if event is None:
        return f"{region}"
    said = tried.made.classes[event.label] if event.kind == "class" else KIND_TITLES[event.kind]
    return f"{region}: {said}"


def chosen(tried: Tried, before: int) -> None:
    """Another region was chosen from the list."""
    open_region(tried, st.session_state[tried.key(f"region {before}")])


def images_of(tried: Tried, region: int, state: LabelState, tell: bool) -> None:
    """Its images; a click leaves one out of what is trained on, another takes it in again."""
    pictures = shown(tried, region, TILE)
    if not pictures:
        st.info(
            "None of this region's fresh draws passed the filter, so there is nothing to look at: "
            "it is at the edge of what the generator can do. Call it not recognisable, or skip it."
        )
        return
    out = {number for owner, number in state.excluded if owner == region}
    tiles = [tile_of(tried, each, each.number in out, tell) for each in pictures]
    version = f"{region} {tell} {sorted(out)} {len(state.done)}"  # drawn anew, so that the browser selects nothing
    key = tried.key(f"images {version}")
    draw(
        image_grid(tiles, ACROSS), key, f"{len(tiles)} images of region {region}", lambda: turn_over(tried, region, key)
    )
    left_out = f" {len(out)} left out." if out else ""
    st.caption(
        f"What do most of these show? Click an image that doesn't belong to leave it out.{left_out} The letters on the "
        "buttons are keys; everything is kept at once and can be undone."
    )


def tile_of(tried: Tried, image: Shown, out: bool, tell: bool) -> Tile:
    """One image; what the classifier takes it for only where that is wanted."""
    said = f"{tried.made.classes[image.prediction]}, {image.confidence:.0%}" if tell else ""
    caption = "left out" if out else said
    return Tile(str(image.number), image.url, caption, said or f"image {image.number}", out, out)


def turn_over(tried: Tried, region: int, key: str) -> None:
    """An image was clicked: leave it out, or take it in again."""
    event = st.session_state.get(key)
    points = event["selection"].get("pick", []) if event else []
    for change in changes(points, region, state_of(tried)):
        write(tried, change)


def changes(points: Sequence[Mapping[str, Any]], region: int, state: LabelState) -> list[Event]:
    """What clicks on these points of the grid say."""
    numbers = sorted({int(point["sample_id"]) for point in points if "sample_id" in point})
    return [
        Event("include" if (region, number) in state.excluded else "exclude", region, draw=number) for number in numbers
    ]


def numbers(tried: Tried, region: int) -> None:
    """What the search and the tests say of the region."""
    st.markdown(plain(what_a_region_is(tried.groups, tried.again, tried.made.classes, region)))


def note(tried: Tried, region: int, state: LabelState) -> None:
    """A few words on the region, kept when they are entered."""
    before = state.notes.get(region, "")
    key = tried.key(f"note {region} {before}")
    st.text_input("Note", before, key=key, max_chars=400, placeholder="a note on this region", on_change=keep_note,
                  args=(tried, region, key), label_visibility="collapsed")  # fmt: skip


def keep_note(tried: Tried, region: int, key: str) -> None:
    """Write the note down."""
    write(tried, Event("note", region, note=str(st.session_state[key]).strip()))
