"""Which strategy helps more than chance: the arms' figures over seeds, and their paired differences."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy.special import stdtr

from engine.methods.input_selection.resampling import drawn_units, over_seeds_and_images, resampled_figures
from engine.methods.input_selection.result import Retrained
from engine.methods.input_selection.shares import holm
from engine.toolkit.seeds import ALIKE, OverSeeds, over_seeds

FIGURES = ("accuracy", "target_recall", "target_precision", "worst_recall", "broken")
CONTROLS = ("random", "class_random")
SEEDS_ALONE, SEEDS_AND_IMAGES = "seeds", "seeds and images"


@dataclass(frozen=True)
class Gap:
    """What an arm has more than a control, paired by seed: shares, for `broken` a number of images.

    `p` is two-sided; `adjusted` over the arms compared with this control, the other control aside (Holm 1979). Both are
    NaN with fewer than two seeds and where all agree. `over` is what the interval and `p` take to be drawn by chance:
    the `seeds`, where each has data of its own (the paired t-test); `seeds and images`, where all have the same images
    of test, as other images would give another difference (a bootstrap over both).
    """

    difference: OverSeeds
    p: float
    adjusted: float
    over: str


@dataclass(frozen=True)
class ArmOutcome:
    """One arm: `curves`, of each figure after each round over the seeds, index 0 before the first.

    `vs_random` and `vs_class_random` are the gaps of each figure after the last round, empty where the control was not
    run with the same seeds or is the arm itself.
    """

    name: str
    seeds: tuple[int, ...]
    curves: dict[str, tuple[OverSeeds, ...]]
    vs_random: dict[str, Gap]
    vs_class_random: dict[str, Gap]

    @property
    def final(self) -> dict[str, OverSeeds]:
        """Each figure after the last round."""
        return {figure: curve[-1] for figure, curve in self.curves.items()}


@dataclass(frozen=True)
class Arena:
    """A comparison: the controls first, the other arms in the order in which they were given."""

    arms: tuple[ArmOutcome, ...]

    @property
    def over(self) -> str:
        """What the differences' intervals take to be drawn by chance, as in `Gap`."""
        every = [gap for arm in self.arms for gaps in (arm.vs_random, arm.vs_class_random) for gap in gaps.values()]
        return SEEDS_AND_IMAGES if any(gap.over == SEEDS_AND_IMAGES for gap in every) else SEEDS_ALONE

    def arm(self, name: str) -> ArmOutcome | None:
        """The arm of this name, None where it was not run."""
        return next((each for each in self.arms if each.name == name), None)


def compare(runs: Sequence[Retrained]) -> Arena:
    """The comparison of some runs, one for each arm and seed.

    ValueError for none, where an arm comes twice with a seed, and where the numbers of rounds differ.
    """
    if not runs:
        raise ValueError("there are no retrainings to compare")
    if len({len(run.accuracy) for run in runs}) > 1:
        raise ValueError("the retrainings have different numbers of rounds, so their curves can't be laid together")
    by_arm: dict[str, dict[int, Retrained]] = {}
    for run in runs:
        if run.seed in by_arm.setdefault(run.strategy, {}):
            raise ValueError(f"the arm {run.strategy} comes twice with the seed {run.seed}")
        by_arm[run.strategy][run.seed] = run
    names = [*(name for name in CONTROLS if name in by_arm), *(name for name in by_arm if name not in CONTROLS)]
    resampled = figures_of(runs)
    gaps = {control: gaps_to(control, by_arm, resampled) for control in CONTROLS}
    return Arena(tuple(outcome(name, by_arm[name], *(gaps[control][name] for control in CONTROLS)) for name in names))


def outcome(
    name: str, runs: dict[int, Retrained], vs_random: dict[str, Gap], vs_class_random: dict[str, Gap]
) -> ArmOutcome:
    """The curves of an arm's runs, by seed, with its gaps."""
    rounds = len(next(iter(runs.values())).accuracy)
    curves = {
        figure: tuple(over_seeds(values(runs, figure, number), 0.0, most(figure)) for number in range(rounds))
        for figure in FIGURES
    }
    return ArmOutcome(name, tuple(sorted(runs)), curves, vs_random, vs_class_random)


