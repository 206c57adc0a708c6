"""Where a map's cells lie on the image: the network may see only its middle, and the cells lie evenly over that.

Boxes are (top, left, bottom, right) as shares of the image's height and width.
"""

from __future__ import annotations

from typing import TypeAlias

import numpy as np

from engine.subject.blueprint import Blueprint
from engine.subject.frame import Frame, centre, cover

Box: TypeAlias = tuple[float, float, float, float]
WHOLE: Box = (0.0, 0.0, 1.0, 1.0)


def seen_box(blueprint: Blueprint, frame: Frame) -> Box:
    """The part of an image in this frame that the network's input shows, rounded as `Classifier.preprocess` rounds."""
    wanted = blueprint.preprocessing
    if (frame.height, frame.width) == (wanted.height, wanted.width):
        return WHOLE
    height, width = cover(frame.height, frame.width, wanted.height, wanted.width, share=1.0)
    top, left = centre(height, wanted.height), centre(width, wanted.width)
    return top / height, left / width, (top + wanted.height) / height, (left + wanted.width) / width


def mask_on_grid(mask: np.ndarray, seen: Box, height: int, width: int) -> np.ndarray:
    """A mask (n, H, W) over the image on the grid of a map, (n, height, width) float32: what each cell covers of it."""
    top, left, bottom, right = seen
    rows, columns = overlap(top, bottom, height, mask.shape[1]), overlap(left, right, width, mask.shape[2])
    return (rows @ mask.astype(np.float64) @ columns.T).astype(np.float32)


def overlap(start: float, end: float, cells: int, pixels: int) -> np.ndarray:
    """(cells, pixels) float64, how much of each cell lies in each pixel; the cells of a row of pixels sum to 1.

    The cells lie evenly from `start` to `end`, shares of the length of the row.
    """
    edges = pixels * (start + (end - start) * np.arange(cells + 1) / cells)
    pixel = np.arange(pixels)
    shared = np.minimum(edges[1:, None], pixel + 1) - np.maximum(edges[:-1, None], pixel)
    return np.maximum(shared, 0) * cells / (pixels * (end - start))


def map_on_image(maps: np.ndarray, seen: Box, height: int, width: int) -> np.ndarray:
    """Maps (n, h, w) drawn out over an image, (n, height, width) float32, NaN where the network doesn't look.

    With straight lines between the middles of the cells, and level beyond the outermost.
    """
    top, left, bottom, right = seen
    rows, columns = between(top, bottom, maps.shape[1], height), between(left, right, maps.shape[2], width)
    return (rows @ maps.astype(np.float64) @ columns.T).astype(np.float32)


def between(start: float, end: float, cells: int, pixels: int) -> np.ndarray:
    """(pixels, cells) float64, the weights that interpolate cells from `start` to `end` at the middles of pixels.

    NaN at the pixels that lie outside.
    """
    middle = (np.arange(pixels) + 0.5) / pixels
    place = np.clip((middle - start) / (end - start) * cells - 0.5, 0, cells - 1)
    weights = np.maximum(0.0, 1 - np.abs(place[:, None] - np.arange(cells)))
    weights[(middle < start) | (middle > end)] = np.nan
    return weights
