"""Charts of a sweep: data in, chart out. Severity runs from -1 to 1, the unchanged images at 0."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import altair as alt
import numpy as np

from engine.methods.input_optimization.curves import Flow, Point
from engine.methods.input_optimization.result import Breakpoint, Interaction
from engine.methods.input_optimization.wording import said_interval, said_value, shown_number, shown_unit
from engine.toolkit.transforms.families import family_named
from pages.parts.charts import MOST_CLASSES, RIGHT, WRONG

PALE, INK = "#F2F0EC", "#1C1917"
SHARE = alt.Scale(domain=[0, 0.5, 1], range=[WRONG, PALE, RIGHT], interpolate="rgb")  # of right answers
BEYOND = 1.05  # where an interval is drawn that goes on beyond the range
STRIP, AROUND = 20, 110  # pixels; what the axis and the legend take
PALETTE = ["#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#F0E442", "#999999", "#882255", "#44AA99"]
TITLES = {
    "accuracy": "accuracy",
    "loss": "cross-entropy of the label, nats",
    "confidence": "confidence of the answer",
    "shift": "change of pixels (RMS, 0 to 1)",
    "distance": "margin distance (L2 of pixels)",
}
SEVERITY = "severity: 0 unchanged, 1 and -1 the ends of the range"


def strips(
    curves: Mapping[str, Sequence[tuple[float, float]]], breaks: Sequence[Breakpoint]
) -> alt.LayerChart | alt.FacetChart:
    """Accuracy of every family against severity, the worst on top, with its breakpoints and their intervals.

    `curves` has (severity, accuracy) by family. A click selects families under the name `family`, field `family`.
    """
    order = sorted(curves, key=lambda name: float(np.mean([accuracy for _, accuracy in curves[name]])))
    titles = [family_named(name).title for name in order]
    rows = [row for name in order for row in strip(name, curves[name])]
    y = alt.Y(
        "title:N", sort=titles, title=None, axis=alt.Axis(labelLimit=150, labelOverlap=False, ticks=False, domain=False)
    )
    base = alt.Chart(alt.Data(values=rows)).encode(y=y)
    pick = alt.selection_point(name="family", fields=["family"], toggle="true")
    across = alt.X("left:Q", title=SEVERITY, scale=alt.Scale(domain=[-1.08, 1.08], nice=False))
    cells = base.mark_rect(cursor="pointer").encode(
        x=across,
        x2="right:Q",
        fill=alt.Fill("accuracy:Q", scale=SHARE, title="accuracy", legend=alt.Legend(format=".0%", orient="top")),
        opacity=alt.condition(pick, alt.value(1), alt.value(0.45)),
        tooltip=[
            alt.Tooltip("title:N", title="transform"),
            alt.Tooltip("at:N", title="at"),
            alt.Tooltip("accuracy:Q", format=".1%"),
        ],
    )
    marks = [mark(each) for each in breaks if np.isfinite(each.severity)]
    shown = alt.Chart(alt.Data(values=marks)).encode(
        y=y,
        tooltip=[
            alt.Tooltip("title:N", title="transform"),
            alt.Tooltip("at:N", title="breaks at"),
            alt.Tooltip("interval:N", title="found with"),
            alt.Tooltip("verified:N", title="other half"),
        ],
    )
    spans = shown.mark_rule(strokeWidth=2, color=INK).encode(x="low:Q", x2="high:Q")
    ticks = shown.mark_tick(thickness=3, size=STRIP - 4, color=INK).encode(x="severity:Q")
    return alt.layer(cells.add_params(pick), spans, ticks).properties(height=STRIP * len(order) + AROUND)


def strip(name: str, points: Sequence[tuple[float, float]]) -> list[dict[str, object]]:
    """One family's cells, each as wide as the way to the next severities' middles."""
    severities = np.array([severity for severity, _ in points])
    middles = (severities[1:] + severities[:-1]) / 2
    first = severities[0] - (middles[0] - severities[0]) if len(middles) else severities[0] - 0.05
    last = severities[-1] + (severities[-1] - middles[-1]) if len(middles) else severities[-1] + 0.05
    edges = [max(float(first), -1.08), *middles.tolist(), min(float(last), 1.08)]
    return [
        {
            "family": name,
            "title": family_named(name).title,
            "left": edges[place],
            "right": edges[place + 1],
            "at": said_value(name, severity),
            "accuracy": accuracy,
        }
        for place, (severity, accuracy) in enumerate(points)
    ]


def mark(row: Breakpoint) -> dict[str, object]:
    """A breakpoint's tick and interval."""
    return {
        "family": row.family,
        "title": family_named(row.family).title,
        "severity": row.sign * row.severity,
        "low": row.sign * (row.severity if np.isnan(row.low) else min(row.low, BEYOND)),
        "high": row.sign * (row.severity if np.isnan(row.high) else min(row.high, BEYOND)),
        "at": said_value(row.family, row.sign * row.severity),
        "interval": said_interval(row.family, row.sign, row.low, row.high),
        "verified": {True: "confirms it", False: "does not confirm it", None: "says nothing"}[row.verified],
    }


