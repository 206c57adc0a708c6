"""What can be taken out: the maps as arrays, a table, a contact sheet, and the command for the same."""

from __future__ import annotations

import streamlit as st

from engine.methods.cam_training.contact_sheet import captions_of, sheet_png
from engine.methods.cam_training.export import CAM_COLUMNS, cam_rows, cams_npz
from engine.toolkit.tables import to_csv
from pages.parts.cam_training.asking import Wanted
from pages.parts.cam_training.scene import Scene
from pages.parts.command import cam_command

ON_THE_SHEET = 48


def take_out(scene: Scene, wanted: Wanted) -> None:
    """Downloads, made when they are pressed."""
    cams, images = scene.cams, scene.subject.images
    rows = range(len(cams.ids))
    with st.container(horizontal=True):
        for label, data, name, mime in (
            ("Maps as arrays", lambda: cams_npz(cams), "maps.npz", "application/octet-stream"),
            (
                "Figures as a table",
                lambda: to_csv(cam_rows(cams, images, scene.places, None, rows), CAM_COLUMNS),
                "maps.csv",
                "text/csv",
            ),
            ("Contact sheet, worst first", lambda: sheet(scene), "sheet.png", "image/png"),
        ):
            st.download_button(
                label, data=data, file_name=name, mime=mime, key=f"take {name}", on_click="ignore",
                icon=":material/download:",
            )  # fmt: skip
    command = cam_command(scene.bench, scene.subject, wanted.settings, scene.mask.settings if scene.mask else None)
    if command and not wanted.inputs:
        st.markdown("##### The same on the command line")
        st.code(command, language="bash", wrap_lines=True)


def sheet(scene: Scene) -> bytes:
    """The worst images with their maps, as a PNG."""
    cams, images = scene.cams, scene.subject.images
    rows = scene.worst_first()[:ON_THE_SHEET].tolist()
    pictures = images.read([images.position[each] for each in cams.ids[rows].tolist()])
    return sheet_png(pictures, cams, rows, captions_of(cams, scene.places, rows))
