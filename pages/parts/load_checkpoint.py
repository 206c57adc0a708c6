"""The sidebar's way from an uploaded checkpoint to a classifier that can be chosen."""

from __future__ import annotations

from pathlib import Path

import streamlit as st
from streamlit.runtime.uploaded_file_manager import UploadedFile

from engine.loading.open_checkpoint import CheckpointOptions, Examined
from engine.workbench import Workbench
from pages.parts import bench as session
from pages.parts.text import plain

UPLOADED = "uploaded checkpoint"
SUFFIXES = ["pt", "pth", "ckpt", "bin", "safetensors"]
SAVE_LINE = 'torch.save(model.state_dict(), "weights.pth")'


def load_checkpoint(bench: Workbench) -> None:
    """Upload, see which architectures fit, name the classes, load."""
    with st.expander("Classifier", icon=":material/upload_file:", key="load classifier"):
        st.caption("A file of weights, saved by")
        st.code(SAVE_LINE, language="python", wrap_lines=True)
        round_ = st.session_state.get("checkpoints loaded", 0)
        file = st.file_uploader("Checkpoint", SUFFIXES, key=f"checkpoint {round_}")
        upload, error = kept_once(bench, file)
        if error:
            st.error(plain(error))
        if file is None or not upload:
            return
        found = examined(bench, upload)
        for remark in found.remarks:
            st.caption(plain(remark))
        architecture = st.selectbox(
            "Architecture",
            found.architectures,
            index=0 if found.architectures else None,
            accept_new_options=True,
            placeholder="none fits exactly: type a name, such as timm/resnet18",
            help="Those whose shapes fit the weights. Any torchvision name, or timm/ and a timm name, can be typed.",
            key=f"architecture {upload}",
        )
        names = st.text_area(
            "Class names, in the order of the outputs",
            value="\n".join(found.classes),
            placeholder="one a line; left empty, the data's names are taken in their order",
            key=f"classes {upload}",
        )
        name = st.text_input("Name", value=Path(file.name).stem, key=f"model name {upload}", max_chars=80)
        if st.button("Load classifier", type="primary", key="load checkpoint"):
            load(bench, upload, architecture or "", names, name)


def kept_once(bench: Workbench, file: UploadedFile | None) -> tuple[str, str]:
    """The upload's name in the data folder, copied there once, or why it can't be used.

    What was uploaded before and not loaded is dropped, and so is what can't be used.
    """
    known, upload, error = st.session_state.get(UPLOADED, ("", "", ""))
    given = file.file_id if file else ""
    if given != known:
        bench.drop_upload(upload)
        upload = error = ""
        try:
            if file is not None:
                upload = bench.keep_upload([(file.name, file)], file.size)
                examined(bench, upload)
        except (ValueError, OSError) as refused:
            bench.drop_upload(upload)
            upload, error = "", str(refused)
        st.session_state[UPLOADED] = (given, upload, error)
    return upload, error


@st.cache_data(show_spinner="Reading the checkpoint …", max_entries=8)
def examined(_bench: Workbench, upload: str) -> Examined:
    """What a checkpoint holds, read once."""
    return _bench.examine_checkpoint(_bench.upload_path(upload))


def load(bench: Workbench, upload: str, architecture: str, names: str, name: str) -> None:
    """Build the classifier, keep it, choose it; whatever was open stays open where that fails."""
    parted = names.splitlines() if "\n" in names.strip() else names.split(",")
    classes = tuple(part.strip() for part in parted if part.strip())
    try:
        options = CheckpointOptions(architecture=architecture, classes=classes, name=name)
        images = bench.images(st.session_state.wanted.dataset)  # as they are, not in the open classifier's order
        model = bench.add_checkpoint(bench.upload_path(upload), options, images)
    except (ValueError, KeyError) as error:
        st.error(plain(str(error.args[0])))
        return
    bench.drop_upload(upload)
    st.session_state[UPLOADED] = ("", "", "")
    st.session_state["checkpoints loaded"] = st.session_state.get("checkpoints loaded", 0) + 1
    session.want(model=model)
    st.rerun()
