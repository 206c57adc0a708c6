"""A classifier that a run made, kept as a Fix: chosen in the sidebar, and taken away as a file."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import numpy as np
import streamlit as st

from engine.runs.shelf import ModelRow
from engine.subject.image_set import UNLABELLED, Role
from engine.subject.subject import Subject
from engine.workbench import Workbench
from pages.parts import bench as session
from pages.parts.text import plain


def keep_fix(
    bench: Workbench,
    subject: Subject,
    weights: np.ndarray,
    run_id: str,
    name: str,
    trained_on: Sequence[str],
    note: str = "",
) -> None:
    """Keep the run's `weights` (uint8), made on images with the ids `trained_on`; or what was kept.

    `note` is what else is to be known of where it comes from.
    """
    fix = next((row for row in bench.store.shelf.models() if row.run == run_id), None)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        if fix is None:
            wanted = st.text_input("Name", name, key=f"fix name {run_id}", max_chars=80, width=340)
            if st.button("Keep as a Fix", type="primary", key=f"keep fix {run_id}", icon=":material/bookmark:"):
                bench.keep_fix(subject, weights.tobytes(), wanted.strip() or name, run_id, trained_on, note)
                st.rerun()
            return
        st.markdown(f"Kept as **{plain(fix.name)}**.")
        if fix.fingerprint != subject.model and st.button("Open it", key=f"open fix {run_id}"):
            session.want(model=fix.fingerprint)
            st.rerun()
        as_files(bench, fix)


def as_files(bench: Workbench, model: ModelRow) -> None:
    """A kept classifier in both formats."""
    for kind in ("safetensors", "pt"):
        st.download_button(
            f".{kind}",
            data=partial(bench.export_model, model.fingerprint, kind),
            file_name=f"{model.name}.{kind}",
            key=f"export {kind} {model.fingerprint}",
            on_click="ignore",
            help="the weights with their preprocessing and class names, which open again without a question",
        )


def train_ids(subject: Subject) -> list[str]:
    """The ids of the labelled images of train."""
    images = subject.images
    own = images.indices(Role.TRAIN)
    return images.ids[own[images.labels[own] != UNLABELLED]].tolist()
