"""The signed margin distance against severity, of the images that were brought back."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from engine.methods.input_optimization.curves import Point
from engine.toolkit.statistics import mean_interval
from engine.toolkit.transforms.families import family_named
from pages.parts.input_optimization.scene import Scene


def distance_curve(scene: Scene, name: str, images: np.ndarray) -> Sequence[Point]:
    """The mean margin distance at each severity of a family; no point where none is known."""
    if scene.way_back is None or scene.way_back.differences is None or name not in scene.single:
        return []
    found, distance = scene.way_back.optimisation, scene.way_back.differences.margin_distance
    grid, family, points = scene.single[name], family_named(name), []
    own = (found.grid == grid) & np.isfinite(distance)
    if len(images):
        own &= np.isin(found.image, images)
    _, units = np.unique(scene.sweep.units, return_inverse=True)
    for combination in np.argsort(scene.sweep.grids[grid].severities[:, 0]).tolist():
        rows = own & (found.combination == combination)
        if rows.any():
            severity = float(scene.sweep.grids[grid].severities[combination, 0])
            mean, low, high = mean_interval(distance[rows].astype(np.float64), units[found.image[rows]])
            points.append(Point(severity, family.value(severity), mean, low, high, int(rows.sum())))
    return points
