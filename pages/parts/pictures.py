"""Arrays as pictures."""

from __future__ import annotations

import numpy as np
from PIL import Image

ORANGE, BLUE = np.array([213, 94, 0]), np.array([0, 114, 178])


def as_image(pixels: np.ndarray) -> Image.Image:
    """uint8 (H, W, C) as an image."""
    return Image.fromarray(pixels[..., 0] if pixels.shape[2] == 1 else pixels)


def signed(change: np.ndarray, most: float) -> Image.Image:
    """A change (C, H, W), the mean of its channels: blue what is added, orange what is taken away, white nothing.

    `most` is the size that has the full colour; by the power 0.7, so that small changes can be seen.
    """
    share = np.clip(change.mean(axis=0) / max(most, 1e-9), -1, 1)[..., None]
    colour = np.where(share > 0, BLUE, ORANGE)
    return Image.fromarray((255 + np.abs(share) ** 0.7 * (colour - 255)).astype(np.uint8))
