"""The sidebar's way from an uploaded checkpoint to a classifier that can be chosen."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from engine.loading.open_checkpoint import CheckpointOptions, Examined
from engine.subject.subject import Subject
from engine.workbench import Workbench
from pages.parts import bench as session
from pages.parts.text import plain

SUFFIXES = ["pt", "pth", "ckpt", "bin", "safetensors"]
SAVE_LINE = 'torch.save(model.state_dict(), "weights.pth")'


def load_checkpoint(bench: Workbench, subject: Subject) -> None:
    """Upload, see which architectures fit, name the classes, load."""
    with st.expander("Classifier", icon=":material/upload_file:", key="load classifier"):
        st.caption("A file of weights, saved by")
        st.code(SAVE_LINE, language="python", wrap_lines=True)
        round_ = st.session_state.get("checkpoints loaded", 0)
        file = st.file_uploader("Checkpoint", SUFFIXES, key=f"checkpoint {round_}")
        if file is None:
            return
        upload = bench.keep_upload([(file.name, file)], file.size)
        try:
            found = examined(bench, upload)
        except ValueError as error:
            st.error(plain(str(error)))
            return
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
            load(bench, subject, upload, architecture or "", names, name)


@st.cache_data(show_spinner="Reading the checkpoint …", max_entries=8)
def examined(_bench: Workbench, upload: str) -> Examined:
    """What a checkpoint holds, read once."""
    return _bench.examine_checkpoint(_bench.upload_path(upload))


def load(bench: Workbench, subject: Subject, upload: str, architecture: str, names: str, name: str) -> None:
    """Build the classifier, keep it, choose it; whatever was open stays open where that fails."""
    classes = tuple(line.strip() for line in names.replace(",", "\n").splitlines() if line.strip())
    try:
        options = CheckpointOptions(architecture=architecture, classes=classes, name=name)
        model = bench.add_checkpoint(bench.upload_path(upload), options, subject.images)
    except ValueError as error:
        st.error(plain(str(error)))
        return
    bench.drop_upload(upload)
    st.session_state["checkpoints loaded"] = st.session_state.get("checkpoints loaded", 0) + 1
    session.want(model=model)
    st.rerun()
