"""What goes on while it trains, as charts: plain lists in, charts out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import altair as alt

from pages.parts.draw import finite

BLUE, ORANGE, GREY = "#0072B2", "#D55E00", "#999999"
HEIGHT = 250
GROUPS: tuple[tuple[str, str, tuple[tuple[str, str, str], ...], str], ...] = (
    (
        "What it is trained on",
        "loss",
        (("cross_entropy", "cross-entropy", BLUE), ("cam_loss", "CAM term", ORANGE)),
        "symlog",
    ),
    (
        "How hard each pulls",
        "norm of the gradient",
        (("cross_entropy_gradient", "cross-entropy", BLUE), ("cam_gradient", "CAM term, weighted", ORANGE)),
        "symlog",
    ),
    (
        "Where its evidence lies",
        "logits for the label",
        (("inside", "allowed part", BLUE), ("outside", "forbidden part", ORANGE)),
        "linear",
    ),
    ("Right answers in training", "accuracy", (("accuracy", "accuracy", BLUE),), "linear"),
)


def curve_charts(curves: Mapping[str, Sequence[float]]) -> list[tuple[str, alt.Chart]]:
    """One chart a group with its name; `curves` has the fields of `Curves`, of equal length."""
    return [(title, lines(curves, axis, series, scale)) for title, axis, series, scale in GROUPS]


def lines(
    curves: Mapping[str, Sequence[float]], axis: str, series: Sequence[tuple[str, str, str]], scale: str
) -> alt.Chart:
    """The series over the steps, each in its colour."""
    rows = [
        {"step": step, "value": finite(value), "of": name}
        for field, name, _ in series
        for step, value in zip(curves["step"], curves[field], strict=True)
    ]
    colours = alt.Scale(domain=[name for _, name, _ in series], range=[colour for _, _, colour in series])
    y = alt.Scale(type="symlog", constant=0.01) if scale == "symlog" else alt.Scale()
    if series[0][0] == "accuracy":
        y = alt.Scale(domain=[0, 1])
    return (
        alt.Chart(alt.Data(values=rows))
        .mark_line()
        .encode(
            x=alt.X("step:Q", title="step"),
            y=alt.Y("value:Q", title=axis, scale=y),
            color=alt.Color(
                "of:N", scale=colours, title=None, legend=alt.Legend(orient="top") if len(series) > 1 else None
            ),
            tooltip=[
                alt.Tooltip("of:N", title="of"),
                alt.Tooltip("step:Q"),
                alt.Tooltip("value:Q", title=axis, format=".4g"),
            ],
        )
        .properties(height=HEIGHT)
    )
