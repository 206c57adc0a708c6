"""Image files, whatever their format and colours, as upright grey or RGB pictures."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from engine.subject.frame import Frame

FORMATS = ("PNG", "JPEG", "WEBP", "BMP", "GIF", "TIFF", "PPM")  # all that Pillow is let near; no SVG, no PDF
SUFFIXES = (".png", ".jpg", ".jpeg", ".webp", ".bmp", ".gif", ".tif", ".tiff", ".ppm", ".pgm", ".pbm")
MOST_BYTES = 256 * 2**20  # of one file
MOST_PIXELS = 64_000_000  # of one image; as RGB 192 MB, and several are decoded at once

GREY_MODES = ("1", "L", "LA", "La", "I", "I;16", "I;16L", "I;16B", "I;16N")
ORIENTATION = 0x0112  # the EXIF tag
QUARTER_TURNED = (5, 6, 7, 8)  # its values that exchange width and height


@dataclass(frozen=True)
class Look:
    """What one look at an image's bytes tells: its upright size in pixels, whether grey or see-through."""

    height: int
    width: int
    grey: bool
    see_through: bool


@dataclass(frozen=True, eq=False)
class FilePixels:
    """Images in files: `names` (N,) str below the folder `root`. `one_size` says that all have the same size.

    `hashes` (N,) str are of the files' bytes, as `file_hash` gives them. Nothing is scanned here, so it can be made
    again from stored columns at no cost.
    """

    root: Path
    names: Sequence[str] | np.ndarray
    one_size: bool
    hashes: Sequence[str] | np.ndarray

    def image(self, index: int) -> Image.Image:
        """The image at this index, decoded and upright, in mode L or RGB.

        Raises ValueError where the file is gone or is no longer the image that it was when it was loaded.
        """
        name = str(self.names[index])
        try:
            content = (self.root / name).read_bytes()
            if file_hash(content) != self.hashes[index]:
                raise OSError("it has another content")
            return decoded(content)
        except Exception as error:  # as in looked_at
            raise ValueError(
                f"{name} could be read when the data was loaded, and now can't ({error}); load the data again"
            ) from error

    def block(self, indices: np.ndarray, frame: Frame) -> None:
        """Files are decoded one by one."""


def file_hash(content: bytes) -> str:
    """What an image is known by: the beginning of its file's SHA-256."""
    return hashlib.sha256(content).hexdigest()[:16]


def decoded(content: bytes) -> Image.Image:
    """The upright picture in an image file's bytes, in mode L or RGB; of several frames the first."""
    with opened(content) as image:
        return plain(upright(image))


def looked_at(content: bytes) -> Look:
    """Size and kind of the image in these bytes, after decoding it whole, so that `decoded` won't fail later.

    A JPEG is decoded at an eighth of its size: every byte is read all the same, in about half the time.
    Raises ValueError with the reason where it isn't an image that can be used.
    """
    try:
        with opened(content) as image:
            mode, see_through = image.mode, "A" in image.mode or "a" in image.mode or "transparency" in image.info
            if image.format == "JPEG":
                width, height = image.size
                if image.getexif().get(ORIENTATION) in QUARTER_TURNED:
                    width, height = height, width
                image.draft("L", (1, 1))
                image.load()
            else:
                width, height = plain(upright(image)).size
    except UnidentifiedImageError:
        raise ValueError("not an image in a known format (PNG, JPEG, WebP, BMP, GIF, TIFF, PPM)") from None
    except Exception as error:  # on damaged bytes Pillow's readers raise whatever they run into
        raise ValueError(f"damaged or not supported: {error}") from error
    return Look(height, width, mode in GREY_MODES, see_through)


def opened(content: bytes) -> Image.Image:
    """The image in these bytes, its header read and nothing decoded yet."""
    try:
        image = Image.open(io.BytesIO(content), formats=FORMATS)
    except Image.DecompressionBombError:
        raise ValueError(f"it has more than {MOST_PIXELS:,} pixels") from None
    if image.width * image.height > MOST_PIXELS:
        raise ValueError(f"it has {image.width} x {image.height} pixels, more than {MOST_PIXELS:,}")
    return image


def upright(image: Image.Image) -> Image.Image:
    """The image turned as its EXIF orientation asks, in place."""
    image.load()
    ImageOps.exif_transpose(image, in_place=True)
    return image


def plain(image: Image.Image) -> Image.Image:
    """The image in mode L (from grey) or RGB (from all else), 8 bits a channel.

    What is see-through is shown on white, as on a page. 16-bit grey is scaled by 1/257, not clipped.
    Raises ValueError for pixels that have no agreed range (floating point, 32 bits).
    """
    if image.mode.startswith("I"):
        return eight_bits(image)
    if image.mode == "F":
        raise ValueError("its pixels are floating point numbers of no agreed range")
    grey = image.mode in GREY_MODES
    if "A" in image.mode or "a" in image.mode or "transparency" in image.info:
        image = image.convert("RGBA")
        image = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image)
    wanted = "L" if grey else "RGB"
    return image.copy() if image.mode == wanted else image.convert(wanted)


def eight_bits(image: Image.Image) -> Image.Image:
    """A 16-bit grey image in 8 bits, 65535 becoming 255."""
    levels = np.asarray(image).astype(np.int64)
    if levels.min() < 0 or levels.max() > 65535:
        raise ValueError("its pixels have 32 bits and no agreed range")
    return Image.fromarray(((levels + 128) // 257).astype(np.uint8))
