"""Maps as pictures on one scale: blue speaks for, orange against, and what has no evidence is white."""

from __future__ import annotations

import numpy as np

ORANGE, BLUE = np.array([213, 94, 0]), np.array([0, 114, 178])
GREY = np.array([0.299, 0.587, 0.114])  # ITU-R 601-2
UNSEEN = 225  # grey level of what the network isn't shown
POWER = 0.7  # of the share of the full colour, so that small evidence can be seen
COVER = 0.85  # of the picture at most, by the colour laid over it
NEARLY_ALL = 0.99  # of the cells lie within the scale, so that a few don't make the others pale


def full_colour(maps: np.ndarray) -> float:
    """The size of evidence that has the full colour where these maps are compared, in their own unit."""
    return float(np.quantile(np.abs(maps), NEARLY_ALL)) if maps.size else 0.0


def coloured(values: np.ndarray, most: float) -> np.ndarray:
    """A map (H, W) as uint8 (H, W, 3); `most` is the size that has the full colour. NaN, which isn't seen, is grey."""
    strength, colour = shades(values, most)
    return np.where(np.isnan(values)[..., None], UNSEEN, np.rint(255 + strength * (colour - 255))).astype(np.uint8)


def overlay(pixels: np.ndarray, values: np.ndarray, most: float) -> np.ndarray:
    """A map (H, W) over its image, uint8 (C, H, W), which is shown in grey; uint8 (H, W, 3)."""
    grey = (np.tensordot(GREY, pixels, 1) if len(pixels) == 3 else pixels[0].astype(np.float64))[..., None]
    strength, colour = shades(values, most)
    return np.rint(grey + COVER * strength * (colour - grey)).astype(np.uint8)


def shades(values: np.ndarray, most: float) -> tuple[np.ndarray, np.ndarray]:
    """How strong the colour is in each place (H, W, 1) in [0, 1], 0 for NaN, and which it is, (H, W, 3)."""
    share = np.clip(np.nan_to_num(values) / max(most, 1e-9), -1, 1)[..., None]
    return np.abs(share) ** POWER, np.where(share > 0, BLUE, ORANGE)
