"""A grid of images that can be clicked: one chart, one message to the browser, nothing reruns but its fragment."""

from __future__ import annotations

import base64
import io
from collections.abc import Sequence
from dataclasses import dataclass

import altair as alt
from PIL import Image

TILE, GAP = 84, 10  # pixels
ROW = TILE + 28  # with the caption
COLUMNS, PAGE_TILES = 6, 48


@dataclass(frozen=True)
class Tile:
    """One image of the grid: `picture` is a data URL, `caption` fits on its width, `hint` shows on hover."""

    sample_id: str
    picture: str
    caption: str
    hint: str
    wrong: bool
    picked: bool


def data_url(image: Image.Image, side: int) -> str:
    """The image, its longer side `side` pixels, as a WebP data URL; small images are enlarged without blurring."""
    scale = side / max(image.size)
    wanted = (max(1, round(image.width * scale)), max(1, round(image.height * scale)))
    image = image.resize(wanted, Image.Resampling.NEAREST if scale > 1 else Image.Resampling.BILINEAR)
    buffer = io.BytesIO()
    image.save(buffer, "WEBP", quality=75, method=1)
    return "data:image/webp;base64," + base64.b64encode(buffer.getvalue()).decode()


def image_grid(tiles: Sequence[Tile], columns: int = COLUMNS) -> alt.LayerChart | alt.FacetChart:
    """The tiles in rows; clicks select under the name `pick`, field `sample_id`, each adding or taking one.

    Tiles share the width there is, so that the grid fits a telephone too; pictures keep their shape.
    """
    rows = [
        {
            "sample_id": tile.sample_id,
            "image": tile.picture,
            "caption": tile.caption,
            "hint": tile.hint,
            "wrong": tile.wrong,
            "picked": tile.picked,
            "x": place % columns + 0.5,
            "y": (place // columns) * ROW + TILE / 2 + 4,
        }
        for place, tile in enumerate(tiles)
    ]
    height = -(-len(tiles) // columns) * ROW
    pick = alt.selection_point(name="pick", fields=["sample_id"], toggle="true", empty=False)
    clicked = {"param": "pick", "empty": False}
    turned = {"or": [{"and": [clicked, "!datum.picked"]}, {"and": [{"not": clicked}, "datum.picked"]}]}
    base = alt.Chart(alt.Data(values=rows)).encode(
        x=alt.X("x:Q", axis=None, scale=alt.Scale(domain=[0, columns], nice=False, zero=False)),
        y=alt.Y("y:Q", axis=None, scale=alt.Scale(domain=[height, 0], nice=False, zero=False)),
        tooltip=[alt.Tooltip("image:N"), alt.Tooltip("hint:N", title="image")],
    )
    wide = alt.ExprRef(f"width / {columns} - {GAP}")
    frames = base.mark_rect(
        width=alt.ExprRef(f"width / {columns} - {GAP} + 4"), height=TILE + 4, cursor="pointer", fill="transparent"
    ).encode(
        stroke=alt.StrokeValue("#B9B4AC", condition={"test": turned, "value": "#E69F00"}),
        strokeWidth=alt.StrokeWidthValue(1, condition={"test": turned, "value": 5}),
    )
    pictures = base.mark_image(width=wide, height=TILE, cursor="pointer").encode(url="image:N")
    captions = base.mark_text(dy=TILE / 2 + 10, fontSize=10, limit=wide).encode(
        text="caption:N", color=alt.condition("datum.wrong", alt.value("#D55E00"), alt.value("#888888"))
    )
    return (
        alt.layer(pictures, frames.add_params(pick), captions)
        .properties(height=max(height, 1))
        .configure_view(strokeWidth=0)
    )
