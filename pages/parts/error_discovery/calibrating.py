"""How much noise? A small search at each of several scales, and errors of one of them to be looked at."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import streamlit as st

from engine.methods.error_discovery import CALIBRATION
from engine.methods.error_discovery.result import Calibration
from engine.methods.error_discovery.settings import CalibrationSettings, IdentificationSettings
from pages.parts.draw import draw
from pages.parts.error_discovery.decoded import decoded
from pages.parts.error_discovery.pace import seconds_of_search
from pages.parts.error_discovery.scene import Made
from pages.parts.error_discovery.search_charts import calibration_chart
from pages.parts.run_panel import answered
from pages.parts.saving import captioned
from pages.parts.tiles import Picture, picture_table

TILE, ACROSS = 72, 6  # pixels; pictures in a row


def calibrating(made: Made, settings: IdentificationSettings) -> None:
    """What more noise brings and what it costs; settles nothing, for that is the person's to do."""
    if settings.noise != "gaussian":
        st.caption("The published noise has no scale to choose.")
        return
    usual = IdentificationSettings()
    wanted = CalibrationSettings(identification=replace(settings, scale=usual.scale, draws=usual.draws))
    small = replace(settings, images=wanted.images, draws=wanted.draws * len(wanted.scales))
    found = answered(made.bench, CALIBRATION, made.subject, wanted, seconds_of_search(made, small), -1.0, made.input)
    if found is not None:
        spot_check(
            made, found, made.bench.question(CALIBRATION, made.subject, wanted, made.input).fingerprint, settings
        )


@st.fragment
def spot_check(made: Made, found: Calibration, run_id: str, settings: IdentificationSettings) -> None:
    """Yield against preservation, beside errors that were kept at one scale."""
    left, right = st.columns(2, gap="large")
    with left:
        chart, key = calibration_chart(found, settings.scale), f"calibration {run_id}"
        draw(chart, key, "Yield and preservation of the label by the scale of the noise")
        said = f"{found.draws[0]:,} draws at each scale; bars are 95 % intervals; dashed: what is searched with. "
        captioned(chart, key, said + "Preserved: the latent neighbours agree with the label.", "calibration")
    with right:
        scale = st.select_slider(
            "Look at errors found at scale", found.scales.tolist(), nearest(found.scales, settings.scale),
            key=f"spot check {run_id}",
        )  # fmt: skip
        place = found.scales.tolist().index(scale)
        there = np.flatnonzero(found.example_labels[place] >= 0)
        if not len(there):
            st.info("No error was kept at this scale.")
            return
        labels, answers = found.example_labels[place, there], found.example_predictions[place, there]
        urls = decoded(f"{run_id} {place}", made, found.example_codes[place, there], labels, TILE)
        pictures = [
            Picture(
                number // ACROSS, number % ACROSS, url, f"{made.classes[label]} → {made.classes[answer]}",
                f"around a {made.classes[label]}, taken for {made.classes[answer]}", wrong=False,
            )
            for number, (url, label, answer) in enumerate(zip(urls, labels, answers, strict=True))
        ]  # fmt: skip
        rows = [""] * (-(-len(pictures) // ACROSS))
        draw(picture_table(pictures, [""] * ACROSS, rows, TILE), f"spot check {run_id} {place}", "Errors to look at")
        st.caption("Is each still what its label says? Where it is not, the classifier may be right: take less noise.")


def nearest(scales: np.ndarray, wanted: float) -> float:
    """The scale nearest to the one that is searched with."""
    return float(scales[np.abs(scales - wanted).argmin()])
