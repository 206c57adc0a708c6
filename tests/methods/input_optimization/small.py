"""Small networks, some of known answers, with the images and the records of what they were asked."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn

from engine.methods.input_optimization.optimise import Finished, Tally, optimise
from engine.methods.input_optimization.settings import SweepSettings, alone
from engine.methods.input_optimization.sweep import sweep
from engine.runs.progress import Progress
from engine.subject.blueprint import Blueprint
from engine.subject.classifier import Classifier
from engine.subject.frame import Frame
from engine.subject.image_set import ArrayPixels, ImageSet, Seen, content_ids
from engine.subject.preprocessing import Preprocessing
from engine.subject.subject import Subject, joined

SIDE = 12


class Planes(nn.Module):
    """Logits W x + b of the flattened images: every distance to a boundary is known."""

    def __init__(self, weight: Tensor, bias: Tensor) -> None:
        super().__init__()
        self.head = nn.Linear(weight.shape[1], len(weight))
        self.head.weight.data, self.head.bias.data = weight, bias

    def forward(self, images: Tensor) -> Tensor:
        return self.head(images.flatten(1))


class Curved(nn.Module):
    """A small network whose answers are sure and have no known shape: what holds for it holds for many."""

    def __init__(self, channels: int = 1, classes: int = 3, seed: int = 0) -> None:
        super().__init__()
        self.stem = nn.Conv2d(channels, 6, 3, stride=2)
        self.act = nn.GELU()
        self.head = nn.Linear(6 * 25, classes)
        drawn = torch.Generator().manual_seed(seed)
        for weight, spread in ((self.stem.weight, 0.6), (self.head.weight, 0.9)):
            weight.data.normal_(0, spread, generator=drawn)
        self.stem.bias.data.zero_()
        self.head.bias.data.zero_()

    def forward(self, images: Tensor) -> Tensor:
        return self.head(self.act(self.stem(images)).flatten(1))


def made_pixels(count: int, channels: int = 1, low: int = 0, high: int = 256) -> np.ndarray:
    """Coarse random patches, uint8 (N, H, W) or (N, H, W, 3): blur and turns change them, but not at once."""
    shape = (count, SIDE // 3, SIDE // 3, *((3,) if channels == 3 else ()))
    patches = np.random.default_rng(1).integers(low, high, shape)
    return patches.repeat(3, axis=1).repeat(3, axis=2).astype(np.uint8)


def images_of(pixels: np.ndarray, labels: np.ndarray, classes: tuple[str, ...], **changed) -> ImageSet:
    count, channels = len(pixels), 3 if pixels.ndim == 4 else 1
    columns = {
        "name": "made",
        "classes": classes,
        "ids": content_ids([image.tobytes() for image in pixels]),
        "labels": labels,
        "names": np.array([f"{place}.png" for place in range(count)]),
        "roles": np.full(count, "diagnosis"),
        "seen": np.full(count, Seen.NO, dtype=np.int8),
        "groups": np.full(count, ""),
        "pixels": ArrayPixels(pixels),
        "frame": Frame(channels, *pixels.shape[1:3]),
    }
    return ImageSet(**{**columns, **changed})


def subject_of(
    network: nn.Module, pixels: np.ndarray, labels: np.ndarray | None = None, classes: int = 3, **changed
) -> Subject:
    """The network on these images, each labelled with its answer unless labels are given."""
    channels = 3 if pixels.ndim == 4 else 1
    names = tuple("abcdefghij"[:classes])
    size = Preprocessing(channels, *pixels.shape[1:3], (0.5,) * channels, (0.25,) * channels)
    blueprint = Blueprint("small", "small", classes, channels, names, size, "made")
    if labels is None:
        with torch.inference_mode():
            labels = Classifier(network, blueprint)(tensor_of(pixels)).argmax(dim=1).numpy()
    return joined(blueprint, images_of(pixels, labels, names, **changed), lambda given: Classifier(network, given))


def tensor_of(pixels: np.ndarray) -> Tensor:
    """(N, C, H, W) in [0, 1]."""
    return torch.from_numpy(pixels if pixels.ndim == 4 else pixels[..., None]).permute(0, 3, 1, 2).float() / 255


def curved_subject(count: int = 10, channels: int = 1) -> Subject:
    """A curved network that is right but for the third image."""
    right = subject_of(Curved(channels), made_pixels(count, channels))
    labels = right.images.labels.copy()
    labels[2] = (labels[2] + 1) % 3
    return subject_of(Curved(channels), made_pixels(count, channels), labels)


FAMILIES = ("rotation", "gaussian_blur", "gaussian_noise")


def swept(subject: Subject, names: tuple[str, ...] = FAMILIES, levels: int = 2, **changed):
    """The sweep of a few families, each alone."""
    settings = SweepSettings(tuple(alone(name, levels) for name in names), **changed)
    return sweep(subject, settings, None, Progress())


class Noted(Progress):
    """Remembers what it was told."""

    def __init__(self) -> None:
        self.notes: list[str] = []
        self.shown: list[dict] = []
        self.fractions: list[float] = []

    def report(self, fraction, label):
        self.fractions.append(fraction)

    def show(self, partial):
        self.shown.append(partial)

    def note(self, sentence):
        self.notes.append(sentence)


class Counting(nn.Module):
    """A model that counts the rows it is asked about, and refuses more than `most` at once as a full device does."""

    def __init__(self, model, most: int = 10**9) -> None:
        super().__init__()
        self.model, self.most, self.rows, self.asked = model, most, 0, []

    def forward(self, images: Tensor) -> Tensor:
        if len(images) > self.most:
            raise torch.OutOfMemoryError("too much")
        self.rows += len(images)
        self.asked.append(images.detach().clone())
        return self.model(images)


def optimised(model, starts, targets, criterion, rule, most_steps=50, batch_size=256, progress=None, tally=None):
    """All rows of `optimise` in their order."""

    def source(rows: Tensor) -> tuple[Tensor, Tensor]:
        return starts[rows], targets[rows]

    progress, tally = progress or Progress(), tally or Tally()
    parts = list(optimise(model, source, len(starts), criterion, rule, most_steps, batch_size, progress, tally))
    whole = {name: torch.cat([getattr(part, name) for part in parts]) for name in Finished.__dataclass_fields__}
    order = whole["rows"].argsort()
    assert whole["rows"][order].tolist() == list(range(len(starts)))
    return Finished(**{name: values[order] for name, values in whole.items()})
