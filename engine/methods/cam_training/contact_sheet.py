"""Many images with their maps on one sheet, on a scale that they share."""

from __future__ import annotations

import io
from collections.abc import Sequence

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from engine.methods.cam_training.colouring import coloured, full_colour, overlay
from engine.methods.cam_training.geometry import map_on_image
from engine.methods.cam_training.result import Cams, Localisation

TILE, GAP, LINE, ACROSS = 96, 4, 16, 4  # pixels of a picture, between two, of a line of text; images in a row
PARTS = 3  # of an image: itself, the map over it, the map
WIDE = PARTS * TILE + 5 * GAP
TALL = TILE + LINE + 2 * GAP
INK = (40, 40, 40)


def contact_sheet(
    pictures: np.ndarray, cams: Cams, rows: Sequence[int], captions: Sequence[str], most: float | None = None
) -> Image.Image:
    """The pictures uint8 (n, C, H, W), whose maps are in these rows, each as image, overlay and map, in that order.

    `most` is the size of evidence that has the full colour; left out, it is taken from all maps. It is printed.
    """
    most = full_colour(cams.maps) if most is None else most
    across = min(ACROSS, max(1, len(rows)))
    down = -(-len(rows) // across)
    sheet = Image.new("RGB", (max(2, across) * WIDE + GAP, down * TALL + 2 * LINE + 2 * GAP), "white")
    draw, font = ImageDraw.Draw(sheet), ImageFont.load_default(11)
    for place, (picture, row, caption) in enumerate(zip(pictures, rows, captions, strict=True)):
        top, left = GAP + place // across * TALL, GAP + place % across * WIDE
        values = map_on_image(cams.maps[[row]], cams.seen, *picture.shape[1:])[0]
        parts = (in_colour(picture), overlay(picture, values, most), coloured(values, most))
        for part, pixels in enumerate(parts):
            sheet.paste(tile(pixels), (left + part * (TILE + GAP), top))
        draw.text((left, top + TILE + 1), shortened(caption, font), fill=INK, font=font)
    scale(sheet, most, cams, font)
    return sheet


def sheet_png(pictures: np.ndarray, cams: Cams, rows: Sequence[int], captions: Sequence[str]) -> bytes:
    """The contact sheet as the bytes of a PNG."""
    buffer = io.BytesIO()
    contact_sheet(pictures, cams, rows, captions).save(buffer, "PNG")
    return buffer.getvalue()


def in_colour(picture: np.ndarray) -> np.ndarray:
    """uint8 (C, H, W) as (H, W, 3)."""
    return np.broadcast_to(picture.transpose(1, 2, 0), (*picture.shape[1:], 3))


def tile(pixels: np.ndarray) -> Image.Image:
    """uint8 (H, W, 3) as large as it fits, its pixels kept as squares where it grows, in the middle of a tile."""
    image = Image.fromarray(np.ascontiguousarray(pixels))
    share = TILE / max(image.size)
    size = max(1, round(image.width * share)), max(1, round(image.height * share))
    image = image.resize(size, Image.Resampling.NEAREST if share >= 1 else Image.Resampling.BOX)
    whole = Image.new("RGB", (TILE, TILE), "white")
    whole.paste(image, ((TILE - size[0]) // 2, (TILE - size[1]) // 2))
    return whole


def shortened(text: str, font: ImageFont.ImageFont | ImageFont.FreeTypeFont) -> str:
    """The text, cut off where it would run into the next image."""
    while text and font.getlength(text) > WIDE - 3 * GAP:
        text = text[:-1]
    return text


def scale(sheet: Image.Image, most: float, cams: Cams, font: ImageFont.ImageFont | ImageFont.FreeTypeFont) -> None:
    """The colours with their numbers, and between what the cells lie, along the bottom."""
    top = sheet.height - 2 * LINE
    ramp = np.linspace(-most, most, 2 * TILE)[None].repeat(LINE - 4, axis=0)
    sheet.paste(Image.fromarray(coloured(ramp, most)), (GAP, top + 2))
    lowest, highest = cams.maps.min(initial=0), cams.maps.max(initial=0)
    words = f"-{most:.3g} (orange: against) to {most:.3g} (blue: for) a cell; cells: {lowest:.3g} to {highest:.3g}"
    ImageDraw.Draw(sheet).text((2 * TILE + 3 * GAP, top + 1), words, fill=INK, font=font)


def captions_of(cams: Cams, places: Localisation | None, rows: Sequence[int]) -> list[str]:
    """Label, answer with its confidence, and the share of the evidence that lies where it may."""
    said = []
    for row in rows:
        label = f"{cams.classes[int(cams.labels[row])]} as " if cams.labels[row] >= 0 else ""
        words = f"{label}{cams.classes[int(cams.predictions[row])]}, {cams.confidence[row]:.0%}"
        if places is not None:
            inside = places.energy[row]
            words += ", no evidence" if np.isnan(inside) else f", {inside:.0%} inside"
        said.append(words)
    return said
