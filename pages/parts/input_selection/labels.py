"""Which labels are buggy: the rule, every label's recalls and verdict, and the one to look at."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from engine.methods.input_selection.drawing import left_out
from engine.methods.input_selection.label_sentences import what_the_labels_show
from engine.methods.input_selection.result import LabelVerdict, Taps
from engine.methods.input_selection.settings import TapSettings, VerdictSettings
from engine.methods.input_selection.verdicts import label_verdicts
from engine.subject.image_set import ImageSet
from engine.toolkit.tables import to_csv
from pages.parts.draw import draw
from pages.parts.input_selection.label_charts import label_chart
from pages.parts.saving import captioned
from pages.parts.text import plain

SHOWN = 40  # labels in the chart, the most severe


def the_rule() -> VerdictSettings:
    """When a label counts as buggy."""
    usual = VerdictSettings()
    with st.expander("When a label is buggy", icon=":material/tune:"), st.container(horizontal=True):
        recall = st.slider(
            "Under-fitted: recall below", 0.05, 0.99, usual.recall, 0.01, format="percent", key="rule recall",
            width=280, help="on train and on diagnosis, beyond chance",
        )  # fmt: skip
        gap = st.slider(
            "Over-fitted: train above diagnosis by", 0.02, 0.9, usual.gap, 0.01, format="percent", key="rule gap",
            width=280, help="beyond chance; only where it is known which images it was trained on",
        )  # fmt: skip
        few = st.number_input("Too few below", 2, 1000, usual.few, key="rule few", width=130)
    return VerdictSettings(recall, gap, usual.alpha, int(few))


def labels(taps: Taps, images: ImageSet, rule: VerdictSettings, run_id: str) -> tuple[tuple[LabelVerdict, ...], int]:
    """All verdicts, shown, and the label that is looked at: the most severe, until another is chosen."""
    verdicts = verdicts_of(f"{run_id} {rule}", taps, rule)
    for sentence in what_the_labels_show(verdicts, taps):
        st.markdown(plain(sentence))
    for said in looked_at(taps, images):
        st.caption(said)
    rows = [row_of(each, taps.classes) for each in verdicts]
    left, right = st.columns([1, 1], gap="large")
    with left:
        chart = label_chart(rows[:SHOWN])
        draw(chart, f"labels {run_id} {rule}", "Recall of each label on train and on diagnosis")
        shown = f" Shown: the {SHOWN} most severe." if len(rows) > SHOWN else ""
        captioned(chart, f"labels {run_id}", f"Most severe first; bars are 95 % intervals.{shown}", "labels")
    with right:
        table(rows, run_id)
    target = st.selectbox(
        "Label to explain and mend",
        sorted((each.label for each in verdicts), key=lambda label: not severe(verdicts, label)),
        format_func=lambda label: f"{taps.classes[label]} ({next(v.verdict for v in verdicts if v.label == label)})",
        key=f"target {run_id}",
        width=320,
    )
    return verdicts, target


def looked_at(taps: Taps, images: ImageSet) -> list[str]:
    """Where not all images of a role are looked into, how many are."""
    said = [left_out(images, role.role, TapSettings().most(role.role)) for role in taps.roles]
    return [each for each in said if each]


def severe(verdicts: Sequence[LabelVerdict], label: int) -> bool:
    """Whether the label has images to be looked at; those without come last."""
    return next(each.diagnosis.n for each in verdicts if each.label == label) > 0


@st.cache_data(show_spinner=False, max_entries=8)
def verdicts_of(name: str, _taps: Taps, _rule: VerdictSettings) -> tuple[LabelVerdict, ...]:
    """The verdicts, worked out once."""
    del name
    return label_verdicts(_taps, _rule)


def row_of(verdict: LabelVerdict, classes: Sequence[str]) -> dict[str, object]:
    """One label's row, of the table and of the chart."""
    partners = ", ".join(f"{classes[other]} ({count})" for other, count in verdict.partners)
    return {
        "label": classes[verdict.label],
        "verdict": verdict.verdict,
        "train": verdict.train.value,
        "diagnosis": verdict.diagnosis.value,
        "gap": verdict.gap,
        "precision": verdict.precision.value,
        "taken for": partners,
        "n train": verdict.train.n,
        "n diagnosis": verdict.diagnosis.n,
        "severity": verdict.severity,
        "p": verdict.p,
        "train_low": verdict.train.low,
        "train_high": verdict.train.high,
        "diagnosis_low": verdict.diagnosis.low,
        "diagnosis_high": verdict.diagnosis.high,
        "gap_low": verdict.gap_low,
        "gap_high": verdict.gap_high,
    }


def table(rows: Sequence[dict[str, object]], run_id: str) -> None:
    """All numbers."""
    shares = ("train", "diagnosis", "gap", "precision", "train_low", "train_high", "diagnosis_low", "diagnosis_high",
              "gap_low", "gap_high")  # fmt: skip
    st.dataframe(
        rows,
        hide_index=True,
        height=min(380, 36 * (len(rows) + 1)),
        column_config={
            **{name: st.column_config.NumberColumn(format="percent") for name in shares},
            "severity": st.column_config.NumberColumn(format="%.2f"),
            "p": st.column_config.NumberColumn(format="%.2g", help="Holm over the labels"),
        },
        key=f"labels table {run_id}",
        alt="Recalls, precision and verdict of each label",
    )
    st.download_button(
        "Labels as CSV", data=lambda: to_csv(rows, tuple(rows[0])), file_name="labels.csv", mime="text/csv",
        key=f"labels csv {run_id}", on_click="ignore", type="tertiary", icon=":material/download:",
    )  # fmt: skip
