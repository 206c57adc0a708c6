"""Rows of pictures in one chart, each with its caption: images against severities, or any other table of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import altair as alt

CAPTION, HEAD = 14, 24  # pixels
PADDING = 10  # that Vega takes from the height, above and below together


@dataclass(frozen=True)
class Picture:
    """One picture of a table: a data URL, its caption, what a hover says, and the `key` that a click selects."""

    row: int
    column: int
    url: str
    caption: str
    hint: str
    wrong: bool
    key: str = ""


def picture_table(
    pictures: Sequence[Picture], columns: Sequence[str], rows: Sequence[str], tile: int, picked: str = ""
) -> alt.LayerChart | alt.FacetChart:
    """The pictures under their columns' heads, each row's name at its left; `tile` pixels high where there is room.

    A click selects under the name `pick`, field `key`. The picture whose key is `picked` is framed.
    """
    step = tile + CAPTION + 4
    height = HEAD + step * len(rows)
    data = [
        {
            "x": each.column + 0.5,
            "y": HEAD + each.row * step + tile / 2,
            "image": each.url,
            "caption": each.caption,
            "hint": each.hint,
            "wrong": each.wrong,
            "key": each.key,
            "picked": bool(picked) and each.key == picked,
        }
        for each in pictures
    ]
    across = alt.Scale(domain=[-0.9, len(columns)], nice=False, zero=False)
    down = alt.Scale(domain=[height, 0], nice=False, zero=False)
    x, y = alt.X("x:Q", axis=None, scale=across), alt.Y("y:Q", axis=None, scale=down)
    wide = alt.ExprRef(f"min({tile}, width / {len(columns) + 0.9} - 3)")
    base = alt.Chart(alt.Data(values=data)).encode(x=x, y=y)
    pick = alt.selection_point(name="pick", fields=["key"], toggle=False)
    images = base.mark_image(width=wide, height=wide).encode(url="image:N")
    frames = base.mark_rect(width=wide, height=wide, fill="transparent", cursor="pointer").encode(
        stroke=alt.StrokeValue("#B9B4AC", condition={"test": "datum.picked", "value": "#E69F00"}),
        strokeWidth=alt.StrokeWidthValue(0.5, condition={"test": "datum.picked", "value": 3}),
        tooltip=[alt.Tooltip("image:N"), alt.Tooltip("hint:N", title="image")],
    )
    captions = base.mark_text(dy=tile / 2 + 8, fontSize=10, limit=wide).encode(
        text="caption:N", color=alt.condition("datum.wrong", alt.value("#D55E00"), alt.value("#888888"))
    )
    heads = [{"x": place + 0.5, "y": HEAD / 2 - 3, "text": name} for place, name in enumerate(columns)]
    names = [{"x": -0.05, "y": HEAD + place * step + tile / 2, "text": name} for place, name in enumerate(rows)]
    top = alt.Chart(alt.Data(values=heads)).mark_text(fontSize=11, color="#888888", limit=80)
    left = alt.Chart(alt.Data(values=names)).mark_text(fontSize=10, align="right", color="#888888", limit=90)
    words = [chart.encode(x=x, y=y, text="text:N") for chart in (top, left)]
    tiles = alt.layer(images, frames.add_params(pick), captions)  # by themselves, so that their data is sent once
    return alt.layer(tiles, *words).properties(height=height + PADDING).configure_view(strokeWidth=0)