def curves(
    points: Mapping[str, Sequence[Point]], measure: str, thresholds: Sequence[float]
) -> alt.LayerChart | alt.FacetChart:
    """A measure of some families against severity with 95 % bands; `thresholds` are drawn as lines."""
    titles = [family_named(name).title for name in points]
    rows = [
        {
            "transform": family_named(name).title,
            "severity": each.severity,
            "at": said_value(name, each.severity),
            "mean": each.mean,
            "low": each.low,
            "high": each.high,
            "n": each.n,
        }
        for name, those in points.items()
        for each in those
        if np.isfinite(each.mean)
    ]
    share = measure in ("accuracy", "confidence")
    axis = alt.Axis(format=".0%") if share else alt.Axis()
    scale = alt.Scale(domain=[0, 1]) if share else alt.Scale(zero=measure != "distance")
    colour = alt.Color(
        "transform:N",
        sort=titles,
        scale=alt.Scale(domain=titles, range=PALETTE),
        title=None,
        legend=alt.Legend(symbolOpacity=1),
    )
    base = alt.Chart(alt.Data(values=rows)).encode(x=alt.X("severity:Q", title=SEVERITY), color=colour)
    number = ".1%" if share else ".3f"
    band = base.mark_area(opacity=0.18).encode(
        y=alt.Y("low:Q", title=TITLES[measure], axis=axis, scale=scale), y2="high:Q"
    )
    line = base.mark_line(strokeWidth=2).encode(y="mean:Q")
    dots = base.mark_circle(size=45, opacity=1).encode(
        y="mean:Q",
        tooltip=[
            alt.Tooltip("transform:N"),
            alt.Tooltip("at:N", title="at"),
            alt.Tooltip("mean:Q", title=measure, format=number),
            alt.Tooltip("low:Q", title="95 % from", format=number),
            alt.Tooltip("high:Q", title="to", format=number),
            alt.Tooltip("n:Q", title="images"),
        ],
    )
    lines = alt.Chart(alt.Data(values=[{"y": each} for each in thresholds if 0 < each < 1])).mark_rule(
        strokeDash=[4, 4], color="#888888"
    )
    return alt.layer(band, line, dots, lines.encode(y="y:Q")).properties(height=300)


def class_heat(
    family: str, classes: Sequence[str], severities: np.ndarray, accuracy: np.ndarray, counts: np.ndarray
) -> alt.LayerChart | alt.FacetChart:
    """Accuracy of each label (classes, S) at each severity (S,) of a family; `counts` (classes,) are its images.

    Of many labels, those that it recognises least.
    """
    told = family_named(family)
    columns = [shown_number(told, float(severity)) for severity in severities]
    means = np.where(counts > 0, np.nan_to_num(accuracy).mean(axis=1), np.inf)
    shown = set(np.argsort(means, kind="stable")[:MOST_CLASSES].tolist())
    rows = [
        {
            "label": name,
            "value": columns[place],
            "at": said_value(family, float(severities[place])),
            "accuracy": float(accuracy[index, place]),
            "shown": f"{accuracy[index, place]:.0%}",
            "n": int(counts[index]),
        }
        for index, name in enumerate(classes)
        for place in range(len(severities))
        if counts[index] and index in shown
    ]
    base = alt.Chart(alt.Data(values=rows)).encode(
        x=alt.X("value:O", sort=columns, title=f"{told.title}, {shown_unit(told)}", axis=alt.Axis(labelAngle=0)),
        y=alt.Y("label:N", sort=list(classes), title="label"),
        tooltip=[
            alt.Tooltip("label:N"),
            alt.Tooltip("at:N", title="at"),
            alt.Tooltip("accuracy:Q", format=".1%"),
            alt.Tooltip("n:Q", title="images"),
        ],
    )
    cells = base.mark_rect().encode(fill=alt.Fill("accuracy:Q", scale=SHARE, legend=None))
    numbers = base.mark_text(fontSize=10).encode(
        text="shown:N",
        color=alt.condition("abs(datum.accuracy - 0.5) > 0.32", alt.value("#FFFFFF"), alt.value(INK)),
    )
    return alt.layer(cells, numbers).properties(height=max(120, 26 * min(MOST_CLASSES, int((counts > 0).sum())) + 20))


