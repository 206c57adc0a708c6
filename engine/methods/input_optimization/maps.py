"""The maps step: transforms, or images, as points that lie near each other where the network reacts alike."""

from __future__ import annotations

import numpy as np

from engine.methods.input_optimization.result import NOT_REACHED, Differences, Map, Optimisation, Sweep
from engine.methods.input_optimization.settings import MapSettings
from engine.toolkit.projection import projected


def make_map(settings: MapSettings, sweep: Sweep, optimisation: Optimisation, differences: Differences) -> Map:
    """The map of all transforms or of all images of the optimisation.

    Every measure is ranked over all pairs, so that none outweighs another by its unit, and the kinds of measures
    (pixels, features, answers, margin) count alike. A pair that was not reached ranks behind all that were.
    """
    images, ways = int(optimisation.image.max()) + 1, combinations_of(optimisation)
    measures = ranked_measures(sweep, optimisation, differences)
    cube = np.stack([by_image(optimisation, values, images) for values in measures.values()], axis=2)
    vectors = cube.transpose(1, 0, 2) if settings.points == "transform" else cube
    found = projected(vectors.reshape(len(vectors), -1), settings.method)
    of_transforms = settings.points == "transform"
    nothing = np.empty(0, dtype=np.int64)
    return Map(
        points=settings.points,
        method=found.method,
        place=found.place,
        grid=ways[:, 0] if of_transforms else nothing,
        combination=ways[:, 1] if of_transforms else nothing,
        image=nothing if of_transforms else np.arange(images),
        trustworthiness=found.trustworthiness,
        measures=tuple(measures),
    )


def combinations_of(optimisation: Optimisation) -> np.ndarray:
    """(K, 2) int64, the grid and the combination of each transform, in the order of the pairs."""
    first = optimisation.image == 0
    return np.stack([optimisation.grid[first], optimisation.combination[first]], axis=1)


def by_image(optimisation: Optimisation, values: np.ndarray, images: int) -> np.ndarray:
    """(images, K) the values (P,), which stand grid by grid and in each of them image by image."""
    parts = [
        values[optimisation.grid == grid].reshape(images, -1) for grid in dict.fromkeys(optimisation.grid.tolist())
    ]
    return np.concatenate(parts, axis=1)


def ranked_measures(sweep: Sweep, optimisation: Optimisation, differences: Differences) -> dict[str, np.ndarray]:
    """(P,) each, in [-0.5, 0.5] and divided so that each kind of measure has the same weight."""
    way, answers = differences.transformed_optimised, differences.transformed
    right = (answers.prediction == sweep.labels[optimisation.image]).astype(float)
    margin = np.where(
        np.isnan(differences.margin_distance), np.where(right, np.inf, -np.inf), differences.margin_distance
    )
    kinds = {
        "pixels": {"L2": far(way.l2), "SSIM": far(-way.ssim)},
        "features": {"cosine": far(-way.feature_cosine), "L2 of features": far(way.feature_l2)},
        "answers": {
            "KL": far(way.kl),
            "loss": answers.loss,
            "right": right,
            "class changed": differences.clean_transformed.class_changed,
            "not reached": (optimisation.state == NOT_REACHED).astype(float),
        },
        "margin": {"margin distance": margin},
    }
    return {
        name: ranks(values) / np.sqrt(len(measures)) for measures in kinds.values() for name, values in measures.items()
    }


def far(values: np.ndarray) -> np.ndarray:
    """The values with infinity where there are none: further than all."""
    return np.where(np.isnan(values), np.inf, values)


def ranks(values: np.ndarray) -> np.ndarray:
    """(P,) the share of the others that lie below, ties sharing theirs, minus one half."""
    from scipy.stats import rankdata

    return (rankdata(values) - 0.5) / len(values) - 0.5
