"""What a comparison over seeds shows: each arm's accuracies, and what it gains over plain training, paired by seed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import stdtrit

from engine.methods.cam_training.result import PartOutcome, Taught
from engine.methods.cam_training.settings import ARMS
from engine.toolkit.statistics import Rate, rate

PLAIN = "default"
PARTS = ("unchanged", "swapped", "unseen", "off_centre")
FEWEST_FOR_P = 6  # of five seeds not even all wins give a two-sided p below 0.05


@dataclass(frozen=True)
class OverSeeds:
    """One value a seed, in the order of the seeds that have it: their mean and its 95 % interval by Student's t.

    The interval is NaN with fewer than two seeds, the mean with none.
    """

    seeds: tuple[int, ...]
    values: tuple[float, ...]
    mean: float
    low: float
    high: float


@dataclass(frozen=True)
class ArmOutcome:
    """How one arm does over the seeds, each figure a share in [0, 1].

    `accuracy` by part of the test images; `energy_inside` of the diagnosis images' label contrast; `flips`, the share
    of answers that change when only the background is swapped, None where no image comes both ways; `failed`, the
    seeds that never learned, which are in all the figures; `exact` as in `Cams`.
    """

    arm: str
    seeds: tuple[int, ...]
    accuracy: dict[str, OverSeeds]
    energy_inside: OverSeeds
    flips: OverSeeds | None
    failed: tuple[int, ...]


@dataclass(frozen=True)
class Gap:
    """What an arm has more than plain training on a part, of the `n` seeds that both were trained with.

    `difference` in shares of the images; `wins`, the seeds in which the arm is better; `p` of Wilcoxon's signed-rank
    test, two-sided and exact, None below six seeds.
    """

    arm: str
    part: str
    difference: OverSeeds
    wins: int
    n: int
    p: float | None


@dataclass(frozen=True)
class Evidence:
    """A comparison: arms and parts in their usual order, `made` the parts that were pasted together."""

    parts: tuple[str, ...]
    made: tuple[str, ...]
    arms: tuple[ArmOutcome, ...]
    gaps: tuple[Gap, ...]

    def arm(self, name: str) -> ArmOutcome | None:
        """The arm of this name, None where it wasn't trained."""
        return next((each for each in self.arms if each.arm == name), None)

    def gap(self, arm: str, part: str) -> Gap | None:
        """What this arm has more than plain training on this part, None where they can't be compared."""
        return next((each for each in self.gaps if (each.arm, each.part) == (arm, part)), None)


def compare(runs: Sequence[Taught]) -> Evidence:
    """The evidence of some runs, one for each arm and seed; ValueError for none, or where one comes twice."""
    if not runs:
        raise ValueError("there are no trainings to compare")
    by_arm: dict[str, dict[int, Taught]] = {}
    for run in runs:
        if run.seed in by_arm.setdefault(run.arm, {}):
            raise ValueError(f"the arm {run.arm} comes twice with the seed {run.seed}")
        by_arm[run.arm][run.seed] = run
    every = [part for run in runs for part in run.parts]
    names = {part.name for part in every}
    parts = tuple(name for name in PARTS if name in names)
    arms = [arm for arm in ARMS if arm in by_arm]
    return Evidence(
        parts=parts,
        made=tuple(name for name in parts if any(part.made for part in every if part.name == name)),
        arms=tuple(arm_outcome(arm, by_arm[arm], parts) for arm in arms),
        gaps=tuple(
            found
            for arm in arms
            for part in parts
            if arm != PLAIN and (found := gap(arm, part, by_arm[arm], by_arm.get(PLAIN, {}))) is not None
        ),
    )


