"""Images found by their maps, kept as a selection or taken away as a CSV."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from engine.methods.cam_training.export import CAM_COLUMNS, cam_rows
from engine.runs.shelf import Selection
from engine.toolkit.tables import to_csv
from pages.parts import selections
from pages.parts.cam_training.scene import Scene


def keep_rows(scene: Scene, rows: Sequence[int], origin: str) -> None:
    """Name and keep these rows of the maps, or download them with their figures."""
    field = f"name {origin}"
    name = st.text_input("Name", value=origin, key=field, max_chars=80).strip() or origin
    ids = tuple(str(scene.cams.ids[row]) for row in rows)
    file = "".join(letter if letter.isalnum() else "-" for letter in name).strip("-").lower() or "selection"
    with st.container(horizontal=True):
        kept = st.button(
            "Keep as selection",
            key=scene.key(f"keep {origin}"),
            on_click=selections.keep,
            args=(scene.bench, field, Selection(name, scene.subject.dataset, origin, ids)),
            disabled=not ids,
            icon=":material/bookmark:",
        )
        st.download_button(
            "Download CSV",
            data=lambda: to_csv(cam_rows(scene.cams, scene.subject.images, scene.places, None, rows), CAM_COLUMNS),
            file_name=f"{file}.csv",
            mime="text/csv",
            key=scene.key(f"csv {origin}"),
            on_click="ignore",
            disabled=not ids,
            icon=":material/download:",
        )
    if kept:
        st.rerun()  # the header, too, not this fragment alone
