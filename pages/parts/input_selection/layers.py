"""Which layer explains it: how well a label can be read off every block, at once by ridge, then by softmax probes."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import numpy as np
import streamlit as st

from engine.methods.input_selection import PROBES
from engine.methods.input_selection.layer_choice import LayerChoice, chosen_layer, head_sentence, recalls_of
from engine.methods.input_selection.result import Probes
from engine.methods.input_selection.settings import ProbeSettings
from engine.subject.image_set import Role
from engine.toolkit.tables import to_csv
from pages.parts.draw import draw
from pages.parts.input_selection.label_charts import DIAGNOSIS, TRAIN, gap_chart, layer_chart
from pages.parts.input_selection.pace import seconds_of_probes
from pages.parts.input_selection.scene import Scene
from pages.parts.run_panel import answered
from pages.parts.saving import captioned
from pages.parts.text import plain

FOUND = "the one that explains it"
PREVIEW = "A first look, by ridge probes; the layer is settled when the softmax probes are done."


def explained(scene: Scene) -> Scene | None:
    """The scene with the probes and the layer that is looked at; None while the probes are not known.

    Where there is nothing to fit probes on it stays as it is, and the page says so.
    """
    if not scene.has_train:
        st.info(
            "There are no labelled images of `train` to fit probes on, so no layer can be told. Load a training part "
            "to see it; the samples below are then chosen by what the classifier answers, or by their pixels."
        )
        return scene
    probes = scene.bench.answer(PROBES, scene.subject, ProbeSettings(), scene.tapped)
    if probes is not None:
        return shown(scene, probes)
    ridge = answered(scene.bench, PROBES, scene.subject, ProbeSettings("ridge"), lambda: 0.0, inputs=scene.tapped)
    if ridge is not None:
        shown(scene, ridge)
        seconds = partial(seconds_of_probes, scene)
        if answered(scene.bench, PROBES, scene.subject, ProbeSettings(), seconds, inputs=scene.tapped) is not None:
            st.rerun()  # it came just now
    return None


def shown(scene: Scene, probes: Probes) -> Scene:
    """The layers as these probes see them, with the one that is looked at."""
    found = chosen_layer(probes, scene.taps, scene.target, scene.verdict.verdict, scene.rule.gap)
    names = [tap.name for tap in scene.taps.taps]
    chosen = st.selectbox(
        "Layer", [FOUND, *names], format_func=lambda name: f"{found.name}, {FOUND}" if name == FOUND else name,
        key=scene.key("layer"), width=340,
    )  # fmt: skip
    place = found.tap if chosen == FOUND else names.index(chosen)
    st.markdown(plain(found.why))
    at_fault = head_sentence(probes, scene.taps, scene.target)
    if at_fault:
        st.markdown(plain(at_fault))
    if probes.kind == "ridge":
        st.caption(PREVIEW)
    charts(scene, probes, found, names[place])
    table(scene, probes)
    layer = replace(found, tap=place, name=names[place])
    return replace(scene, probes=probes, layer=layer, overruled=chosen != FOUND)


def charts(scene: Scene, probes: Probes, found: LayerChoice, chosen: str) -> None:
    """The label's recall off each layer, and for an over-fitted label the gap beside it."""
    name, key = scene.taps.classes[scene.target], scene.key(f"{probes.kind} layers {chosen}")
    places = st.columns(2, gap="large") if found.of_gap else [st.container()]
    if found.of_gap:
        with places[0]:
            chart = gap_chart(gap_rows(scene, found), chosen, scene.rule.gap)
            draw(chart, f"gap {key}", "Gap between train and diagnosis of a linear read-out of each layer")
            said = f"How much better {name} can be read off train than off diagnosis; dashed across: the threshold."
            captioned(chart, f"gap {key}", f"{said} Bars are 95 % intervals.", "gaps")
    with places[-1]:
        chart = layer_chart(rows_of(scene, probes, found.of_gap), chosen)
        draw(chart, key, "Recall of a linear read-out of each layer")
        said = f"How well {name} can be read off each layer by a linear probe fitted on train"
        said += ", each image of train by one that saw none of its group." if found.of_gap else "; dashed: the layer."
        captioned(chart, key, f"{said} Bars are 95 % intervals.", "layers")


def rows_of(scene: Scene, probes: Probes, of_gap: bool) -> list[dict[str, object]]:
    """One row a tap and role, with the interval of the label's recall there.

    For the gap both roles by probes that saw none of their images; else diagnosis by the probes that explain.
    """
    rows = []
    both = ((TRAIN, probes.gap_right, Role.TRAIN), (DIAGNOSIS, probes.gap_diagnosis, Role.DIAGNOSIS))
    for name, right, role in both if of_gap else ((DIAGNOSIS, probes.right, Role.DIAGNOSIS),):
        for tap, share in zip(scene.taps.taps, recalls_of(right, scene.taps.role(role), scene.target), strict=True):
            span = {"low": share.low, "high": share.high, "n": share.n}
            rows.append({"tap": tap.name, "of": name, "recall": share.value, **span})
    return rows


def gap_rows(scene: Scene, found: LayerChoice) -> list[dict[str, object]]:
    """One row a tap, with the interval of the gap there."""
    return [
        {"tap": tap.name, "gap": float(value), "low": float(low), "high": float(high)}
        for tap, (value, low, high) in zip(scene.taps.taps, found.values, strict=True)
    ]


def table(scene: Scene, probes: Probes) -> None:
    """All numbers of the layers, with the published likeness of consecutive probes."""
    label = scene.target
    held_out = recalls_of(probes.gap_right, scene.taps.role(Role.TRAIN), label)
    rows = [
        {
            "layer": tap.name,
            "channels": tap.channels,
            "cells": f"{tap.grid} x {tap.grid}",
            "diagnosis": probes.diagnosis[place, label],
            "train, as fitted": probes.train[place, label],
            "train, held out": held_out[place].value,
            "all, train as fitted": probes.train_accuracy[place],
            "all, diagnosis": probes.diagnosis_accuracy[place],
            "like the one before": probes.similarity[place, label],
        }
        for place, tap in enumerate(scene.taps.taps)
    ]
    shares = (
        "diagnosis",
        "train, as fitted",
        "train, held out",
        "all, train as fitted",
        "all, diagnosis",
    )
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
