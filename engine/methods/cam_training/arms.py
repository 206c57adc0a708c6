"""The arms of a comparison: how each starts, what it is shown, and in what it differs from plain training."""

from __future__ import annotations

from copy import deepcopy

import numpy as np
import torch
from torch import Tensor

from engine.methods.cam_training.geometry import WHOLE, Box
from engine.methods.cam_training.pasting import pasted, swapped_with
from engine.methods.cam_training.settings import TeachingSettings
from engine.methods.cam_training.training_images import TrainingImages
from engine.subject.classifier import Classifier, resize
from engine.subject.subject import Subject
from engine.toolkit.seeding import seeded
from engine.toolkit.taps import last_layer
from engine.toolkit.training import Drawn

ALLOWED = 0.5  # a pixel less forbidden than this counts as allowed, where a box is put around what is


class Cropped(Classifier):
    """A classifier that is shown only a box of each image, drawn out to the image's size; the network is the same.

    It is none that could be kept: its crop is not among what a blueprint says.
    """

    def __init__(self, classifier: Classifier, box: Box) -> None:
        super().__init__(classifier.network, classifier.blueprint)
        self.box = box
        self.to(classifier.device).train(classifier.training)

    def preprocess(self, images: Tensor) -> Tensor:
        """images (N, C, H, W) in [0, 1] -> what the network takes, of the box alone."""
        height, width = images.shape[-2:]
        top, left, bottom, right = pixels_of(self.box, height, width)
        return super().preprocess(resize(images[..., top:bottom, left:right], height, width, "bilinear"))


def pixels_of(box: Box, height: int, width: int) -> tuple[int, int, int, int]:
    """The box in whole pixels, the last two exclusive."""
    top, left, bottom, right = box
    return round(top * height), round(left * width), round(bottom * height), round(right * width)


def within(seen: Box, box: Box) -> Box:
    """The part of the image that is `seen` of the `box` which the network is shown."""
    top, left, bottom, right = box
    height, width = bottom - top, right - left
    return top + seen[0] * height, left + seen[1] * width, top + seen[2] * height, left + seen[3] * width


def started(subject: Subject, settings: TeachingSettings, example: Tensor) -> Classifier:
    """The classifier before training, the subject's own left as it is.

    From weights drawn anew; from those given with the last layer drawn anew; or from those given.
    example: images (n, C, H, W) in [0, 1], by which the last layer is found.
    """
    given = subject.classifier
    if settings.start == "scratch":
        return subject.from_scratch(settings.seed).to(given.device)
    classifier = deepcopy(given)
    if settings.start == "reset":
        layer = last_layer(classifier.network, classifier.preprocess(example.to(given.device)))
        with seeded(settings.seed):
            layer.reset_parameters()  # type: ignore[operator]
    return classifier


def allowed_box(masks: np.ndarray) -> Box:
    """The box around what masks (n, H, W) allow on average; ValueError where nothing is allowed or the box is all."""
    allowed = masks.mean(axis=0) < ALLOWED
    if not allowed.any():
        raise ValueError("the masks have no place in common that they allow, so there is no box to crop to")
    (top, bottom), (left, right) = (
        (int(np.argmax(covered)), len(covered) - int(np.argmax(covered[::-1])))
        for covered in (allowed.any(axis=1), allowed.any(axis=0))
    )
    height, width = allowed.shape
    if (top, left, bottom, right) == (0, 0, height, width):
        raise ValueError(
            "a tight crop needs an allowed part with room around it, and this mask's reaches to all four edges; "
            "leave the arm out"
        )
    return top / height, left / width, bottom / height, right / width


def shown(classifier: Classifier, settings: TeachingSettings, training: TrainingImages) -> tuple[Classifier, Box]:
    """The classifier as the arm's images reach it, and the box of the image that it is shown."""
    if settings.arm != "crop":
        return classifier, WHOLE
    box = allowed_box(mean_mask(training))
    return Cropped(classifier, box), box


def mean_mask(training: TrainingImages) -> np.ndarray:
    """(1, H, W), the mean of the masks of all images as they are."""
    count = len(training.indices)
    shared = training.masking.settings.shape != "each"
    portions = [np.arange(1)] if shared else np.array_split(np.arange(count), -(-count // 256))
    total = sum(training.forbidden(rows).sum(axis=0, keepdims=True) for rows in portions)
    return total / (1 if shared else count)


def drawn(settings: TeachingSettings, training: TrainingImages) -> Drawn:
    """What gives the images of a batch: those of the rows, in the decorrelated arm on other classes' backgrounds."""
    if settings.arm != "decorrelated":
        return lambda rows, _epoch: torch.from_numpy(training.pixels(rows.numpy()))
    decorrelated = Decorrelated(settings.seed, training)
    return lambda rows, epoch: torch.from_numpy(decorrelated(rows.numpy(), epoch))


class Decorrelated:
    """Training images whose allowed part may lie on another class's background, drawn anew in each epoch.

    With k classes that is so for (k - 1) in k, so that a background says nothing of the class.
    """

    def __init__(self, seed: int, training: TrainingImages) -> None:
        self.seed, self.training = seed, training
        self.classes = len(np.unique(training.labels))
        self.epoch, self.behind = -1, np.empty(0, np.int64)

    def __call__(self, rows: np.ndarray, epoch: int) -> np.ndarray:
        """The images of these rows in this epoch, uint8 (b, C, H, W)."""
        if epoch != self.epoch:
            self.epoch, self.behind = epoch, self.backgrounds(epoch)
        pixels = self.training.pixels(rows)
        moved = np.flatnonzero(self.behind[rows] != rows)
        if len(moved):
            own, behind = rows[moved], self.behind[rows[moved]]
            inside, inside_behind = 1 - self.training.forbidden(own), 1 - self.training.forbidden(behind)
            pixels[moved] = pasted(pixels[moved], inside, self.training.pixels(behind), inside_behind)
        return pixels

    def backgrounds(self, epoch: int) -> np.ndarray:
        """(m,) the row whose background each row is given, its own or one of another class."""
        generator = np.random.default_rng([self.seed, 5, epoch])
        rows = np.arange(len(self.training.labels))
        others = swapped_with(self.training.labels, generator)
        return np.where(generator.random(len(rows)) < (self.classes - 1) / self.classes, others, rows)
