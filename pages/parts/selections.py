"""Named sets of images: kept, carried from page to page, shown in the header of each, and taken out as files."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import replace

import streamlit as st

from engine.methods.evaluation.export import error_rows, error_zip
from engine.methods.evaluation.result import Evaluation
from engine.runs.shelf import Selection
from engine.subject.subject import Subject
from engine.toolkit.error_table import error_csv
from engine.workbench import Workbench
from pages.parts import picks
from pages.parts.text import plain

NONE = "no selection"
MOST_ZIPPED = 5000  # the zip is made in memory


def in_hand(bench: Workbench, dataset: str) -> Selection | None:
    """The kept selection that this tab carries, if it is of this data set."""
    name = st.session_state.get("selection in hand")
    return next((each for each in bench.store.shelf.selections(dataset) if each.name == name), None)


def header(bench: Workbench, dataset: str) -> None:
    """The selection in hand, on every page, with a way to change and to forget it."""
    kept = bench.store.shelf.selections(dataset)
    if not kept:
        return
    names = [NONE, *(each.name for each in kept)]
    sizes = {each.name: len(each.ids) for each in kept}
    if st.session_state.get("selection in hand") not in names:
        st.session_state["selection in hand"] = NONE
    with st.container(horizontal=True, vertical_alignment="bottom"):
        st.selectbox(
            "Selection in hand",
            names,
            key="selection in hand",
            persist_state="session",
            format_func=lambda name: name if name == NONE else f"{name} ({sizes[name]:,} images)",
            width=340,
        )
        chosen = in_hand(bench, dataset)
        if chosen is not None:
            st.button(
                "Forget it",
                key="forget selection",
                on_click=bench.store.shelf.drop_selection,
                args=(dataset, chosen.name),
                help=f"Kept from: {plain(chosen.origin)}",
            )


def keep(bench: Workbench, field: str, selection: Selection) -> None:
    """Keep a selection under the name in the field, with a number if the name is taken, and take it in hand."""
    wanted = (st.session_state.get(field) or selection.name).strip() or selection.name
    taken = {each.name: each.ids for each in bench.store.shelf.selections(selection.dataset)}
    name = next(each for each in numbered(wanted) if taken.get(each, selection.ids) == selection.ids)
    bench.store.shelf.keep_selection(replace(selection, name=name))
    st.session_state["selection in hand"] = name
    picks.clear()


def numbered(name: str) -> Iterator[str]:
    """The name, then the name with 2, 3 and so on."""
    yield name
    for number in itertools.count(2):
        yield f"{name} {number}"


def take_out(
    bench: Workbench, subject: Subject, evaluation: Evaluation, rows: Sequence[int], origin: str, run_id: str
) -> None:
    """Name and keep these rows of the evaluation, or download them as the error CSV, alone or with the pictures."""
    field = f"name {origin}"
    name = st.text_input("Name", value=origin, key=field, max_chars=80).strip() or origin
    ids = tuple(str(evaluation.ids[row]) for row in rows)
    file = "".join(letter if letter.isalnum() else "-" for letter in name).strip("-").lower() or "selection"
    with st.container(horizontal=True):
        kept = st.button(
            "Keep as selection",
            key="keep selection",
            on_click=keep,
            args=(bench, field, Selection(name, subject.dataset, origin, ids)),
            disabled=not ids,
            icon=":material/bookmark:",
        )
        st.download_button(
            "Download CSV",
            data=lambda: error_csv(error_rows(evaluation, subject, rows, name, run_id)),
            file_name=f"{file}.csv",
            mime="text/csv",
            key="download csv",
            on_click="ignore",
            disabled=not ids,
            icon=":material/download:",
        )
        st.download_button(
            "Download with images",
            data=lambda: error_zip(error_rows(evaluation, subject, rows, name, run_id), subject.images),
            file_name=f"{file}.zip",
            mime="application/zip",
            key="download zip",
            on_click="ignore",
            disabled=not 0 < len(ids) <= MOST_ZIPPED,
            help=f"at most {MOST_ZIPPED:,} images" if len(ids) > MOST_ZIPPED else None,
            icon=":material/folder_zip:",
        )
    if kept:
        st.rerun()  # the header, too, not this fragment alone
