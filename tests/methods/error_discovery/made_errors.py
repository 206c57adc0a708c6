"""Errors whose clusters are known: codes of planted Gaussians, several around each seed image."""

from __future__ import annotations

import numpy as np

from engine.methods.error_discovery.gathering import Group, gathered
from engine.methods.error_discovery.result import Errors, Regions

CLASSES = 3


def made_errors(
    centres: list[tuple[int, int, float]],
    each: int = 60,
    a_unit: int = 3,
    dimensions: int = 8,
    seed: int = 0,
    source: str = "generated",
    **changed,
) -> Errors:
    """For each (label, prediction, place) `each` codes around (place, place, ...), `a_unit` of one seed; none aside."""
    random = np.random.default_rng(seed)
    clouds = [random.normal(place, 0.2, (each, dimensions)) for _, _, place in centres]
    codes = np.concatenate([np.zeros((0, dimensions)), *clouds])
    count = len(codes)
    units = np.array([f"u{row // a_unit}" for row in range(count)], np.str_)
    columns = {
        "source": source,
        "codes": codes.astype(np.float32),
        "ids": units,
        "units": units,
        "labels": np.repeat([label for label, _, _ in centres], each).astype(np.int64),
        "predictions": np.repeat([prediction for _, prediction, _ in centres], each).astype(np.int64),
        "p_prediction": np.full(count, 0.75, np.float32),
        "p_label": np.full(count, 0.125, np.float32),
        "noise": np.ones(count, np.float32),
        "agreement": np.ones(count, np.float32),
        "aside": np.zeros(count, bool),
        "trial_codes": np.zeros((0, dimensions), np.float32),
        "trial_units": np.zeros(0, np.str_),
        "trial_labels": np.zeros(0, np.int64),
        "trial_predictions": np.zeros(0, np.int64),
        "label_draws": np.zeros(CLASSES, np.int64),
        "funnel": (("draws", 10 * count), ("wrong", count)),
        "seconds": 1.0,
        "notes": (),
    }
    return Errors(**{**columns, **changed})


def truth(centres: list[tuple[int, int, float]], each: int = 60) -> np.ndarray:
    """Which of the centres each error of `made_errors` belongs to."""
    return np.repeat(np.arange(len(centres)), each)


def made_regions(errors: Errors, centres: list[tuple[int, int, float]], each: int = 60) -> Regions:
    """One region for each of the centres that `made_errors` was given."""
    place = truth(centres, each)
    groups = [Group(np.flatnonzero(place == number), *centre[:2]) for number, centre in enumerate(centres)]
    return gathered(errors, groups, full=False)
