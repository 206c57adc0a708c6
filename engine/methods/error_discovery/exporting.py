"""Regions taken out: tables and pictures in one zip."""

from __future__ import annotations

import hashlib
import io
import zipfile
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from engine.methods.error_discovery.discovery import Discovery
from engine.methods.error_discovery.image_table import RegionImage, error_rows, images_csv, images_of
from engine.methods.error_discovery.region_table import regions_csv
from engine.toolkit.error_table import error_csv

if TYPE_CHECKING:
    from engine.methods.error_discovery.decoding import Decoder

TOGETHER = 512  # images decoded at once


def bundle(found: Discovery, decoder: Decoder | None, chosen: Sequence[int] | None = None) -> bytes:
    """A zip of `regions.csv`, `images.csv`, `errors.csv` and every image as PNG in its own colours.

    Of all living regions, or of those chosen; `decoder` is None for regions of real errors, whose files are copied. A
    picture whose file is gone is left out, its row stays.
    """
    images = images_of(found, chosen)
    hashes = []
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as out:
        for image, picture in zip(images, pictures(found, images, decoder), strict=True):
            hashes.append(hashlib.sha256(picture).hexdigest() if picture else "")
            if picture:
                out.writestr(image.file, picture)
        out.writestr("regions.csv", regions_csv(found, chosen))
        out.writestr("images.csv", images_csv(found, images, hashes))
        out.writestr("errors.csv", error_csv(error_rows(found, images)))
    return buffer.getvalue()


def pictures(found: Discovery, images: Sequence[RegionImage], decoder: Decoder | None) -> Iterator[bytes]:
    """The PNG of each image, empty where its file is gone."""
    if decoder is None:
        yield from (original(found, image) for image in images)
        return
    for start in range(0, len(images), TOGETHER):
        part = images[start : start + TOGETHER]
        codes = np.stack([code_of(found, image) for image in part])
        labels = np.array([found.regions.label[image.region] for image in part], np.int64)
        for pixels in decoder.pixels(codes, labels):
            yield png(Image.fromarray(pixels[0] if len(pixels) == 1 else np.moveaxis(pixels, 0, 2)))


def code_of(found: Discovery, image: RegionImage) -> np.ndarray:
    """(d,) the code that an image is decoded from."""
    return found.errors.codes[image.error] if image.error >= 0 else found.tests.codes[image.region, image.draw]


def original(found: Discovery, image: RegionImage) -> bytes:
    """A real image as PNG, empty where its file is gone or has changed."""
    own = found.subject.images
    try:
        return png(own.pixels.image(own.position[str(found.errors.ids[image.error])]))
    except ValueError:
        return b""


def png(picture: Image.Image) -> bytes:
    """The picture as the bytes of a PNG."""
    buffer = io.BytesIO()
    picture.save(buffer, "PNG")
    return buffer.getvalue()
