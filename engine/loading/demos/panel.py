"""Three nets that know the planted digits better than the built-in classifier does, to label images for it.

They are trained on every scan, those of test included, in poses and colours of their own, on blurred and rough images
too; so they are nobody's rivals, only a stand-in for a person who can read digits.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from engine.loading.checkpoints import drawn as drawn_network
from engine.loading.demos.planted_digits import SIDE, Plan, drawn, drawn_poses
from engine.loading.demos.scans import scans
from engine.runs.progress import Progress
from engine.subject.blueprint import Blueprint
from engine.subject.classifier import Classifier, weights_hash
from engine.subject.preprocessing import Preprocessing
from engine.toolkit.training import TrainingSettings, train

VERSION = 1  # goes up when the panel is trained in another way
NETS = ("digits_cnn", "digits_cnn", "lenet5")
CHANNELS = (3, 1, 1)
COPIES = 9  # drawings of each scan
SEED = 987_654  # no demo's
SETTINGS = TrainingSettings(epochs=3, batch_size=128, learning_rate=4e-3)
SOFTEST, ROUGHEST = 1.2, 0.06  # the widest blur in pixels, the strongest noise in [0, 1]


def make_panel(progress: Progress) -> list[Classifier]:
    """The three classifiers, in evaluation mode on the CPU."""
    images, labels = drawings(COPIES)
    ends = np.linspace(0, 1, len(NETS) + 1)
    return [
        trained(number, images, labels, progress.part(float(ends[number]), float(ends[number + 1])))
        for number in range(len(NETS))
    ]


def drawings(copies: int) -> tuple[np.ndarray, np.ndarray]:
    """Every scan drawn so many times: uint8 (N, 3, 32, 32), and the digits (N,) that they show."""
    random = np.random.default_rng([SEED, 0])
    _, digits = scans()
    scan = np.repeat(np.arange(len(digits)), copies)
    count = len(scan)
    plan = Plan(
        under_trained=-1,
        over_fitted=-1,
        roles=np.full(count, ""),
        scans=scan,
        copies=np.tile(np.arange(copies), len(digits)),
        shown=digits[scan],
        labels=digits[scan],
        poses=drawn_poses(narrow=np.zeros(count, dtype=bool), random=random),
        inks=random.integers(150, 256, (count, 3)),
        papers=random.integers(0, 100, (count, 3)),
    )
    pixels = drawn(plan, np.random.default_rng([SEED, 1]))
    return np.ascontiguousarray(pixels.transpose(0, 3, 1, 2)), digits[scan].astype(np.int64)


def trained(number: int, images: np.ndarray, labels: np.ndarray, progress: Progress) -> Classifier:
    """One net of the panel; its number decides weights, order and what happens to the images."""
    classifier = untrained(number)
    generator = torch.Generator().manual_seed(SEED + number)
    pixels = torch.from_numpy(images)

    def worn(rows: Tensor, _epoch: int) -> Tensor:
        return roughened(pixels[rows].float() / 255, generator)

    train(classifier, worn, torch.from_numpy(labels), SETTINGS, number, progress, "training the oracle")
    classifier.blueprint = replace(classifier.blueprint, weights=weights_hash(classifier.network))
    return classifier


def untrained(number: int) -> Classifier:
    """The net with weights drawn from its number."""
    channels = CHANNELS[number]
    blueprint = Blueprint(
        name=f"oracle {number + 1}",
        architecture=NETS[number],
        outputs=10,
        channels=channels,
        classes=tuple("0123456789"),
        preprocessing=Preprocessing(channels, SIDE, SIDE, mean=(0.5,) * channels, std=(0.25,) * channels),
        weights="",
    )
    return drawn_network(blueprint, number)


def roughened(images: Tensor, generator: torch.Generator) -> Tensor:
    """The images (n, C, H, W) in [0, 1], each blurred, paled and made noisy by chance, as generated images are."""
    width = SOFTEST * torch.rand(1, generator=generator).item()
    contrast = 0.6 + 0.5 * torch.rand(len(images), 1, 1, 1, generator=generator)
    noise = ROUGHEST * torch.rand(len(images), 1, 1, 1, generator=generator)
    middle = images.mean(dim=(1, 2, 3), keepdim=True)
    paled = middle + contrast * (blurred(images, width) - middle)
    return (paled + noise * torch.randn(images.shape, generator=generator)).clamp(0, 1)


def blurred(images: Tensor, width: float) -> Tensor:
    """The images under a Gaussian of this standard deviation in pixels."""
    if width < 0.2:
        return images
    reach = int(np.ceil(3 * width))
    line = torch.exp(-(torch.arange(-reach, reach + 1) ** 2) / (2 * width**2))
    line = (line / line.sum()).repeat(images.shape[1], 1, 1, 1)
    padded = F.pad(images, (reach, reach, reach, reach), mode="replicate")
    across = F.conv2d(padded, line, groups=images.shape[1])
    return F.conv2d(across, line.transpose(2, 3), groups=images.shape[1])
