"""Small pictures of images, made once."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import streamlit as st
from PIL import Image

from engine.subject.image_set import ImageSet
from pages.parts.grid import data_url


@st.cache_resource(show_spinner=False, max_entries=2000)
def _thumbnail(dataset: str, sample_id: str, side: int, _images: ImageSet) -> str:
    del dataset
    return data_url(picture(_images, sample_id), side)


def thumbnails(images: ImageSet, sample_ids: Sequence[str], side: int) -> list[str]:
    """Data URLs of the images with these ids, the longer side `side` pixels, in order; grey where a file is gone."""
    found = []
    for sample_id in sample_ids:
        try:
            found.append(_thumbnail(images.fingerprint, sample_id, side, images))
        except ValueError:  # the file is gone or has changed; not kept, for it may come back
            found.append(data_url(Image.new("L", (8, 8), 128), side))
    return found


def forget() -> None:
    """Drop all thumbnails, since some are of images that are to be forgotten."""
    _thumbnail.clear()


def picture(images: ImageSet, sample_id: str) -> Image.Image:
    """The image as the classifier is shown it: in the set's frame."""
    pixels = images.read([images.position[sample_id]])[0]
    return Image.fromarray(pixels[0] if len(pixels) == 1 else np.ascontiguousarray(pixels.transpose(1, 2, 0)))
