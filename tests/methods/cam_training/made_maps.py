"""Maps whose hot places are known."""

from __future__ import annotations

import numpy as np

from engine.methods.cam_training.geometry import WHOLE, Box
from engine.methods.cam_training.result import Cams


def blobs(places: np.ndarray, cells: int, noise: float = 0.0, size: float = 0.15, seed: int = 0) -> np.ndarray:
    """(n, cells, cells) float32, a hill at each of the places (n, 2), shares down and right, under some noise."""
    middles = (np.arange(cells) + 0.5) / cells
    down, right = middles[:, None] - places[:, 0, None, None], middles - places[:, 1, None, None]
    hills = np.exp(-(down**2 + right**2) / (2 * size**2))
    return (hills + noise * np.random.default_rng(seed).standard_normal(hills.shape)).astype(np.float32)


def cams_of(
    maps: np.ndarray,
    *,
    ids: np.ndarray | None = None,
    labels: np.ndarray | None = None,
    predictions: np.ndarray | None = None,
    classes: tuple[str, ...] = ("cat", "dog", "eel"),
    seen: Box = WHOLE,
    **changed,
) -> Cams:
    """These maps, of images that are all labelled and answered with the first class unless said otherwise."""
    count = len(maps)
    said = {
        "method": "cam",
        "layer": "features",
        "exact": True,
        "of": "prediction",
        "against": "rest",
        "classes": classes,
        "ids": np.array([f"image {number}" for number in range(count)]) if ids is None else ids,
        "labels": np.zeros(count, np.int64) if labels is None else labels,
        "predictions": np.zeros(count, np.int64) if predictions is None else predictions,
        "confidence": np.full(count, 0.9, np.float32),
        "scores": maps.mean(axis=(1, 2)).astype(np.float32),
        "maps": maps.astype(np.float32),
        "seen": seen,
    }
    return Cams(**{**said, **changed})
