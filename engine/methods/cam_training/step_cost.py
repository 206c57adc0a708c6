"""What teaching costs: a step with the CAM term over one without, and how long a whole training takes."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import torch

from engine.methods.cam_training.arms import drawn
from engine.methods.cam_training.objective import TaughtLoss
from engine.methods.cam_training.settings import TeachingSettings
from engine.methods.cam_training.teaching import images_of, starting, training_images, training_settings
from engine.methods.cam_training.training_images import Masking
from engine.runs.progress import Progress
from engine.subject.image_set import ImageSet, Role
from engine.subject.subject import Subject
from engine.toolkit.threads import as_many_as_help
from engine.toolkit.training import Batch, in_unit_range, optimizer_of, take_step

WARM_UP, PAIRS = 3, 60  # of steps, with the term and without
FEW = 5  # steps, for an estimate
RESAMPLES = 1000
ENOUGH = 256  # training images to measure on
LOOKING = 1.25  # of the training's time, with what comes after it
STEPS = 1_000_000  # of a training in whose middle all terms are on, and nothing is noted


class Stepper:
    """A training whose steps are taken one at a time."""

    def __init__(self, subject: Subject, settings: TeachingSettings, inputs: Mapping[str, Any]) -> None:
        settings = replace(settings, begin=0.0, end=1.0)
        masking = Masking(settings.mask, inputs.get("picture"), inputs.get("masks"))
        images = few(subject.images if "images" not in inputs else images_of(subject, inputs))
        self.training = training_images(images, settings, masking, Progress())
        self.classifier, place, cells = starting(subject, settings, self.training)
        self.loss = TaughtLoss(settings, place, cells, STEPS, Progress())
        self.pixels = drawn(settings, self.training)
        self.optimizer = optimizer_of(self.classifier.train(), training_settings(settings))
        self.batch_size = settings.batch_size

    def batch(self, number: int) -> Batch:
        """The images of a step; the same number gives the same rows."""
        count = len(self.training.labels)
        drawing = np.random.default_rng(number)
        rows = torch.from_numpy(drawing.choice(count, self.batch_size, replace=self.batch_size > count))
        device = self.classifier.device
        labels = torch.from_numpy(self.training.labels)[rows]
        return Batch(STEPS // 2 + number, rows, in_unit_range(self.pixels(rows, 0).to(device)), labels.to(device))

    def step(self, batch: Batch) -> float:
        """The seconds that a step on this batch takes."""
        with as_many_as_help(self.classifier, self.batch_size):
            begin = time.perf_counter()
            float(take_step(self.classifier, self.optimizer, self.loss, batch))  # which waits for an accelerator, too
            return time.perf_counter() - begin


def step_ratio(subject: Subject, settings: TeachingSettings, inputs: Mapping[str, Any]) -> tuple[float, float, float]:
    """The time of a step with the CAM term over that of one without, and the 95 % interval of the ratio.

    The two take turns on the same batches, each with a network of its own, and their medians are compared; the
    interval is of resampled pairs. Reading images and the curves are not in it.
    """
    arms = (replace(settings, arm=arm) for arm in ("cam", "default"))
    steppers = [Stepper(subject, each, inputs) for each in arms]
    times = np.empty((WARM_UP + PAIRS, 2))
    for pair in range(WARM_UP + PAIRS):
        batch = steppers[0].batch(pair)
        for place in (0, 1) if pair % 2 else (1, 0):
            times[pair, place] = steppers[place].step(batch)
    times = times[WARM_UP:]
    resampled = times[np.random.default_rng(settings.seed).integers(0, PAIRS, (RESAMPLES, PAIRS))]
    low, high = np.quantile(ratio(resampled), (0.025, 0.975))
    return float(ratio(times)), float(low), float(high)


def ratio(times: np.ndarray) -> np.ndarray:
    """The median of the first over the median of the second of times (..., pairs, 2)."""
    with_term, without = np.moveaxis(np.median(times, axis=-2), -1, 0)
    return with_term / without


def seconds_of_teaching(subject: Subject, settings: TeachingSettings, inputs: Mapping[str, Any]) -> float:
    """About how long one training takes, measured on a few steps with the reading of their images."""
    stepper = Stepper(subject, settings, inputs)
    stepper.step(stepper.batch(0))
    seconds = []
    for number in range(1, FEW + 1):
        begin = time.perf_counter()
        stepper.step(stepper.batch(number))
        seconds.append(time.perf_counter() - begin)
    return LOOKING * float(np.median(seconds)) * steps_of(subject.images, settings)


def steps_of(images: ImageSet, settings: TeachingSettings) -> int:
    """How many steps a training of these images takes."""
    labels = images.labels[images.labelled(Role.TRAIN)]
    counts = np.bincount(labels)
    rows = int(counts.max() * (counts > 0).sum()) if settings.balance == "augmentation" else len(labels)
    return settings.epochs * -(-rows // settings.batch_size)


def few(images: ImageSet) -> ImageSet:
    """Some of the labelled training images, alike many of each class."""
    own = images.labelled(Role.TRAIN)
    classes = np.unique(images.labels[own])
    share = max(1, ENOUGH // max(1, len(classes)))
    return images.take(np.concatenate([own[:0], *[own[images.labels[own] == label][:share] for label in classes]]))
