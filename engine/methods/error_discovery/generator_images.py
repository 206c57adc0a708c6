"""The images that a generator learns from, at the size at which it works."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import numpy as np
import torch

from engine.methods.error_discovery.settings import GeneratorSettings
from engine.runs.progress import Progress
from engine.subject.classifier import resize
from engine.subject.frame import Frame
from engine.subject.image_set import Role
from engine.subject.subject import Subject
from engine.toolkit.prediction import as_tensor, in_batches

KEPT = 0.1  # of the units, for validation
FEWEST = 50  # images of train


@dataclass(frozen=True)
class GeneratorImages:
    """`pixels` uint8 (n, channels, height, width) and `labels` (n,); `kept` (n,) bool, the ones for validation."""

    pixels: np.ndarray
    labels: np.ndarray
    kept: np.ndarray


def generator_size(frame: Frame, side: int) -> tuple[int, int]:
    """Height and width of which the longer is at most `side` pixels, in the frame's ratio."""
    share = min(1.0, side / max(frame.height, frame.width))
    return max(1, round(frame.height * share)), max(1, round(frame.width * share))


def generator_images(subject: Subject, settings: GeneratorSettings, progress: Progress) -> GeneratorImages:
    """At most `images` of train, by the hash of their ids; ValueError where there are too few of them."""
    own = enough(subject, settings)
    pixels = read(subject, own, settings.side, progress)
    return GeneratorImages(pixels, subject.images.labels[own], kept_aside(subject.images.units()[own]))


def few_images(subject: Subject, settings: GeneratorSettings) -> GeneratorImages:
    """As many of them as a batch has, to find out how long it takes; ValueError where there are too few in all."""
    own = enough(subject, settings)[: settings.batch_size]
    pixels = read(subject, own, settings.side, Progress())
    return GeneratorImages(pixels, subject.images.labels[own], np.arange(len(own)) == 0)


def enough(subject: Subject, settings: GeneratorSettings) -> np.ndarray:
    """(n,) the indices of the images to learn from; ValueError where there are too few."""
    own = chosen(subject, settings)
    if len(own) < FEWEST or len(np.unique(subject.images.units()[own])) < 2:
        what = "labelled images" if settings.conditional else "images"
        raise ValueError(
            f"a generator needs at least {FEWEST} {what} of the role 'train', not all of one group, and there are "
            f"{len(own)}; load those that the classifier was trained on"
        )
    return own


def read(subject: Subject, own: np.ndarray, side: int, progress: Progress) -> np.ndarray:
    """The images at these indices, uint8 (n, channels, height, width), the longer side at most `side` pixels."""
    frame = subject.images.frame
    height, width = generator_size(frame, side)
    pixels = np.empty((len(own), frame.channels, height, width), np.uint8)
    cpu = torch.device("cpu")

    def work(place: slice, _part: np.ndarray, found: np.ndarray) -> None:
        smaller = resize(as_tensor(found, cpu), height, width, "bilinear")
        pixels[place] = smaller.mul(255).round_().to(torch.uint8).numpy()

    in_batches(subject.classifier, subject.images, own, work, progress, "reading the images")
    return pixels


def chosen(subject: Subject, settings: GeneratorSettings) -> np.ndarray:
    """(n,) the indices of the images of train to learn from."""
    images = subject.images
    own = images.labelled(Role.TRAIN) if settings.conditional else images.indices(Role.TRAIN)
    return own[np.argsort(images.ids[own], kind="stable")][: settings.images]


def kept_aside(units: np.ndarray) -> np.ndarray:
    """(n,) bool: which images are kept for validation, a tenth of the units (n,) str by their hash, at least one."""
    names, member = np.unique(units, return_inverse=True)
    order = np.argsort([hashlib.sha256(f"validation {name}".encode()).hexdigest() for name in names.tolist()])
    kept = np.zeros(len(names), dtype=bool)
    kept[order[: max(1, round(KEPT * len(names)))]] = True
    return kept[member]
