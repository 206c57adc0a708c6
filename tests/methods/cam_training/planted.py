"""Small planted backgrounds: stripes in the middle, lying or standing, and a colour around that gives them away."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn

from engine.subject.blueprint import Blueprint
from engine.subject.classifier import Classifier
from engine.subject.frame import Frame
from engine.subject.image_set import ArrayPixels, ImageSet, Seen, content_ids
from engine.subject.preprocessing import Preprocessing
from engine.subject.subject import Subject, joined
from engine.toolkit.seeding import seeded

SIDE, OBJECT = 16, 8
CLASSES = ("lying", "standing")
COLOURS = np.array([(60, 90, 160), (70, 150, 80)])
COUNTS = {"train": 96, "diagnosis": 40, "test/unchanged": 60, "test/swapped": 60}


class Striped(nn.Module):
    """Two small convolutions, the average and one linear layer."""

    def __init__(self, outputs: int = 2) -> None:
        super().__init__()
        self.features = nn.Sequential(
            nn.Conv2d(3, 8, 3, padding=1), nn.BatchNorm2d(8), nn.ReLU(), nn.MaxPool2d(2),
            nn.Conv2d(8, 8, 3, padding=1), nn.BatchNorm2d(8), nn.ReLU(),
        )  # fmt: skip
        self.fc = nn.Linear(8, outputs)

    def forward(self, images: Tensor) -> Tensor:
        return self.fc(self.features(images).mean(dim=(2, 3)))


class WithHead(Striped):
    """The same with another head on the flattened maps."""

    def __init__(self, head: nn.Module) -> None:
        super().__init__()
        self.fc = head

    def forward(self, images: Tensor) -> Tensor:
        return self.fc(self.features(images))


def mlp_head(outputs: int = 2) -> nn.Module:
    return nn.Sequential(nn.Flatten(), nn.Linear(8 * 64, 16), nn.ReLU(), nn.Linear(16, outputs))


def picture(label: int, colour: int, random: np.random.Generator, size: int = OBJECT) -> np.ndarray:
    """16 x 16 pixels: stripes of the label's direction in the middle, the colour with noise around."""
    pixels = COLOURS[colour] + random.normal(0, 12, (SIDE, SIDE, 3))
    low, high = random.integers(20, 60), random.integers(180, 240)
    stripes = np.where(np.arange(size) // 2 % 2, low, high)[:, None].repeat(size, axis=1)
    stripes = np.roll(stripes, random.integers(4), axis=0)
    start = (SIDE - size) // 2
    middle = (stripes if label == 0 else stripes.T)[..., None] + random.normal(0, 12, (size, size, 3))
    pixels[start : start + size, start : start + size] = middle
    return np.clip(np.rint(pixels), 0, 255).astype(np.uint8)


def planted_images(
    seed: int = 0, counts: dict[str, int] = COUNTS, share_of_second: float = 0.5, classes: tuple[str, ...] = CLASSES
) -> ImageSet:
    """The images; of a place called `swapped` the colour is the other class's."""
    rows = [
        (place, int(number >= count * (1 - share_of_second)), number)
        for place, count in counts.items()
        for number in range(count)
    ]
    images = []
    for place, label, number in rows:
        role = ("train", "diagnosis", "test").index(place.split("/")[0])
        own = np.random.default_rng([seed, number, role])  # the parts of test repeat the same drawings
        images.append(picture(label, 1 - label if place.endswith("swapped") else label, own))
    array = np.stack(images)
    return ImageSet(
        name="stripes",
        classes=classes,
        ids=content_ids([image.tobytes() for image in array]),
        labels=np.array([label for _, label, _ in rows], dtype=np.int64),
        names=np.array([f"{place}/{number:03d}.png" for place, _, number in rows]),
        roles=np.array([place.split("/")[0] for place, _, _ in rows]),
        seen=np.full(len(rows), Seen.NO, dtype=np.int8),
        groups=np.full(len(rows), ""),
        pixels=ArrayPixels(array),
        frame=Frame(3, SIDE, SIDE),
    )


def striped_blueprint(outputs: int = 2) -> Blueprint:
    preprocessing = Preprocessing(3, SIDE, SIDE, (0.5,) * 3, (0.25,) * 3)
    return Blueprint("stripes", "striped", outputs, 3, CLASSES, preprocessing, "random")


def striped_subject(images: ImageSet | None = None, network: type[nn.Module] = Striped, outputs: int = 2) -> Subject:
    """The images with a network of this kind, which takes nothing or the number of outputs."""

    def draw(blueprint: Blueprint, seed: int) -> Classifier:
        with seeded(seed):
            return Classifier(network(blueprint.outputs), blueprint).eval()

    return joined(striped_blueprint(outputs), images or planted_images(), lambda known: draw(known, 0), draw=draw)


def random_images(count: int, seed: int = 0) -> Tensor:
    return torch.rand(count, 3, SIDE, SIDE, generator=torch.Generator().manual_seed(seed))
