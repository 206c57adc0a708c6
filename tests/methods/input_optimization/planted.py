"""Sweeps whose answers are known: the severity up to which an image withstands a side of a family is planted."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from engine.methods.input_optimization.result import Outcomes, Sweep, Swept
from engine.methods.input_optimization.settings import Grid

Tolerances = Mapping[tuple[str, int], np.ndarray]  # family, sign -> (N,) the severity up to which each image is right


def planted(
    grids: Sequence[Grid],
    tolerances: Tolerances,
    *,
    labels: np.ndarray | None = None,
    units: np.ndarray | None = None,
    wrong: np.ndarray | None = None,
    classes: tuple[str, ...] = ("cat", "dog"),
    together: Callable[..., np.ndarray] = np.max,
    noise: Callable[[tuple[int, int]], np.ndarray] = np.zeros,
) -> Sweep:
    """The margin is 1 - severity / tolerance, so 0 exactly at the tolerance; `wrong` (N,) bool fail unchanged too.

    Of several families the worst counts (np.max), so that each breaks images regardless of the others, or all add up
    (np.sum). A wrong answer names the next class. `noise` of a shape is added to margins.
    """
    n = len(next(iter(tolerances.values())))
    labels = np.zeros(n, np.int64) if labels is None else labels
    fails = np.zeros(n, bool) if wrong is None else wrong

    def outcomes(families: tuple[str, ...], severities: np.ndarray) -> Outcomes:
        used = np.zeros((n, *severities.shape))
        for place, name in enumerate(families):
            for column, severity in enumerate(severities[:, place]):
                if severity:
                    used[:, column, place] = abs(severity) / tolerances[name, int(np.sign(severity))]
        margin = 1 - together(used, axis=2, initial=0) + noise((n, len(severities)))
        margin = np.where(fails[:, None], -1, margin).astype(np.float32)
        prediction = np.where(margin > 0, labels[:, None], (labels[:, None] + 1) % len(classes))
        shift = np.broadcast_to(np.abs(severities).sum(axis=1), margin.shape).astype(np.float32)
        return Outcomes(prediction, 1 / (1 + np.exp(-np.abs(margin))), np.log1p(np.exp(-margin)), margin, shift)

    return Sweep(
        classes=classes,
        ids=np.array([f"image {number}" for number in range(n)]),
        labels=labels,
        units=np.array([f"image {number}" for number in range(n)]) if units is None else units,
        clean=outcomes((), np.zeros((1, 0))),
        grids=tuple(
            Swept(grid.families, grid.combinations, outcomes(grid.families, grid.combinations)) for grid in grids
        ),
        seed=0,
        evaluations=n * (1 + sum(len(grid.combinations) for grid in grids)),
    )