def values(runs: dict[int, Retrained], figure: str, number: int = -1) -> dict[int, float]:
    """A figure by seed after a round, without those that are NaN."""
    found = {seed: float(getattr(run, figure)[number]) for seed, run in runs.items()}
    return {seed: value for seed, value in found.items() if not np.isnan(value)}


def gaps_to(
    control: str, by_arm: dict[str, dict[int, Retrained]], resampled: dict[str, dict[int, Figures]]
) -> dict[str, dict[str, Gap]]:
    """Each arm's gap to a control in each figure, adjusted over the arms."""
    found: dict[str, dict[str, Gap]] = {name: {} for name in by_arm}
    for figure in FIGURES:
        theirs = values(by_arm.get(control, {}), figure)
        gaps = {
            name: gap_of(figure, paired, resampled.get(name, {}), resampled.get(control, {}))
            for name, runs in by_arm.items()
            if name != control and (paired := less(runs, figure, theirs))
        }
        tested = [name for name, gap in gaps.items() if name not in CONTROLS and not np.isnan(gap.p)]
        adjusted = dict(zip(tested, holm([gaps[name].p for name in tested]).tolist(), strict=True))
        for name, gap in gaps.items():
            found[name][figure] = replace(gap, adjusted=adjusted.get(name, gap.p))
    return found


def gap_of(figure: str, paired: dict[int, float], ours: dict[int, Figures], theirs: dict[int, Figures]) -> Gap:
    """The gap of one figure by the differences of each seed; over images, too, where they are resampled for all."""
    least, largest = -most(figure), most(figure)
    difference = over_seeds(paired, least, largest)
    if len(paired) < 2 or not (set(paired) <= set(ours) and set(paired) <= set(theirs)):
        p = t_test(np.array(list(paired.values())))
        return Gap(difference, p, p, SEEDS_ALONE)
    drawn = [ours[seed].values[figure] - theirs[seed].values[figure] for seed in difference.seeds]
    found = over_seeds_and_images(drawn, ours[difference.seeds[0]].units)
    within = replace(difference, low=max(found.low, least), high=min(found.high, largest))
    return Gap(within, found.p, found.p, SEEDS_AND_IMAGES)


@dataclass(frozen=True)
class Figures:
    """A run's figures on its test images and in resamples of their `units`, (R + 1,) each."""

    values: dict[str, np.ndarray]
    units: int


def figures_of(runs: Sequence[Retrained]) -> dict[str, dict[int, Figures]]:
    """Each arm's figures by seed in resamples of the test images, where these are the same in all runs; else none."""
    first = runs[0]
    units = len(np.unique(first.units))
    if units < 2 or not all(np.array_equal(run.ids, first.ids) for run in runs):
        return {}
    drawn = drawn_units(units)
    found: dict[str, dict[int, Figures]] = {}
    for run in runs:
        found.setdefault(run.strategy, {})[run.seed] = Figures(resampled_figures(run, drawn), units)
    return found


def most(figure: str) -> float:
    """The largest value that a figure can have."""
    return np.inf if figure == "broken" else 1.0


def less(runs: dict[int, Retrained], figure: str, theirs: dict[int, float]) -> dict[int, float]:
    """What each seed's run has more than the control's of the same seed."""
    return {seed: value - theirs[seed] for seed, value in values(runs, figure).items() if seed in theirs}


def t_test(differences: np.ndarray) -> float:
    """The two-sided p of Student's test that the mean of the differences (n,) is 0.

    NaN below two of them and where all agree, for then nothing is known of how they vary.
    """
    n = len(differences)
    if n < 2 or np.ptp(differences) <= ALIKE:
        return float("nan")
    error = differences.std(ddof=1) / np.sqrt(n)
    return float(2 * stdtr(n - 1, -abs(differences.mean() / error)))
