"""Picture files as masks: bright, or opaque, is inside. They may come from strangers."""

from __future__ import annotations

import warnings
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

FORMATS = ("PNG", "JPEG", "WEBP", "BMP", "GIF", "TIFF", "PPM")  # all that Pillow is let near
SUFFIXES = (".png", ".jpg", ".jpeg", ".webp", ".bmp", ".gif", ".tif", ".tiff", ".ppm", ".pgm", ".pbm")
MOST_BYTES = 64 * 2**20  # of one file
MOST_PIXELS = 64_000_000  # of one picture
ENOUGH = 512  # pixels a side: more than a mask is kept in
MOST_CLASSES, FEW = 100, 20  # numbers below, and at most so many different ones, are those of classes and no shades


def read_mask(path: Path) -> np.ndarray:
    """How much of each pixel is inside, (H, W) float64 in [0, 1]; the brightest pixel counts as wholly so.

    In a grey picture of few whole numbers below 100, classes, all but 0 is inside. Of a see-through picture what is
    opaque is inside. Large ones are made smaller. ValueError with the reason where it can't be read.
    """
    try:
        if path.stat().st_size > MOST_BYTES:
            raise ValueError(f"it has more than {MOST_BYTES // 2**20} MB")
        with warnings.catch_warnings(action="ignore", category=Image.DecompressionBombWarning):
            image = Image.open(path, formats=FORMATS)
        with image:
            if image.width * image.height > MOST_PIXELS:
                raise ValueError(f"it has {image.width} x {image.height} pixels, more than {MOST_PIXELS:,}")
            brightness = brightness_of(ImageOps.exif_transpose(image))
    except ValueError:
        raise
    except Exception as error:  # on damaged bytes Pillow's readers raise whatever they run into
        raise ValueError(f"it can't be read as a picture: {error}"[:200]) from error
    if not np.isfinite(brightness).all():
        raise ValueError("some of its pixels are no numbers")
    return np.maximum(brightness, 0) / max(brightness.max(), 1e-9)


def are_classes(values: np.ndarray) -> bool:
    """Whether grey values (H, W) are numbers of classes: whole, small and few."""
    if not 0 <= values.min() <= values.max() < MOST_CLASSES:
        return False
    different = np.unique(values)
    return len(different) <= FEW and bool((different == np.rint(different)).all())


def brightness_of(image: Image.Image) -> np.ndarray:
    """(H, W) float64, of no agreed range."""
    if "A" in image.getbands() and not (np.asarray(image.getchannel("A")) == 255).all():
        image = image.getchannel("A")
    elif not image.mode.startswith(("I", "F")):
        image = image.convert("L")
    else:
        image = Image.fromarray(np.asarray(image).astype(np.float32))
    if are_classes(values := np.asarray(image)):
        image = Image.fromarray(np.where(values > 0, np.uint8(255), np.uint8(0)))
    return np.asarray(image.reduce(max(1, min(image.size) // ENOUGH)), dtype=np.float64)
