"""Input selection: planted labels found, strategies on fresh seeds of the planted digits, and once on MNIST.

python -m benchmarks.input_selection --part verdicts labels fresh mnist --cache FOLDER [--seeds 20] [--first-seed 100]
    [--mnist ../shared/data/mnist] [--images 30000] [--mnist-seeds 5] [--how batch]

`verdicts` asks for both planted labels with the right verdict on the seeds 0 to 9, data and classifier made anew for
each. `labels` asks which labels are likely wrong in the pools of those seeds, by the classifier's own probabilities and
by their mean with out-of-fold probes. `fresh` retrains on what each strategy chooses, on seeds that nothing was found
on, and prints the paired differences. `mnist` is in `input_selection_mnist`. Classifiers of the digits are kept in
`--cache`.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from scipy.special import softmax

from benchmarks.input_selection_mnist import measure_mnist
from engine.built_in import trained_anew
from engine.loading.checkpoints import from_safetensors, to_safetensors
from engine.loading.demos import make_demo, open_demo
from engine.loading.demos.planted_digits import digits_truth, planted_labels
from engine.methods.input_selection.arena import FIGURES, Gap, compare
from engine.methods.input_selection.arena_sentences import what_each_did, what_won
from engine.methods.input_selection.label_issues import doubts, label_issues
from engine.methods.input_selection.result import Retrained
from engine.methods.input_selection.retraining import retrained
from engine.methods.input_selection.settings import (
    IssueSettings,
    RetrainingSettings,
    SelectionSettings,
    TapSettings,
    VerdictSettings,
)
from engine.methods.input_selection.tapping import tapped
from engine.methods.input_selection.verdicts import OVER, UNDER, label_verdicts
from engine.runs.progress import Progress
from engine.subject.classifier import Classifier
from engine.subject.image_set import Role
from engine.subject.subject import Subject, joined

PARTS = ("verdicts", "labels", "fresh", "mnist")
ARMS = ("random", "class_random", "mode_dhwi", "highest_loss", "misclassified")


def classifier_of(seed: int, cache: Path) -> Classifier:
    """The digits' classifier of this seed, trained unless it is in the cache."""
    file = cache / f"digits_{seed}.safetensors"
    if not file.exists():
        cache.mkdir(parents=True, exist_ok=True)
        made = trained_anew("digits", seed, Progress()) if seed else open_demo("digits")[0]
        file.write_bytes(to_safetensors(made))
    return from_safetensors(file.read_bytes())


def subject_of(seed: int, cache: Path) -> Subject:
    """The digits of this seed with their classifier."""
    classifier = classifier_of(seed, cache)
    return joined(classifier.blueprint, make_demo("digits", seed), lambda _: classifier)


def measure_verdicts(seeds: Sequence[int], cache: Path) -> None:
    """Which labels are called buggy, against those that were planted."""
    found, alarms = 0, 0
    for seed in seeds:
        subject = subject_of(seed, cache)
        begin = time.perf_counter()
        taps = tapped(subject, TapSettings(), Progress())
        verdicts = {each.label: each.verdict for each in label_verdicts(taps, VerdictSettings())}
        took = time.perf_counter() - begin
        under, over = planted_labels(seed)
        right = verdicts.pop(under) == UNDER and verdicts.pop(over) == OVER
        others = sum(verdict in (UNDER, OVER) for verdict in verdicts.values())
        found, alarms = found + right, alarms + others
        print(
            f"  seed {seed}: {'both found' if right else 'NOT both found'}, {others} others, {took:.1f} s", flush=True
        )
    print(f"  both planted labels with the right verdict on {found} of {len(seeds)}, {alarms} others called buggy")


def measure_labels(seeds: Sequence[int], cache: Path) -> None:
    """How much of what is called wrong is planted, and how much of what is planted is found, in all pools together."""
    found: dict[str, list[np.ndarray]] = {"by the classifier alone": [], "by its mean with probes": []}
    planted, buggy = [], []
    for seed in seeds:
        subject = subject_of(seed, cache)
        taps = tapped(subject, TapSettings(), Progress())
        (pool,) = (role for role in taps.roles if role.role == Role.POOL)
        ids = pool.ids.tolist()
        planted.append(digits_truth(seed).wrong[[subject.images.position[each] for each in ids]])
        buggy.append(np.isin(pool.labels, planted_labels(seed)))
        issues = label_issues(taps, IssueSettings(), Progress())
        flagged = set(issues.ids[issues.issue].tolist())
        unseen = [role for role in taps.roles if role.role != Role.TRAIN]
        labels, logits = (np.concatenate([getattr(role, name) for role in unseen]) for name in ("labels", "logits"))
        alone = doubts(labels, softmax(logits.astype(np.float64), axis=1))[1]
        found["by the classifier alone"].append(alone[-len(ids) :])  # the pool comes last
        found["by its mean with probes"].append(np.array([each in flagged for each in ids]))
    wrong, own = np.concatenate(planted), np.concatenate(buggy)
    for name, parts in found.items():
        called = np.concatenate(parts)
        for where, rows in (("of all labels", np.ones_like(own)), ("of the buggy ones", own)):
            hits = (called & wrong)[rows].sum()
            print(
                f"  {name}, {where}: {hits} of {called[rows].sum()} called wrong are planted "
                f"({hits / called[rows].sum():.1%}), {hits} of {wrong[rows].sum()} planted are found "
                f"({hits / wrong[rows].sum():.1%})"
            )