def answer_flow(family: str, sign: int, classes: Sequence[str], found: Flow, most: int = 8) -> alt.Chart:
    """Which classes wrong answers name, as shares of all images, stacked, at each severity of one side of a family.

    The commonest `most` - 1 classes have a colour each, the others share one.
    """
    commonest = np.argsort(-found.counts.sum(axis=0), kind="stable")[: most - 1]
    named = [classes[index] for index in commonest if found.counts[:, index].any()]
    rows = []
    for place, severity in enumerate(found.severities.tolist()):
        others = int(found.wrong[place])
        for index in commonest.tolist():
            others -= int(found.counts[place, index])
            rows.append(flow_row(family, sign, severity, classes[index], int(found.counts[place, index]), found.n))
        rows.append(flow_row(family, sign, severity, "any other", others, found.n))
    domain = [*named, "any other"]
    return (
        alt.Chart(alt.Data(values=rows))
        .mark_bar()
        .encode(
            x=alt.X(
                "value:O",
                sort=None,
                title=f"{family_named(family).title}, {shown_unit(family_named(family))}",
                axis=alt.Axis(labelAngle=0),
            ),
            y=alt.Y(
                "share:Q",
                title="wrong answers, share of images",
                axis=alt.Axis(format=".0%"),
                scale=alt.Scale(domain=[0, 1]),
            ),
            color=alt.Color(
                "answer:N", scale=alt.Scale(domain=domain, range=[*PALETTE[: len(named)], "#BBBBBB"]), sort=domain
            ),
            tooltip=[
                alt.Tooltip("at:N", title="at"),
                alt.Tooltip("answer:N"),
                alt.Tooltip("images:Q"),
                alt.Tooltip("share:Q", format=".1%"),
            ],
        )
        .properties(height=280)
    )


def flow_row(family: str, sign: int, severity: float, answer: str, images: int, n: int) -> dict[str, object]:
    """One piece of a bar."""
    return {
        "value": shown_number(family_named(family), sign * severity),
        "at": said_value(family, sign * severity),
        "answer": answer,
        "images": images,
        "share": images / max(n, 1),
    }


def interaction_heat(found: Interaction) -> alt.LayerChart | alt.FacetChart:
    """Accuracy under two families together, with the line on which it crosses the threshold."""
    first, second = (family_named(name) for name in found.families)
    rows = [
        {
            **cell_edges(found.first, i, "x"),
            **cell_edges(found.second, j, "y"),
            "first": said_value(first.name, float(found.first[i])),
            "second": said_value(second.name, float(found.second[j])),
            "accuracy": float(found.accuracy[i, j]),
        }
        for i in range(len(found.first))
        for j in range(len(found.second))
    ]
    cells = (
        alt.Chart(alt.Data(values=rows))
        .mark_rect()
        .encode(
            x=alt.X("x:Q", title=f"severity of {first.title}", scale=alt.Scale(nice=False, zero=False)),
            x2="x2:Q",
            y=alt.Y("y:Q", title=f"severity of {second.title}", scale=alt.Scale(nice=False, zero=False)),
            y2="y2:Q",
            fill=alt.Fill("accuracy:Q", scale=SHARE, legend=alt.Legend(format=".0%")),
            tooltip=[
                alt.Tooltip("first:N", title=first.title),
                alt.Tooltip("second:N", title=second.title),
                alt.Tooltip("accuracy:Q", format=".1%"),
            ],
        )
    )
    points = [{"x": float(x), "y": float(y), "order": place} for place, (x, y) in enumerate(found.line)]
    line = alt.Chart(alt.Data(values=points)).mark_line(color=INK, strokeWidth=2.5, point=alt.OverlayMarkDef(color=INK))
    return alt.layer(cells, line.encode(x="x:Q", y="y:Q", order="order:O")).properties(height=380)


def cell_edges(severities: np.ndarray, place: int, axis: str) -> dict[str, float]:
    """From where to where a cell reaches: to the middles of the ways to its neighbours."""
    middles = (severities[1:] + severities[:-1]) / 2
    half = (severities[1] - severities[0]) / 2 if len(severities) > 1 else 0.5
    low = float(middles[place - 1]) if place else float(severities[0] - half)
    high = float(middles[place]) if place < len(middles) else float(2 * severities[place] - low)
    return {axis: low, f"{axis}2": high}
