"""Which layer explains it: a label's recall read off every block, and what it looks like there."""

from __future__ import annotations

import numpy as np
import streamlit as st

from engine.methods.input_selection import PROBES
from engine.methods.input_selection.layer_choice import LayerChoice, chosen_layer, recalls_of
from engine.methods.input_selection.result import Probes
from engine.methods.input_selection.settings import ProbeSettings
from engine.subject.image_set import Role
from engine.toolkit.tables import to_csv
from pages.parts.draw import draw
from pages.parts.input_selection.label_charts import DIAGNOSIS, TRAIN, layer_chart
from pages.parts.input_selection.scene import Scene
from pages.parts.run_panel import answered
from pages.parts.saving import captioned
from pages.parts.text import plain

FOUND = "the one that explains it"


def layers(scene: Scene) -> tuple[Probes, LayerChoice] | None:
    """The probes and the layer that is looked at; None while nothing is known."""
    if scene.taps.role(Role.TRAIN) is None:
        st.info("There are no images of `train` to fit probes on, so no layer can be told. Load a training part.")
        return None
    probes = answered(scene.bench, PROBES, scene.subject, ProbeSettings(), lambda: 0.0, inputs=scene.tapped)
    if probes is None:
        return None
    found = chosen_layer(probes, scene.taps, scene.target, scene.verdict.verdict, scene.rule.gap)
    names = [tap.name for tap in scene.taps.taps]
    with st.container(horizontal=True, vertical_alignment="bottom"):
        chosen = st.selectbox(
            "Layer", [FOUND, *names], format_func=lambda name: f"{found.name}, {FOUND}" if name == FOUND else name,
            key=scene.key("layer"), width=340,
        )  # fmt: skip
    st.markdown(plain(found.why))
    place = found.tap if chosen == FOUND else names.index(chosen)
    chart, key = layer_chart(rows_of(scene, probes), names[place]), scene.key(f"layers {place}")
    draw(chart, key, "Recall of a linear read-out of each layer, on train and on diagnosis")
    said = (
        f"How well {scene.taps.classes[scene.target]} can be read off each layer by a linear probe fitted on train; "
        "bars are 95 % intervals."
    )
    captioned(chart, key, said, "layers")
    table(scene, probes)
    return probes, LayerChoice(place, names[place], found.why, found.values, found.of_gap)


def rows_of(scene: Scene, probes: Probes) -> list[dict[str, object]]:
    """One row a tap and role, with the interval of the label's recall there."""
    rows = []
    for name, right, role in ((TRAIN, probes.gap_right, Role.TRAIN), (DIAGNOSIS, probes.right, Role.DIAGNOSIS)):
        for tap, share in zip(scene.taps.taps, recalls_of(right, scene.taps.role(role), scene.target), strict=True):
            rows.append({"tap": tap.name, "of": name, "recall": share.value, "low": share.low, "high": share.high})
    return rows


def table(scene: Scene, probes: Probes) -> None:
    """All numbers of the layers, with the published likeness of consecutive probes."""
    label = scene.target
    rows = [
        {
            "layer": tap.name,
            "channels": tap.channels,
            "cells": f"{tap.grid} x {tap.grid}",
            "train": probes.train[place, label],
            "diagnosis": probes.diagnosis[place, label],
            "all labels, train": probes.train_accuracy[place],
            "all labels, diagnosis": probes.diagnosis_accuracy[place],
            "like the one before": probes.similarity[place, label],
        }
        for place, tap in enumerate(scene.taps.taps)
    ]
    shares = ("train", "diagnosis", "all labels, train", "all labels, diagnosis")
    with st.expander("All layers", icon=":material/table:"):
        st.dataframe(
            [{name: None if isinstance(v, float) and np.isnan(v) else v for name, v in row.items()} for row in rows],
            hide_index=True,
            column_config={
                **{name: st.column_config.NumberColumn(format="percent") for name in shares},
                "like the one before": st.column_config.NumberColumn(
                    format="%.3f", help="the published signal: Bhattacharyya coefficient of consecutive probes' answers"
                ),
            },
            key=scene.key("layers table"),
            alt="Probes of every layer",
        )
        st.download_button(
            "Layers as CSV", data=lambda: to_csv(rows, tuple(rows[0])), file_name="layers.csv", mime="text/csv",
            key=scene.key("layers csv"), on_click="ignore", icon=":material/download:",
        )  # fmt: skip