def arm_outcome(arm: str, runs: dict[int, Taught], parts: tuple[str, ...]) -> ArmOutcome:
    """The figures of an arm's runs, by seed."""
    energies = {seed: mean_of(run.energy_inside) for seed, run in runs.items()}
    flips = {seed: share for seed, run in runs.items() if (share := flipped(run)) is not None}
    return ArmOutcome(
        arm=arm,
        seeds=tuple(sorted(runs)),
        accuracy={part: over_seeds(accuracies(runs, part)) for part in parts},
        energy_inside=over_seeds({seed: value for seed, value in energies.items() if not np.isnan(value)}),
        flips=over_seeds(flips) if flips else None,
        failed=tuple(seed for seed in sorted(runs) if not runs[seed].learned),
    )


def gap(arm: str, part: str, runs: dict[int, Taught], plain: dict[int, Taught]) -> Gap | None:
    """The paired differences of an arm to plain training on a part, None where they share no seed."""
    ours, theirs = accuracies(runs, part), accuracies(plain, part)
    differences = {seed: ours[seed] - theirs[seed] for seed in ours if seed in theirs}
    if not differences:
        return None
    values = np.array(list(differences.values()))
    p = signed_rank(values) if len(values) >= FEWEST_FOR_P else None
    return Gap(arm, part, over_seeds(differences), int((values > 0).sum()), len(values), p)


def accuracies(runs: dict[int, Taught], part: str) -> dict[int, float]:
    """The share of right answers on a part, by seed."""
    found = {seed: part_of(run, part) for seed, run in runs.items()}
    return {
        seed: float((each.predictions == each.labels).mean())
        for seed, each in found.items()
        if each is not None and len(each.labels)
    }


def part_of(run: Taught, name: str) -> PartOutcome | None:
    """A run's part of this name, None where it has none."""
    return next((part for part in run.parts if part.name == name), None)


def flipped(run: Taught) -> float | None:
    """The share of objects whose answer is another when only the background is swapped; None where none has both."""
    before, after = part_of(run, "unchanged"), part_of(run, "swapped")
    if before is None or after is None:
        return None
    shared, first, second = np.intersect1d(before.ids, after.ids, return_indices=True)
    return float((before.predictions[first] != after.predictions[second]).mean()) if len(shared) else None


def on_test_images(part: PartOutcome) -> Rate:
    """The accuracy of one run on a part with the interval that its test images allow, by their units."""
    return rate(part.predictions == part.labels, np.unique(part.units, return_inverse=True)[1])


def over_seeds(found: dict[int, float]) -> OverSeeds:
    """The values by seed, with their mean and Student's 95 % interval of it."""
    seeds = tuple(sorted(found))
    values = np.array([found[seed] for seed in seeds], dtype=np.float64)
    mean, half = mean_of(values), float("nan")
    if len(values) > 1:
        half = float(stdtrit(len(values) - 1, 0.975) * values.std(ddof=1) / np.sqrt(len(values)))
    return OverSeeds(seeds, tuple(values.tolist()), mean, mean - half, mean + half)


def mean_of(values: np.ndarray) -> float:
    """The mean of the values that are numbers, NaN where none is."""
    there = values[~np.isnan(values)]
    return float(there.mean()) if len(there) else float("nan")


def signed_rank(differences: np.ndarray) -> float:
    """The two-sided exact p of Wilcoxon's signed-rank test (1945): how likely ranks so one-sided are by chance.

    differences (n,). Those of 0 are left out, and equal sizes share the mean of their ranks, each sign as likely as the
    other; 1 where nothing is left.
    """
    left = differences[differences != 0]
    sizes, place, count = np.unique(np.abs(left), return_inverse=True, return_counts=True)
    if not len(sizes):
        return 1.0
    doubled = (2 * np.cumsum(count) - count + 1)[place]  # twice the mean rank, a whole number
    ways = np.zeros(int(doubled.sum()) + 1)
    ways[0] = 1
    for rank in doubled:
        ways[rank:] += ways[:-rank].copy()
    chance = ways / ways.sum()
    observed = int(doubled[left > 0].sum())
    return float(min(1.0, 2 * min(chance[: observed + 1].sum(), chance[observed:].sum())))
