"""The sidebar's way from files to a data set that can be chosen."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from engine.loading.data_options import SEEN, DataOptions
from engine.runs.progress import Progress
from engine.workbench import Workbench
from pages.parts import bench as session
from pages.parts.text import plain

SUFFIXES = ["zip", "npz", "gz", "csv", "tsv", "jsonl", "png", "jpg", "jpeg", "webp", "bmp", "gif", "tif", "tiff", "ppm"]
LOOPBACK = ("127.0.0.1", "localhost", "::1")


def load_data(bench: Workbench) -> None:
    """Upload files or name a local path, say what matters, load."""
    with st.expander("Data", icon=":material/photo_library:", key="load data"):
        st.caption(
            "A zip of class folders (perhaps in train, val and test), a zip with a CSV, IDX pairs, an .npz, "
            "or images without labels."
        )
        round_ = st.session_state.get("data sets loaded", 0)
        files = st.file_uploader(
            "Files",
            SUFFIXES,
            accept_multiple_files=True,
            key=f"data {round_}",
            help="IDX files without a suffix: pack them into a zip, or give their folder's path.",
        )
        path = ""
        if st.get_option("server.address") in LOOPBACK:  # else a stranger could read this machine's folders
            path = st.text_input("or a path on this machine", key=f"path {round_}", placeholder="/data/photos")
        options = data_options(round_)
        if options and options.torchvision and path and st.button(f"Download {options.torchvision} there"):
            download(options.torchvision, path)
        if st.button("Load data", type="primary", key="load data set", disabled=not (files or path) or options is None):
            load(bench, files or [], path, options or DataOptions())


def data_options(round_: int) -> DataOptions | None:
    """What a person says of the data; None, with the reason shown, where it can't be."""
    from engine.loading.torchvision_sets import SETS

    seen = st.radio(
        "Was the classifier trained on its training images?",
        SEEN,
        index=2,
        horizontal=True,
        key=f"data seen {round_}",
        help="Without knowing, nothing is claimed about training accuracy.",
    )
    with st.popover("Classes and formats"):
        left_out = st.text_input("Classes to leave out", key=f"data left out {round_}", placeholder="cat, dog")
        renamed = st.text_input("Classes to rename", key=f"data renamed {round_}", placeholder="old = new, old = new")
        order = st.text_input("Class order, all of them", key=f"data order {round_}", placeholder="as found")
        torchvision = st.selectbox(
            "One of torchvision's data sets, from the path",
            ["", *SETS],
            key=f"data torchvision {round_}",
            format_func=lambda name: name or "no",
        )
        turned = st.selectbox(
            "IDX and .npz: rows and columns exchanged",
            ["as the file's name says", "yes", "no"],
            key=f"data turned {round_}",
        )
        first = st.number_input("IDX and .npz: labels start from", value=None, step=1, key=f"data first {round_}")
    try:
        pairs = [pair.partition("=") for pair in parts(renamed)]
        if any(not sign for _, sign, _ in pairs):
            raise ValueError("write old = new, with commas between")
        return DataOptions(
            left_out=parts(left_out),
            renamed={old.strip(): new.strip() for old, _, new in pairs},
            order=parts(order),
            seen=seen,
            torchvision=torchvision,
            transposed={"yes": True, "no": False}.get(turned),
            first_label=first,
        )
    except ValueError as error:
        st.error(plain(str(error)))
        return None


def parts(text: str) -> tuple[str, ...]:
    """The parts between commas."""
    return tuple(part.strip() for part in text.split(",") if part.strip())


class Shown(Progress):
    """How far the loading has come; pressing anything stops it, for then Streamlit leaves the script here."""

    def __init__(self) -> None:
        self.bar = st.progress(0.0, text="opening")

    def report(self, fraction: float, label: str) -> None:
        """Moves the bar."""
        self.bar.progress(fraction, text=f"{label}: {fraction:.0%}")


def load(bench: Workbench, files: list, path: str, options: DataOptions) -> None:
    """Read the data, keep what is known of it, choose it; whatever was open stays open where that fails."""
    upload, shown = "", Shown()
    try:
        if files:
            upload = bench.keep_upload([(file.name, file) for file in files], sum(file.size for file in files))
            dataset = bench.add_images(bench.upload_path(upload), options, upload, shown)
        else:
            dataset = bench.add_images(Path(path.strip()), options, progress=shown)
    except (ValueError, OSError, RuntimeError) as error:  # RuntimeError: no home of that name
        st.error(plain(str(error)))
        return
    finally:
        shown.bar.empty()
    st.session_state["data sets loaded"] = st.session_state.get("data sets loaded", 0) + 1
    session.want(dataset=dataset)
    st.rerun()


def download(name: str, path: str) -> None:
    """Have torchvision fetch one of its data sets into a folder of this machine."""
    from engine.loading.torchvision_sets import download as fetch

    try:
        with st.spinner(f"Downloading {name} …"):
            fetch(name, Path(path.strip()).expanduser())
    except (ValueError, RuntimeError) as error:
        st.error(plain(str(error)))
        return
    st.success(f"{name} is there; press Load data.")
