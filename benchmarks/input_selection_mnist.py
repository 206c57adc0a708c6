"""All nine metrics and the strategies once on MNIST, with the replication's perceptron and with a conv net.

30,000 images of train, 10,000 of test, and the other 30,000: 25,000 are the pool and 5,000 diagnosis, on which labels
are judged and maps made, for the replication used its test images for both. One of its iterations: 2,000 images for
the label with the lowest recall on diagnosis, a quarter of them scored, three epochs of them in batches of 32: alone as
published (`batch`), or as half of each batch (`replay`).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from torch import nn

from engine.loading.architectures import build
from engine.loading.data_options import DataOptions
from engine.loading.datasets import load_images
from engine.methods.input_selection.arena import ArmOutcome, Gap, compare
from engine.methods.input_selection.arena_sentences import what_won
from engine.methods.input_selection.label_issues import label_issues
from engine.methods.input_selection.result import Retrained
from engine.methods.input_selection.retraining import retrained
from engine.methods.input_selection.settings import (
    METRICS,
    IssueSettings,
    RetrainingSettings,
    SelectionSettings,
    TapSettings,
    VerdictSettings,
)
from engine.methods.input_selection.tapping import tapped
from engine.methods.input_selection.verdicts import label_verdicts
from engine.runs.progress import Progress
from engine.subject.blueprint import Blueprint
from engine.subject.classifier import Classifier
from engine.subject.image_set import ImageSet, Seen
from engine.subject.preprocessing import Preprocessing
from engine.subject.subject import Subject, joined
from engine.toolkit.seeding import seeded
from engine.toolkit.training import TrainingSettings, train

NETS = ("perceptron", "lenet5")
HIDDEN = 28
TARGET = "target_recall"
TRAINING = TrainingSettings(epochs=3, batch_size=32, learning_rate=1e-3, weight_decay=0.0)
BUDGET = 2000  # out of 30,000 images of pool
STRATEGIES = ("random", "class_random", "mode_dhwi", "highest_loss", "misclassified", "gini", "margin", "pool_gini")


def measure_mnist(folder: Path, count: int, seeds: Sequence[int], how: str) -> None:
    """Both networks: each arm's accuracy and target recall after the iteration, and what is more than by chance."""
    whole = load_images(folder, DataOptions(seen="yes"))
    for net in NETS:
        runs = []
        for seed in seeds:
            subject = trained(net, cast(whole, count, seed), seed)
            runs += list(arms_of(subject, count, seed, how))
        found = compare(runs)
        print(
            f" {net}, {how}, {count:,} images of train, {len(seeds)} seeds; differences are paired, with 95 % intervals"
        )
        for arm in found.arms:
            print(f"  {row(arm)}")
        print(f"  {what_won(found)}")


def cast(whole: ImageSet, count: int, seed: int) -> ImageSet:
    """So many images of train, as many of pool and diagnosis (a sixth), and a third as many of test."""
    random = np.random.default_rng([seed, 8])
    own, others = (random.permutation(np.flatnonzero((whole.roles == "train") == is_own)) for is_own in (True, False))
    roles = {"train": count, "pool": count - count // 6, "diagnosis": count // 6, "test": min(count // 3, len(others))}
    images = whole.take(np.concatenate([own[: 2 * count], others[: roles["test"]]]))
    named = np.repeat(list(roles), list(roles.values()))
    seen = np.where(named == "train", Seen.YES, Seen.NO).astype(np.int8)
    return replace(images, roles=named, seen=seen)


def trained(net: str, images: ImageSet, seed: int) -> Subject:
    """The network after three epochs on train; weights and order are drawn from the seed."""
    with seeded(seed):
        network = perceptron() if net == "perceptron" else build(net, 10, 1)
    preprocessing = Preprocessing(1, 28, 28, (0.0,), (1.0,))
    classifier = Classifier(network, Blueprint(net, net, 10, 1, images.classes, preprocessing, f"seed {seed}"))
    own = images.indices("train")
    pixels, labels = torch.from_numpy(images.read(own)), torch.from_numpy(images.labels[own])
    train(classifier, pixels, labels, TRAINING, seed, Progress())
    return joined(classifier.blueprint, images, lambda _: classifier)


def perceptron() -> nn.Module:
    """784-28-28-10, the replication's."""
    return nn.Sequential(
        nn.Flatten(),
        nn.Linear(28 * 28, HIDDEN),
        nn.ReLU(),
        nn.Linear(HIDDEN, HIDDEN),
        nn.ReLU(),
        nn.Linear(HIDDEN, 10),
    )


def arms_of(subject: Subject, count: int, seed: int, how: str) -> Iterator[Retrained]:
    """Each strategy, and the nearest to the mean image of what is recognised by each metric, from the same start."""
    taps = tapped(subject, TapSettings(images=count), Progress())
    given = {"taps": taps, "issues": label_issues(taps, IssueSettings(), Progress())}
    target = min(label_verdicts(taps, VerdictSettings()), key=lambda each: each.diagnosis.value).label
    usual = SelectionSettings(targets=(target,), budget=max(4, BUDGET * count // 30_000), seed=seed)
    steps = TRAINING.epochs * -(-usual.budget // TRAINING.batch_size)
    plan = RetrainingSettings(how=how, rounds=1, steps=steps, batch_size=TRAINING.batch_size)
    chosen = {strategy: replace(usual, strategy=strategy) for strategy in STRATEGIES}
    pixel = replace(usual, strategy="mode", map="hci", mode="pixel")
    chosen |= {f"mode, {metric}": replace(pixel, metric=metric) for metric in METRICS}
    for name, selection in chosen.items():
        run = replace(retrained(subject, replace(plan, selection=selection), given, Progress()), strategy=name)
        print(
            f"  seed {seed}, label {target}, {name}: accuracy {run.accuracy[0]:.4f} to {run.accuracy[-1]:.4f}, "
            f"target recall {run.target_recall[0]:.3f} to {run.target_recall[-1]:.3f}",
            flush=True,
        )
        yield run


def row(arm: ArmOutcome) -> str:
    """One line of the table."""
    accuracy, recall = arm.curves["accuracy"], arm.curves[TARGET]
    to_random, to_same = less(arm.vs_random, "accuracy", "random"), less(arm.vs_class_random, TARGET, "class_random")
    overall = f"accuracy {accuracy[0].mean:.4f} to {accuracy[-1].mean:.4f}{to_random}"
    return f"{arm.name}: {overall}; target recall {recall[0].mean:.3f} to {recall[-1].mean:.3f}{to_same}"


def less(gaps: dict[str, Gap], figure: str, control: str) -> str:
    """In brackets, the difference to a control; nothing where there is none."""
    if figure not in gaps:
        return ""
    found, p = gaps[figure].difference, gaps[figure].adjusted
    return f" ({found.mean:+.4f}, {found.low:+.4f} to {found.high:+.4f} against {control}, p {p:.2g} over all arms)"
