"""What corrections come to over seeds: each arm at each weight, beside training on, and which weight to take."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from engine.methods.error_discovery.result import Corrected
from engine.methods.error_discovery.settings import ARMS
from engine.methods.error_discovery.weighing import DECIDING, FIGURES, chosen_weight, figures_of, values
from engine.toolkit.seeds import OverSeeds, over_seeds


@dataclass(frozen=True)
class ArmOutcome:
    """One arm at one weight over seeds: shares in [0, 1] by figure, and what they are more than another arm's.

    `vs_continued` and `vs_before` are paired by seed, and empty for that arm itself or where it was not run. `labels`
    is the mean number of labels that it cost. `recall`, by class with test images, is the paired change of its recall
    since before, `broken` how many of the test images that were right before are wrong after.
    """

    arm: str
    weight: float
    figures: dict[str, OverSeeds]
    vs_continued: dict[str, OverSeeds]
    vs_before: dict[str, OverSeeds]
    labels: float
    recall: dict[int, OverSeeds]
    broken: OverSeeds


@dataclass(frozen=True)
class Comparison:
    """All arms at all weights, in the order of `ARMS` and then of weights; `weights`, the chosen one of each arm.

    `seeds` are the runs' orders, which tell them apart.
    """

    outcomes: tuple[ArmOutcome, ...]
    weights: dict[str, float]
    seeds: tuple[int, ...]

    def at(self, arm: str, weight: float) -> ArmOutcome:
        """The outcome of an arm at a weight; KeyError where it was not run."""
        for each in self.outcomes:
            if (each.arm, each.weight) == (arm, weight):
                return each
        raise KeyError(f"the arm {arm} was not run with this weight")

    def chosen(self) -> dict[str, ArmOutcome]:
        """Each arm at its chosen weight."""
        return {arm: self.at(arm, weight) for arm, weight in self.weights.items()}


def compare(runs: Sequence[Corrected]) -> Comparison:
    """Runs that differ in arm, weight and order; ValueError where there are none, or two are of the same."""
    if not runs:
        raise ValueError("there are no corrections to compare")
    by: dict[tuple[str, float], dict[int, Corrected]] = {}
    for run in sorted(runs, key=lambda run: (ARMS.index(run.arm), run.weight)):
        own = by.setdefault((run.arm, run.weight), {})
        if run.order in own:
            raise ValueError(f"the arm {run.arm} comes twice with weight {run.weight:g} and seed {run.order}")
        own[run.order] = run
    outcomes = tuple(outcome(arm, weight, own, by) for (arm, weight), own in by.items())
    weights = {arm: chosen_weight(runs, arm) for arm in dict.fromkeys(arm for arm, _ in by)}
    return Comparison(outcomes, weights, tuple(sorted({run.order for run in runs})))


def outcome(
    arm: str, weight: float, runs: Mapping[int, Corrected], by: Mapping[tuple[str, float], Mapping[int, Corrected]]
) -> ArmOutcome:
    """What the runs of an arm at a weight, by order, come to beside those of the other arms."""
    rows = {order: figures_of(run) for order, run in runs.items()}
    before = by.get(("before", 0.0), {})
    broken = {order: float(len(broken_ids(before[order], run))) for order, run in runs.items() if order in before}
    return ArmOutcome(
        arm=arm,
        weight=weight,
        figures={name: over_seeds(values(rows, name)) for name in (*FIGURES, *DECIDING)},
        vs_continued={} if arm == "continued" else differences(rows, by.get(("continued", 0.0), {})),
        vs_before={} if arm == "before" else differences(rows, before),
        labels=float(np.mean([run.labels for run in runs.values()])),
        recall=recall_changes(runs, before),
        broken=over_seeds(broken, most=np.inf),
    )


def differences(rows: Mapping[int, Mapping[str, float]], others: Mapping[int, Corrected]) -> dict[str, OverSeeds]:
    """What each figure is more than the other arm's of the same order; nothing where no order has both."""
    theirs = {order: figures_of(run) for order, run in others.items() if order in rows}
    if not theirs:
        return {}
    found = {}
    for name in FIGURES:
        base = values(theirs, name)
        own = {order: value - base[order] for order, value in values(rows, name).items() if order in base}
        found[name] = over_seeds(own, -1.0, 1.0)
    return found


def recall_changes(runs: Mapping[int, Corrected], before: Mapping[int, Corrected]) -> dict[int, OverSeeds]:
    """By class, how much more of its test images are right than before."""
    found: dict[int, dict[int, float]] = {}
    for order, run in runs.items():
        if order not in before:
            continue
        gain = (run.test_predictions == run.test_labels).astype(float) - (
            before[order].test_predictions == run.test_labels
        )
        for label in np.unique(run.test_labels).tolist():
            found.setdefault(label, {})[order] = float(gain[run.test_labels == label].mean())
    return {label: over_seeds(each, -1.0, 1.0) for label, each in sorted(found.items())}


def broken_ids(before: Corrected, after: Corrected) -> list[str]:
    """The ids of the test images that were right before and are wrong after."""
    right, wrong = before.test_predictions == before.test_labels, after.test_predictions != after.test_labels
    return after.test_ids[right & wrong].tolist()


def broken_by_seeds(runs: Sequence[Corrected], arm: str, weight: float) -> dict[str, int]:
    """The ids that an arm at a weight newly gets wrong, with the number of its runs that do, the most first."""
    before = {run.order: run for run in runs if run.arm == "before"}
    own = [run for run in runs if (run.arm, run.weight) == (arm, weight) and run.order in before]
    return dict(Counter(each for run in own for each in broken_ids(before[run.order], run)).most_common())
