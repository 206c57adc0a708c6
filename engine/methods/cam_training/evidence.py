"""What a comparison over seeds shows: each arm's accuracies, and what it gains over plain training, paired by seed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from engine.methods.cam_training.figure import mean_of
from engine.methods.cam_training.result import PartOutcome, Taught
from engine.methods.cam_training.settings import ARMS
from engine.methods.cam_training.signed_rank import DIGITS, signed_rank
from engine.toolkit.seeds import OverSeeds, over_seeds
from engine.toolkit.statistics import Rate, mean_interval, rate

NO_INTERVAL = (float("nan"), float("nan"))
PLAIN = "default"
PARTS = ("unchanged", "swapped", "unseen", "off_centre")
FEWEST_FOR_P = 6  # of five seeds not even all wins give a two-sided p below 0.05

Pair = tuple[PartOutcome, PartOutcome]


@dataclass(frozen=True)
class ArmOutcome:
    """How one arm does over the seeds, each figure a share in [0, 1].

    `accuracy` by part; `energy_inside` of the diagnosis images' label contrast, of no seed in the arm `crop`; `flips`,
    the share of answers that change when only the background is swapped, None where no image comes both ways; `failed`,
    the seeds that never learned, which are in all the figures.
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
    test, two-sided and exact, None below six seeds. `images` are those of all seeds, each counted once. Where these are
    `shared` by all, `image_low` and `image_high` are the 95 % interval by the images' units of what the arm has more
    right, the mean of the seeds for each image; else NaN.
    """

    arm: str
    part: str
    difference: OverSeeds
    wins: int
    n: int
    p: float | None
    images: int
    shared: bool
    image_low: float
    image_high: float


@dataclass(frozen=True)
class Evidence:
    """A comparison: arms and parts in their usual order, `made` the parts that were pasted together.

    `role` is that of the images compared on, "" where there are none.
    """

    role: str
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
    """The evidence of some runs, one for each arm and seed.

    ValueError for none, where one comes twice, and where they report on images of different roles.
    """
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
    roles = sorted({part.role for part in every})
    if len(roles) > 1:
        raise ValueError(f"trainings that report on {' and on '.join(roles)} images can't be compared")
    return Evidence(
        role=roles[0] if roles else "",
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
    ours, theirs = outcomes(runs, part), outcomes(plain, part)
    pairs = {seed: (ours[seed], theirs[seed]) for seed in ours if seed in theirs}
    if not pairs:
        return None
    differences = {seed: share_right(one) - share_right(other) for seed, (one, other) in pairs.items()}
    values = np.round(list(differences.values()), DIGITS)
    images, shared = images_of(list(pairs.values()))
    low, high = over_images(list(pairs.values())) if shared else NO_INTERVAL
    return Gap(
        arm=arm,
        part=part,
        difference=over_seeds(differences, -1.0),
        wins=int((values > 0).sum()),
        n=len(values),
        p=signed_rank(values) if len(values) >= FEWEST_FOR_P else None,
        images=images,
        shared=shared,
        image_low=low,
        image_high=high,
    )


def images_of(pairs: Sequence[Pair]) -> tuple[int, bool]:
    """How many images pairs of outcomes have together, and whether all have the same."""
    ids = [np.unique(each.ids) for pair in pairs for each in pair]
    return len(np.unique(np.concatenate(ids))), all(np.array_equal(each, ids[0]) for each in ids)


def over_images(pairs: Sequence[Pair]) -> tuple[float, float]:
    """The 95 % interval by units of how much more often each image is right in the first of the pairs, on average."""
    ours, theirs = (np.mean([right_by_id(each) for each in side], axis=0) for side in zip(*pairs, strict=True))
    first = pairs[0][0]
    _, low, high = mean_interval(ours - theirs, first.units[np.argsort(first.ids, kind="stable")])
    return float(np.clip(low, -1, 1)), float(np.clip(high, -1, 1))


def right_by_id(part: PartOutcome) -> np.ndarray:
    """(n,) 1.0 where the answer is right, in the order of the ids."""
    return (part.predictions == part.labels)[np.argsort(part.ids, kind="stable")].astype(np.float64)


def accuracies(runs: dict[int, Taught], part: str) -> dict[int, float]:
    """The share of right answers on a part, by seed."""
    return {seed: share_right(each) for seed, each in outcomes(runs, part).items()}


def outcomes(runs: dict[int, Taught], part: str) -> dict[int, PartOutcome]:
    """What came of a part, by seed, where it has images."""
    found = {seed: part_of(run, part) for seed, run in runs.items()}
    return {seed: each for seed, each in found.items() if each is not None and len(each.labels)}


def share_right(part: PartOutcome) -> float:
    """The accuracy of one run on a part."""
    return float((part.predictions == part.labels).mean())


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
    """The accuracy of one run on a part with the interval that its images allow, by their units."""
    return rate(part.predictions == part.labels, np.unique(part.units, return_inverse=True)[1])
