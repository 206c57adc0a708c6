"""Trainings as they would come out, written by hand."""

from __future__ import annotations

import numpy as np

from engine.methods.cam_training.result import Cams, Curves, PartOutcome, Taught

NOTHING = np.empty(0)


def no_cams() -> Cams:
    return Cams(
        "cam", "features", True, "label", "rest", ("a", "b"), *([NOTHING] * 5), np.empty((0, 2, 2)), (0, 0, 1, 1)
    )


def part(
    name: str, right: int, wrong: int, made: bool = False, flipped: int = 0, role: str = "test", draw: str = ""
) -> PartOutcome:
    """Images of label 0, so many right; the first `flipped` answers turned round. Another `draw` has other images."""
    predictions = np.array([0] * right + [1] * wrong)
    predictions[:flipped] = 1 - predictions[:flipped]
    ids = np.array([f"image {draw}{number}" for number in range(right + wrong)])
    return PartOutcome(
        name, role, made, ids, np.zeros(right + wrong, np.int64), predictions, ids, no_cams(), np.empty((0, 3, 4, 4))
    )


def taught(
    arm: str, seed: int, rates: dict[str, int], learned: bool = True, energy: tuple[float, ...] = (0.5,), **of_part
) -> Taught:
    """A training whose parts have so many of 100 images right."""
    return Taught(
        arm=arm,
        seed=seed,
        layer="features",
        exact=True,
        curves=Curves(*([NOTHING] * 8)),
        train_accuracy=1.0 if learned else 0.5,
        learned=learned,
        energy_inside=np.array(energy),
        parts=tuple(part(name, right, 100 - right, **of_part) for name, right in rates.items()),
        weights=NOTHING,
    )
