"""What a person says of a region: by buttons and keys, written down at once, and taken back as far as one likes."""

from __future__ import annotations

import time
from dataclasses import replace

import streamlit as st

from engine.methods.error_discovery.labelling import Event, LabelState, record, recorded, replayed
from pages.parts.error_discovery.scene import Tried
from pages.parts.text import plain

PERSON = "person"  # who labels on the page
MOST_BUTTONS = 12  # classes that get a button each
WORDS = {
    "unreadable": ("Not recognisable", "N", "nobody could say what it is"),
    "mixed": ("Mixed", "M", "its images have different labels; split it below, or leave it out"),
    "model_right": ("The model is right", "G", "its images have become what the classifier takes them for"),
    "skipped": ("Skip", "S", "decide later"),
}


def state_of(tried: Tried) -> LabelState:
    """What has been said of these regions so far."""
    return replayed(recorded(tried.made.bench.store.shelf, tried.about))


def write(tried: Tried, event: Event) -> None:
    """Write it down, with who and how long it took since the region was opened."""
    opened = st.session_state.get(tried.key("opened at"), time.time())
    record(tried.made.bench.store.shelf, tried.about, replace(event, by=PERSON, seconds=round(time.time() - opened, 1)))


def open_region(tried: Tried, region: int) -> None:
    """Show this region, from now on."""
    st.session_state[tried.key("open region")] = region
    st.session_state[tried.key("opened at")] = time.time()


def opened_region(tried: Tried, state: LabelState) -> int:
    """The region that is shown: the one that was opened, else the first of which nothing is said yet."""
    alive = tried.alive.tolist()
    now: int = st.session_state.get(tried.key("open region"), -1)
    if now not in alive:
        now = next((region for region in alive if region not in state.decisions), alive[0])
        open_region(tried, now)
    return now


def decide(tried: Tried, region: int, kind: str, label: int = -1) -> None:
    """Write a decision down and go on to the next region of which nothing is said."""
    if kind == "class" and label == tried.groups.prediction[region]:
        kind = "model_right"  # it says the same
    write(tried, Event(kind, region, label))
    decided, alive = state_of(tried).decisions, tried.alive.tolist()
    after = alive[alive.index(region) + 1 :] + alive[: alive.index(region)]
    open_region(tried, next((each for each in after if each not in decided), (after or alive)[0]))


def go_back(tried: Tried, region: int) -> None:
    """Open the region before this one."""
    alive = tried.alive.tolist()
    open_region(tried, alive[alive.index(region) - 1])


def take_back(tried: Tried, kind: str) -> None:
    """Undo what was done last, or redo what was undone, and open the region that it was about."""
    state = state_of(tried)
    stack = state.done if kind == "undo" else state.undone
    if stack:
        write(tried, Event(kind))
        open_region(tried, stack[-1].region)


def buttons(tried: Tried, region: int, state: LabelState) -> None:
    """A button for each thing that can be said, each with its key."""
    with st.container(horizontal=True, gap="small"):
        class_buttons(tried, region)
    with st.container(horizontal=True, gap="small"):
        for kind, (title, letter, says) in WORDS.items():
            label = int(tried.groups.prediction[region]) if kind == "model_right" else -1
            st.button(
                title, key=tried.key(kind), shortcut=letter, help=says, on_click=decide,
                args=(tried, region, kind, label),
            )  # fmt: skip
        st.button("Back", key=tried.key("back"), shortcut="B", on_click=go_back, args=(tried, region))
        for kind, letter, stack in (("undo", "U", state.done), ("redo", "Y", state.undone)):
            st.button(
                kind.capitalize(), key=tried.key(kind), shortcut=letter, disabled=not stack, on_click=take_back,
                args=(tried, kind),
            )  # fmt: skip


def class_buttons(tried: Tried, region: int) -> None:
    """The classes that a region may be of: buttons, or a list where they are many."""
    classes = tried.made.classes
    if len(classes) <= MOST_BUTTONS:
        for label, name in enumerate(classes):
            st.button(
                plain(name), key=tried.key(f"class {label}"), shortcut=key_of(label, classes), on_click=decide,
                args=(tried, region, "class", label),
            )  # fmt: skip
        return
    chosen = st.selectbox(
        "It is a", range(len(classes)), format_func=classes.__getitem__, key=tried.key("class"), width=260,
        label_visibility="collapsed",
    )  # fmt: skip
    st.button(
        "Label it so", key=tried.key("class chosen"), shortcut="Enter", on_click=decide,
        args=(tried, region, "class", chosen),
    )  # fmt: skip


def key_of(label: int, classes: tuple[str, ...]) -> str | None:
    """The digit that stands for a class: its own name where all are digits, else its place among the first nine."""
    if all(len(name) == 1 and name.isdecimal() and name.isascii() for name in classes):
        return classes[label]
    return str(label + 1) if label < 9 else None
