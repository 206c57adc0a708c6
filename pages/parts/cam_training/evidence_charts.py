"""The comparison as charts: every arm on every part, and the differences to plain training."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import altair as alt

from pages.parts.cam_training.words import ARM_TITLES, PART_TITLES
from pages.parts.draw import finite

COLOURS = {"default": "#999999", "cam": "#0072B2", "crop": "#E69F00", "decorrelated": "#009E73"}
BAND = 20  # pixels an arm


def accuracy_chart(rows: Sequence[dict[str, Any]]) -> alt.LayerChart | alt.FacetChart:
    """Accuracy of each arm on each part: the mean over seeds with its interval, and every seed.

    rows: `part`, `arm`, `mean`, `low`, `high` in [0, 1] (NaN where unknown), and `seeds`, the single seeds' values.
    """
    title = "accuracy"
    x = alt.X("mean:Q", title=title, scale=alt.Scale(domain=[0, 1]), axis=alt.Axis(format=".0%"))
    single = [{**named(row), "mean": finite(value)} for row in rows for value in row["seeds"]]
    dots = alt.Chart(alt.Data(values=single)).mark_point(size=25, opacity=0.55).encode(x=x, **bands(rows))
    return alt.layer(dots, means(rows, x, title, 1.0, "+.1%")).properties(height=BAND * len(rows) + 60)


def gap_chart(rows: Sequence[dict[str, Any]]) -> alt.LayerChart | alt.FacetChart:
    """Differences to plain training, in points: `part`, `arm`, `mean`, `low`, `high` in [-1, 1]."""
    title = "points of accuracy more than plain training"
    x = alt.X("mean:Q", title=title)
    zero = alt.Chart(alt.Data(values=[{"mean": 0}])).mark_rule(color="#999999", strokeDash=[3, 3]).encode(x=x)
    return alt.layer(zero, means(rows, x, title, 100.0, "+.1f")).properties(height=BAND * len(rows) + 60)


def means(rows: Sequence[dict[str, Any]], x: alt.X, title: str, scale: float, number: str) -> alt.LayerChart:
    """The means with their intervals."""
    values = [{**named(row), **figures(row, scale)} for row in rows]
    tooltip = [alt.Tooltip("arm:N"), alt.Tooltip("part:N")]
    tooltip += [alt.Tooltip(f"{name}:Q", format=number) for name in ("mean", "low", "high")]
    base = alt.Chart(alt.Data(values=values)).encode(**bands(rows))
    spans = base.mark_rule(strokeWidth=2).encode(x=alt.X("low:Q", title=title), x2="high:Q")
    points = base.mark_point(shape="diamond", filled=True, size=90, opacity=1).encode(x=x, tooltip=tooltip)
    return alt.layer(spans, points)  # type: ignore[return-value]  # neither has facets


def bands(rows: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """A band a part, and in it a line an arm, in their usual order and colours."""
    arms = [name for name in ARM_TITLES if any(row["arm"] == name for row in rows)]
    parts = [title for name, title in PART_TITLES.items() if any(row["part"] == name for row in rows)]
    titles = [ARM_TITLES[name] for name in arms]
    return {
        "y": alt.Y("part:N", sort=parts, title=None, axis=alt.Axis(grid=True)),
        "yOffset": alt.YOffset("arm:N", sort=titles),
        "color": alt.Color(
            "arm:N", scale=alt.Scale(domain=titles, range=[COLOURS[name] for name in arms]), title=None,
            legend=alt.Legend(orient="top", columns=2),
        ),
    }  # fmt: skip


def named(row: dict[str, Any]) -> dict[str, str]:
    """The row's part and arm as they are called."""
    return {"part": PART_TITLES[row["part"]], "arm": ARM_TITLES[row["arm"]]}


def figures(row: dict[str, Any], scale: float) -> dict[str, float | None]:
    """The row's mean and interval, times `scale`."""
    return {name: finite(scale * row[name]) for name in ("mean", "low", "high")}
