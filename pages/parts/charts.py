"""Charts: data in, chart out. Every selection has a name and fields, every axis a title with its unit."""

from __future__ import annotations

from collections.abc import Sequence

import altair as alt
import numpy as np

from engine.methods.evaluation.result import ClassFigures

RIGHT, WRONG = "#0072B2", "#D55E00"  # blue and vermilion: told apart without red and green
MOST_CLASSES = 30  # a confusion matrix with more cells than this squared can't be read
BINS = 20


def shown_classes(confusion: np.ndarray) -> np.ndarray:
    """The class numbers worth a row: all, or the thirty with the most mistakes to or from them, in order."""
    if len(confusion) <= MOST_CLASSES:
        return np.arange(len(confusion))
    mistakes = confusion.sum(axis=0) + confusion.sum(axis=1) - 2 * confusion.diagonal()
    return np.sort(np.argsort(-mistakes, kind="stable")[:MOST_CLASSES])


def confusion_matrix(confusion: np.ndarray, classes: Sequence[str]) -> alt.LayerChart | alt.FacetChart:
    """Counts by label (rows) and prediction (columns), coloured by the share of the label's images.

    A click selects cells under the name `cell`, with the fields `label` and `prediction` (class names).
    """
    shown = shown_classes(confusion)
    support = np.maximum(confusion.sum(axis=1), 1)
    rows = [
        {
            "label": classes[label],
            "prediction": classes[prediction],
            "images": int(confusion[label, prediction]),
            "share": float(confusion[label, prediction] / support[label]),
            "heat": float(np.sqrt(confusion[label, prediction] / support[label])) * (1 if label == prediction else -1),
            "shown": f"{confusion[label, prediction]:,}" if confusion[label, prediction] else "",
        }
        for label in shown
        for prediction in shown
    ]
    order = [classes[index] for index in shown]
    base = alt.Chart(alt.Data(values=rows)).encode(
        x=alt.X("prediction:N", sort=order, title="prediction", axis=alt.Axis(labelAngle=-40, orient="top")),
        y=alt.Y("label:N", sort=order, title="label (truth)"),
    )
    pick = alt.selection_point(name="cell", fields=["label", "prediction"], toggle="true")
    tooltip = [
        alt.Tooltip("label:N"),
        alt.Tooltip("prediction:N"),
        alt.Tooltip("images:Q", title="images"),
        alt.Tooltip("share:Q", title="share of the label", format=".1%"),
    ]
    # signed, so that right and wrong have a hue each; by square root, so that a handful of mistakes can be seen
    colours = base.mark_rect().encode(
        fill=alt.Fill("heat:Q", scale=alt.Scale(domain=[-1, 0, 1], range=[WRONG, "#F2F0EC", RIGHT]), legend=None)
    )
    numbers = base.mark_text(fontSize=11).encode(
        text=alt.Text("shown:N"),
        color=alt.condition("abs(datum.heat) > 0.55", alt.value("#FFFFFF"), alt.value("#1C1917")),
    )
    # on top of the numbers, which would swallow the click
    cells = base.mark_rect(cursor="pointer", fill="transparent").encode(
        stroke=alt.condition(pick, alt.value("#1C1917"), alt.value("#FFFFFF"), empty=False),
        strokeWidth=alt.condition(pick, alt.value(3), alt.value(0.5), empty=False),
        tooltip=tooltip,
    )
    size = max(280, 30 * len(shown))
    return alt.layer(colours, numbers, cells.add_params(pick)).properties(height=size)


def confidence_histogram(confidence: np.ndarray, answer: str) -> alt.Chart:
    """How sure it was of its `right` or its `wrong` answers; confidence (N,) in [0, 1].

    Dragging selects a range of confidence under the name `range`.
    """
    counts, edges = np.histogram(confidence, BINS, (0, 1))
    rows = [
        {"low": float(low), "high": float(low + 1 / BINS), "images": int(count)}
        for low, count in zip(edges[:-1], counts, strict=True)
    ]
    return (
        alt.Chart(alt.Data(values=rows), title=f"{answer} answers, n = {len(confidence):,}")
        .mark_bar(color=RIGHT if answer == "right" else WRONG)
        .encode(
            x=alt.X("low:Q", title="confidence", bin="binned", scale=alt.Scale(domain=[0, 1])),
            x2="high:Q",
            y=alt.Y("images:Q", title="images"),
            tooltip=[
                alt.Tooltip("low:Q", title="confidence from", format=".2f"),
                alt.Tooltip("high:Q", title="to", format=".2f"),
                alt.Tooltip("images:Q"),
            ],
        )
        .properties(height=180)
        .add_params(alt.selection_interval(name="range", encodings=["x"]))
    )


def class_rates(figures: Sequence[ClassFigures]) -> list[dict[str, object]]:
    """The per-class table's rows: rates in [0, 1] with their intervals."""
    return [
        {
            "class": each.name,
            "recall": each.recall.value,
            "95 % interval": f"{each.recall.low:.1%} to {each.recall.high:.1%}" if each.support else "no images",
            "precision": each.precision.value,
            "F1": each.f1,
            "support": each.support,
            "groups": each.recall.groups,
            "predicted": each.predicted,
            "recall low": each.recall.low,
            "recall high": each.recall.high,
            "precision low": each.precision.low,
            "precision high": each.precision.high,
        }
        for each in figures
    ]


def top_classes(names: Sequence[str], shares: Sequence[float], label: str) -> alt.Chart:
    """The likeliest classes of one image as bars, the label's own colour told apart."""
    rows = [
        {"class": name, "confidence": float(share), "is": "the label" if name == label else "another class"}
        for name, share in zip(names, shares, strict=True)
    ]
    return (
        alt.Chart(alt.Data(values=rows))
        .mark_bar()
        .encode(
            x=alt.X("confidence:Q", title="confidence", scale=alt.Scale(domain=[0, 1]), axis=alt.Axis(format=".0%")),
            y=alt.Y("class:N", sort=None, title=None),
            color=alt.Color(
                "is:N", scale=alt.Scale(domain=["the label", "another class"], range=[RIGHT, "#999999"]), title=None
            ),
            tooltip=[alt.Tooltip("class:N"), alt.Tooltip("confidence:Q", format=".2%"), alt.Tooltip("is:N")],
        )
        .properties(height=22 * len(rows) + 75)
    )
