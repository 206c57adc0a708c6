"""A mask or box for each image, from files: uploaded, or a path on this machine."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import streamlit as st

from engine.methods.cam_training.image_masks import read_boxes, read_mask_folder
from engine.methods.cam_training.mask_pictures import SUFFIXES
from engine.methods.cam_training.masks import without_mask
from engine.methods.cam_training.result import ImageMasks
from engine.subject.image_set import ImageSet, Skipped
from engine.subject.subject import Subject
from engine.workbench import Workbench
from pages.parts.text import plain

NAMED = 5
Found = tuple[ImageMasks, tuple[Skipped, ...]]


def each_image(bench: Workbench, subject: Subject, name: str) -> None:
    """Give masks, which are kept beside the data under this name; says how many images have one."""
    files = st.file_uploader(
        "Mask pictures named like their images (bright inside), or one CSV of boxes",
        [*SUFFIXES, ".csv"],
        accept_multiple_files=True,
        key=f"mask files {subject.dataset}",
        help="CSV: file_name, top, left, bottom, right in pixels of the image file, or in shares of its sides",
    )
    path = st.text_input("or a folder of them, or the CSV, on this machine", key=f"mask path {subject.dataset}")
    if st.button("Read the masks", key="read masks", disabled=not (files or path.strip())):
        read(bench, subject, name, lambda: uploaded(files, subject.images) if files else local(path, subject.images))
    kept = bench.beside(subject.dataset, name, ImageMasks)
    if kept is not None:
        missing = without_mask(subject.images.ids, kept.value)
        said = f"{len(kept.value.ids):,} images have a mask"
        if missing.any():
            names = ", ".join(subject.images.names[missing][:NAMED].tolist())
            said += f"; {missing.sum():,} have none: {names}{', ...' if missing.sum() > NAMED else ''}"
        st.caption(plain(f"{said}."))


def read(bench: Workbench, subject: Subject, name: str, find: Callable[[], Found]) -> None:
    """Read and keep; what was skipped is listed, and what was kept before stays where nothing can be read."""
    try:
        found, skipped = find()
    except (ValueError, OSError) as error:
        st.error(plain(str(error)))
        return
    bench.keep_beside(subject.dataset, name, found)
    if skipped:
        with st.popover(f"{len(skipped):,} were skipped"):
            st.dataframe([{"file": each.file_name, "reason": each.reason} for each in skipped], hide_index=True)


def local(path: str, images: ImageSet) -> Found:
    """From a folder or a CSV on this machine."""
    place = Path(path.strip()).expanduser()
    if place.suffix.lower() == ".csv":
        return read_boxes(place.read_text(encoding="utf-8", errors="replace"), images)
    return read_mask_folder(place, images)


def uploaded(files: Sequence[Any], images: ImageSet) -> Found:
    """From uploaded files: one CSV, or pictures."""
    tables = [file for file in files if file.name.lower().endswith(".csv")]
    if tables:
        if len(files) > 1:
            raise ValueError("give one CSV of boxes, or pictures, not both")
        return read_boxes(tables[0].getvalue().decode("utf-8", errors="replace"), images)
    with TemporaryDirectory() as folder:
        for file in files:
            (Path(folder) / Path(file.name).name).write_bytes(file.getbuffer())
        return read_mask_folder(Path(folder), images)
