"""Errors and real images in one plane, to see where errors lie; for orientation only, for nothing is measured in it."""

from __future__ import annotations

import numpy as np

from engine.methods.error_discovery.result import CodeMap, Errors, Generator
from engine.methods.error_discovery.settings import MapSettings
from engine.runs.progress import Progress
from engine.subject.image_set import Role
from engine.toolkit.projection import METHODS, projected


def mapped(errors: Errors, settings: MapSettings, generator: Generator | None, progress: Progress) -> CodeMap:
    """Both projected together. Beside generated errors stand images of train, beside real ones the trials.

    ValueError where there is no error to be shown.
    """
    if not len(errors.codes):
        raise ValueError("there is no error to be shown in a map")
    random = np.random.default_rng(settings.seed)
    real, codes = real_codes(errors, generator)
    beside = some(real, settings.points, random)
    own = some(np.arange(len(errors.codes)), settings.points, random)
    progress.report(0.1, f"drawing the map by {METHODS[settings.method]}")
    found = projected(np.concatenate([codes[beside], errors.codes[own]]), settings.method, settings.seed)
    return CodeMap(
        found.place,
        np.repeat([False, True], [len(beside), len(own)]),
        np.concatenate([beside, own]),
        found.method,
        found.trustworthiness,
    )


def real_codes(errors: Errors, generator: Generator | None) -> tuple[np.ndarray, np.ndarray]:
    """The rows (n,) of real images that are no errors, and all codes (N, d) that they are rows of."""
    if generator is None:
        return np.flatnonzero(errors.trial_labels == errors.trial_predictions), errors.trial_codes
    return np.flatnonzero(generator.roles == Role.TRAIN.value), generator.codes


def some(rows: np.ndarray, most: int, random: np.random.Generator) -> np.ndarray:
    """At most so many of the rows (n,), in order."""
    return rows if len(rows) <= most else np.sort(random.choice(rows, most, replace=False))
