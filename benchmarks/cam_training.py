"""CAM training on planted backgrounds with fresh seeds, what a step costs, and the controls that must not gain.

python -m benchmarks.cam_training [--part fresh step late published losses multiclass] [--seeds 10] [--first-seed 100]

The defaults were chosen on the seeds 0 to 9; `fresh` runs them on seeds that nothing was chosen on. `step` prints the
cost of a step with the CAM term over one without, `late` what a term that is not always on loses, `published` LINT's
loss and schedule as they were and corrected, `losses` the four forms, and `multiclass` which contrast works with more
than two classes.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterable
from dataclasses import replace
from functools import cache

import torch

from benchmarks.cam_training_multiclass import measure_multiclass
from benchmarks.cam_training_steps import measure_steps
from engine.loading.checkpoints import drawn
from engine.loading.demos import make_demo, open_demo
from engine.methods.cam_training.evidence import compare
from engine.methods.cam_training.result import Taught
from engine.methods.cam_training.settings import ARMS, TeachingSettings
from engine.methods.cam_training.teaching import teach
from engine.methods.cam_training.teaching_sentences import what_it_shows
from engine.runs.progress import Progress
from engine.subject.image_set import ImageSet
from engine.subject.subject import Subject, joined

PARTS = ("fresh", "step", "late", "published", "losses", "multiclass")
FEW = 3  # seeds of the controls, which are no close calls
USUAL = TeachingSettings()


@cache
def subject() -> Subject:
    """The built-in backgrounds."""
    classifier, images = open_demo("backgrounds")
    return joined(classifier.blueprint, images, lambda _: classifier, draw=drawn)


@cache
def images_of(seed: int) -> ImageSet:
    """Their images, drawn from this seed."""
    return make_demo("backgrounds", seed)


def trained(settings: TeachingSettings, seeds: Iterable[int]) -> list[Taught]:
    """One training a seed, which draws data, weights and order."""
    return [
        teach(subject(), replace(settings, seed=seed), {"images": lambda seed=seed: images_of(seed)}, Progress())
        for seed in seeds
    ]


def told(name: str, runs: list[Taught], seconds: float) -> None:
    """One line of a table."""
    (arm,) = compare(runs).arms
    figures = [f"{part} {each.mean:.3f} (lowest {min(each.values):.3f})" for part, each in arm.accuracy.items()]
    failed = f", never learned: {len(arm.failed)}" if arm.failed else ""
    energy = f"energy inside {arm.energy_inside.mean:.3f}"
    print(f"  {name}: {', '.join(figures)}, {energy}{failed}, {seconds / len(runs):.1f} s a run", flush=True)


def timed(name: str, settings: TeachingSettings, seeds: Iterable[int]) -> list[Taught]:
    """Train and print the line."""
    begin = time.perf_counter()
    runs = trained(settings, seeds)
    told(name, runs, time.perf_counter() - begin)
    return runs


def measure_fresh(seeds: range) -> None:
    """All arms, and what they say together."""
    runs = [run for arm in ARMS for run in timed(arm, replace(USUAL, arm=arm), seeds)]
    evidence = compare(runs)
    for gap in evidence.gaps:
        found = gap.difference
        values = ", ".join(f"{value:+.3f}" for value in found.values)
        said = f"{found.mean:+.3f} ({found.low:+.3f} to {found.high:+.3f}), better in {gap.wins} of {gap.n}, p {gap.p}"
        print(f"  {gap.arm} less default, {gap.part}: {said}; by seed {values}")
    for sentence in what_it_shows(evidence):
        print(f"  {sentence}")


def measure_late(seeds: range) -> None:
    """The negative controls: a term that is switched on late, and one that is switched off early."""
    timed("on throughout", USUAL, seeds)
    timed("on after the first quarter", replace(USUAL, begin=0.25), seeds)
    timed("off in the last quarter", replace(USUAL, end=0.75), seeds)


def measure_published(seeds: range) -> None:
    """LINT's loss with its schedule."""
    timed("ours", USUAL, seeds)
    timed("published, corrected", replace(USUAL, loss="published"), seeds)
    timed("published, as it was", replace(USUAL, loss="published_as_it_was"), seeds)
    timed("plain training", replace(USUAL, arm="default"), seeds)


def measure_losses(seeds: range) -> None:
    """The four forms at weights around their best."""
    for loss, weights in (("mse", (0.3, 1.0, 3.0)), ("l1", (0.3, 1.0)), ("energy", (1.0, 3.0)), ("margin", (1.0, 2.0))):
        for weight in weights:
            timed(f"{loss}, weight {weight:g}", replace(USUAL, loss=loss, weight=weight), seeds)


def main() -> None:
    """The parts that were asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--part", nargs="+", choices=PARTS, default=PARTS)
    parser.add_argument("--seeds", type=int, default=10, help="of `fresh`")
    parser.add_argument("--first-seed", type=int, default=100, help="of `fresh`")
    arguments = parser.parse_args()
    print(f"{torch.get_num_threads()} threads")
    few = range(FEW)
    measures = {
        "fresh": lambda: measure_fresh(range(arguments.first_seed, arguments.first_seed + arguments.seeds)),
        "step": lambda: measure_steps(subject()),
        "late": lambda: measure_late(few),
        "published": lambda: measure_published(few),
        "losses": lambda: measure_losses(few),
        "multiclass": lambda: measure_multiclass(few[:2]),
    }
    for part in arguments.part:
        print(part)
        measures[part]()


if __name__ == "__main__":
    main()