def measure_fresh(seeds: Sequence[int], cache: Path) -> None:
    """Every arm with every seed, and what they say together."""
    runs = []
    for seed in seeds:
        subject = subject_of(seed, cache)
        taps = tapped(subject, TapSettings(), Progress())
        given = {"taps": taps, "issues": label_issues(taps, IssueSettings(), Progress())}
        for arm in ARMS:
            begin = time.perf_counter()
            run = retrained(subject, RetrainingSettings(SelectionSettings(arm, seed=seed)), given, Progress())
            runs.append(run)
            wrong = wrong_share(run, subject, seed)
            told(run, f"{wrong:.0%} of the labels chosen for the targets wrong, {time.perf_counter() - begin:.1f} s")
    print_comparison(runs)


def wrong_share(run: Retrained, subject: Subject, seed: int) -> float:
    """The share of wrong labels among the picks that have a target label."""
    own = np.isin(run.picks.labels, run.targets)
    rows = [subject.images.position[each] for each in run.picks.ids[own].tolist()]
    return float(digits_truth(seed).wrong[rows].mean()) if rows else 0.0


def told(run: Retrained, more: str) -> None:
    """One run in a line."""
    figures = ", ".join(f"{figure} {getattr(run, figure)[-1]:.3f}" for figure in FIGURES)
    print(f"  seed {run.seed} {run.strategy} for {run.targets}: {figures}; {more}", flush=True)


def print_comparison(runs: list[Retrained]) -> None:
    """The arms' means with their paired differences to both kinds of chance, and the sentences."""
    found = compare(runs)
    for arm in found.arms:
        means = ", ".join(
            f"{figure} {arm.curves[figure][0].mean:.3f} to {arm.final[figure].mean:.3f}" for figure in FIGURES
        )
        print(f"  {arm.name}, {len(arm.seeds)} seeds: {means}")
        for control, gaps in (("random", arm.vs_random), ("class_random", arm.vs_class_random)):
            for figure, gap in gaps.items():
                print(f"    {figure} against {control}: {difference(gap)}")
    for sentence in [what_won(found), *what_each_did(found)]:
        print(f"  {sentence}")


def difference(gap: Gap) -> str:
    """A paired difference with its interval."""
    found = gap.difference
    return f"{found.mean:+.4f} ({found.low:+.4f} to {found.high:+.4f}), p {gap.p:.2g}, over all arms {gap.adjusted:.2g}"


def main() -> None:
    """The parts that were asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--part", nargs="+", choices=PARTS, default=PARTS)
    parser.add_argument("--cache", type=Path, required=True, help="folder of the digits' trained classifiers")
    parser.add_argument("--seeds", type=int, default=20, help="of `fresh`")
    parser.add_argument("--first-seed", type=int, default=100, help="of `fresh`")
    parser.add_argument("--mnist", type=Path, default=Path("../shared/data/mnist"))
    parser.add_argument("--images", type=int, default=30_000, help="of MNIST in train, and in pool and diagnosis")
    parser.add_argument("--mnist-seeds", type=int, default=5)
    parser.add_argument("--how", choices=("batch", "replay"), default="batch", help="MNIST's retraining")
    arguments = parser.parse_args()
    print(f"{torch.get_num_threads()} threads")
    fresh = range(arguments.first_seed, arguments.first_seed + arguments.seeds)
    measures = {
        "verdicts": lambda: measure_verdicts(range(10), arguments.cache),
        "labels": lambda: measure_labels(range(10), arguments.cache),
        "fresh": lambda: measure_fresh(fresh, arguments.cache),
        "mnist": lambda: measure_mnist(arguments.mnist, arguments.images, range(arguments.mnist_seeds), arguments.how),
    }
    for part in arguments.part:
        print(part)
        measures[part]()


if __name__ == "__main__":
    main()
