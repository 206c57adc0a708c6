"""What input optimization is measured on, and how figures are printed."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

import numpy as np
import torch

from engine.loading.architectures import build
from engine.loading.data_options import DataOptions
from engine.loading.datasets import load_images
from engine.loading.demos import open_demo
from engine.methods.input_optimization import SWEEP
from engine.methods.input_optimization.result import Sweep
from engine.methods.input_optimization.settings import Grid, SweepSettings
from engine.runs.progress import Progress
from engine.subject.blueprint import Blueprint
from engine.subject.classifier import Classifier, weights_hash
from engine.subject.preprocessing import Preprocessing
from engine.subject.subject import Subject, joined
from engine.toolkit.prediction import predict
from engine.toolkit.seeding import seeded
from engine.toolkit.training import TrainingSettings, train
from engine.toolkit.transforms.families import family_named

T = TypeVar("T")
EPOCHS = 1


def digits() -> Subject:
    """The built-in planted digits with their classifier."""
    classifier, images = open_demo("digits")
    return joined(classifier.blueprint, images, lambda _: classifier)


def mnist(folder: Path) -> Subject:
    """MNIST's images that were held back, and a small_cnn trained on the others; prints how good it is."""
    images = load_images(folder, DataOptions(seen="yes"))
    preprocessing = Preprocessing(1, 28, 28, (0.1307,), (0.3081,))
    with seeded(0):
        network = build("small_cnn", 10, 1)
    blueprint = Blueprint("small_cnn on MNIST", "small_cnn", 10, 1, images.classes, preprocessing, "random")
    classifier = Classifier(network, blueprint)
    own, held = images.indices("train"), np.flatnonzero(images.roles != "train")
    pixels, labels = torch.from_numpy(images.read(own)), torch.from_numpy(images.labels[own])
    took, _ = timed(lambda: train(classifier, pixels, labels, TrainingSettings(epochs=EPOCHS), 0, Progress()))
    classifier.blueprint = replace(blueprint, weights=weights_hash(network))
    answers = predict(classifier, images, held, Progress()).argmax(dim=1).numpy()
    print(
        f"small_cnn trained for {EPOCHS} epoch on {len(own):,} images of MNIST in {took:.0f} s: right on "
        f"{(answers == images.labels[held]).mean():.2%} of the {len(held):,} test images"
    )
    return joined(classifier.blueprint, images.take(held), lambda _: classifier)


def thinned(side: int) -> Grid:
    """The published grid's ends and middle: 3 angles x 3 blurs x 2 levels of noise, without the unchanged one.

    `side`: the images' shorter one in pixels.
    """
    values = {"rotation": (-15, 0, 15), "gaussian_blur": (0, 100 / side, 200 / side), "gaussian_noise": (0, 0.15)}
    severities = (sorted(family_named(name).severity(value) for value in those) for name, those in values.items())
    return Grid(tuple(values), tuple(tuple(those) for those in severities))


def swept(subject: Subject, grids: Sequence[Grid], images: int) -> Sweep:
    """So many images of diagnosis under every combination of the grids."""
    return SWEEP.run(subject, SweepSettings(tuple(grids), images=images), {}, Progress())


def swept_thinly(subject: Subject, images: int) -> Sweep:
    """So many images under the thinned grid."""
    frame = subject.images.frame
    return swept(subject, (thinned(min(frame.height, frame.width)),), images)


def timed(work: Callable[[], T]) -> tuple[float, T]:
    """How long it takes in seconds, and what it gives."""
    begin = time.perf_counter()
    found = work()
    return time.perf_counter() - begin, found


def spread(numbers: Sequence[float], unit: str, digits: int = 2) -> str:
    """Median and range in words."""
    whole = f"{statistics.median(numbers):.{digits}f} {unit}"
    if len(numbers) == 1:
        return f"{whole} (once)"
    return f"{whole} ({min(numbers):.{digits}f} to {max(numbers):.{digits}f}, {len(numbers)} rounds)"


def told(what: str) -> None:
    """One line, at once."""
    print(f"  {what}", flush=True)
