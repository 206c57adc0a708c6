"""What each correction gets right, and which weight to take by what may decide it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from engine.methods.error_discovery.result import Corrected
from engine.toolkit.seeds import over_seeds
from engine.toolkit.statistics import share_of

FIGURES = ("test", "regions", "held_out", "fresh", "fresh_wrong")  # told
DECIDING = ("diagnosis", "tuning", "tuning_wrong")  # by which the weight is chosen
TOLERANCE = 0.005  # accuracy on diagnosis that a weight may cost


def figures_of(run: Corrected) -> dict[str, float]:
    """The shares that are right, NaN where there is no image."""
    return {
        "test": share_of(run.test_predictions == run.test_labels),
        "regions": share_of(run.region_right),
        "held_out": share_of(run.held_right),
        "fresh": share_of(run.fresh_right),
        "fresh_wrong": share_of(run.fresh_right[run.fresh_wrong]),
        "diagnosis": share_of(run.diagnosis_predictions == run.diagnosis_labels),
        "tuning": share_of(run.tuning_right),
        "tuning_wrong": share_of(run.tuning_right[run.tuning_wrong]),
    }


def chosen_weight(runs: Iterable[Corrected], arm: str = "regions", tolerance: float = TOLERANCE) -> float:
    """The weight of an arm by diagnosis alone: test, regions and fresh images play no part.

    Of the weights whose mean accuracy on diagnosis is at most `tolerance` below that of training on (below the best
    one's where that was not run), the one with the highest mean accuracy on perturbed images of diagnosis, the
    smallest of those. Where all cost more, the one that costs least. ValueError where the arm was not run.
    """
    found = {weight: means(own) for weight, own in by_weight(runs, arm).items()}
    if not found:
        raise ValueError(f"the arm {arm} was not run")
    plain = by_weight(runs, "continued")
    best = max(each["diagnosis"] for each in found.values())
    least = (means(next(iter(plain.values())))["diagnosis"] if plain else best) - tolerance
    fair = [weight for weight in sorted(found) if found[weight]["diagnosis"] >= least]
    if not fair:
        return max(sorted(found), key=lambda weight: found[weight]["diagnosis"])
    return max(fair, key=lambda weight: known(found[weight]["tuning"]))


def by_weight(runs: Iterable[Corrected], arm: str) -> dict[float, list[Corrected]]:
    """The runs of an arm by their weight."""
    found: dict[float, list[Corrected]] = {}
    for run in runs:
        if run.arm == arm:
            found.setdefault(run.weight, []).append(run)
    return found


def means(runs: Sequence[Corrected]) -> dict[str, float]:
    """The mean of each deciding figure over the runs that have it."""
    rows = dict(enumerate(figures_of(run) for run in runs))
    return {name: over_seeds(values(rows, name)).mean for name in DECIDING}


def values(rows: Mapping[int, Mapping[str, float]], name: str) -> dict[int, float]:
    """One figure of each row, such as a seed's, that has it."""
    return {key: row[name] for key, row in rows.items() if not np.isnan(row[name])}


def known(value: float) -> float:
    """The value, or one below all shares where it is NaN."""
    return -1.0 if np.isnan(value) else value
