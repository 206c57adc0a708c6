"""Corrections with known answers: ten images of test and of diagnosis, ten of each generated set."""

from __future__ import annotations

import numpy as np

from engine.methods.error_discovery.result import Corrected

COUNT = 10


def bits(right: int) -> np.ndarray:
    """The first `right` of ten."""
    return np.arange(COUNT) < right


def made_run(
    arm: str = "regions",
    weight: float = 0.0,
    order: int = 0,
    test: int = 8,
    diagnosis: int = 8,
    regions: int = 5,
    held: int | None = 4,
    fresh: int = 7,
    tuning: int = 7,
    labels: int = 0,
    wrong: int = 4,
) -> Corrected:
    """A run in which so many are right: the first of test, labels 0 and 1 in turn; the last `wrong` were wrong."""
    truth = np.arange(COUNT) % 2
    formerly = ~bits(COUNT - wrong)
    ids = np.array([f"i{number}" for number in range(COUNT)])
    held_right = np.zeros(0, bool) if held is None else bits(held)
    return Corrected(
        arm=arm,
        weight=weight,
        seed=0,
        order=order,
        used=(0, 2),
        held=() if held is None else (1,),
        labels=labels,
        loss=np.zeros(3, np.float32),
        test_ids=ids,
        test_units=ids,
        test_labels=truth,
        test_predictions=np.where(bits(test), truth, 1 - truth),
        diagnosis_labels=truth,
        diagnosis_predictions=np.where(bits(diagnosis), truth, 1 - truth),
        region_right=bits(regions),
        region_of=truth,
        held_right=held_right,
        held_of=np.ones(len(held_right), np.int64),
        fresh_right=bits(fresh),
        fresh_units=ids,
        fresh_wrong=formerly,
        tuning_right=bits(tuning),
        tuning_wrong=formerly,
        weights=np.empty(0, np.uint8),
        notes=("a note",),
    )


def three_seeds(**gains) -> list[Corrected]:
    """Before, training on, and regions at three weights, with three orders; the more weight, the more is learned."""
    runs = []
    for order in range(3):
        runs.append(made_run("before", 0.0, order, test=7 + order % 2, regions=0, held=0, fresh=6, tuning=6))
        runs.append(made_run("continued", 0.0, order, test=8, regions=2, held=2, fresh=7, tuning=7))
        for place, weight in enumerate((0.1, 1.0, 10.0)):
            known = {"regions": 9, "fresh": 8 + min(place, 1) * (order != 1), "tuning": 8 + place, "labels": 30}
            runs.append(made_run("regions", weight, order, diagnosis=8 - 3 * (place == 2), **{**known, **gains}))
    return runs
