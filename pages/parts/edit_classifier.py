"""How the open classifier reads images and what its outputs are called: shown, and changed by a form."""

from __future__ import annotations

import streamlit as st

from engine.subject.preprocessing import INTERPOLATIONS, Preprocessing
from engine.subject.subject import Subject
from engine.workbench import Workbench
from pages.parts import bench as session
from pages.parts.text import plain


def edit_classifier(bench: Workbench, subject: Subject) -> None:
    """The form; saving it keeps the same weights under the new reading, beside the old."""
    blueprint = subject.blueprint
    now = blueprint.preprocessing
    with st.expander("Preprocessing and class names", icon=":material/tune:"), st.form(f"edit {blueprint.fingerprint}"):
        st.caption(
            "As it was in training, else every figure is wrong. Images are resized until the kept share "
            "covers the input, cropped at the centre, then (x - mean) / std."
        )
        height, width = st.columns(2)
        rows = height.number_input("Height, pixels", 1, 4096, now.height)
        columns = width.number_input("Width, pixels", 1, 4096, now.width)
        mean = st.text_input(f"Mean, {now.channels} numbers for [0, 1]", ", ".join(f"{value:g}" for value in now.mean))
        std = st.text_input("Standard deviation", ", ".join(f"{value:g}" for value in now.std))
        interpolation = st.selectbox("Interpolation", INTERPOLATIONS, INTERPOLATIONS.index(now.interpolation))
        share = st.number_input("Share kept by the centre crop", 0.01, 1.0, float(now.crop_share), 0.005, format="%.3f")
        names = st.text_area("Class names, one a line, in the order of the outputs", "\n".join(blueprint.classes))
        if st.form_submit_button("Use these"):
            try:
                changed = Preprocessing(now.channels, rows, columns, numbers(mean), numbers(std), interpolation, share)
                classes = tuple(line.strip() for line in names.splitlines() if line.strip())
                model = bench.change_model(subject.model, blueprint.name, classes, changed)
            except ValueError as error:
                st.error(plain(str(error)))
                return
            session.want(model=model)
            st.rerun()


def numbers(text: str) -> tuple[float, ...]:
    """The numbers between commas; ValueError names what is none."""
    found = []
    for part in text.split(","):
        try:
            found.append(float(part))
        except ValueError:
            raise ValueError(f"{part.strip()!r} is no number; write numbers with commas between") from None
    return tuple(found)
