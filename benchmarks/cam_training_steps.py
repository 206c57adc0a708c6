"""What the CAM term adds to a training step."""

from __future__ import annotations

import numpy as np
import torch
from torch import nn

from engine.loading.architectures import build
from engine.methods.cam_training.settings import MaskSettings, TeachingSettings
from engine.methods.cam_training.step_cost import step_ratio
from engine.subject.blueprint import Blueprint
from engine.subject.classifier import Classifier
from engine.subject.frame import Frame
from engine.subject.image_set import ArrayPixels, ImageSet, Role, Seen, content_ids
from engine.subject.preprocessing import Preprocessing
from engine.subject.subject import Subject, joined

SIDE, IMAGES, HIDDEN = 64, 128, 256
CORNER = MaskSettings("rectangle", top=0.0, left=0.0)  # a centred box says nothing on the 2 x 2 cells of ResNet-18


def noise() -> ImageSet:
    """Images of noise, 64 x 64 in colour, of two classes."""
    array = np.random.default_rng(0).integers(0, 256, (IMAGES, SIDE, SIDE, 3), dtype=np.uint8)
    return ImageSet(
        name="noise",
        classes=("a", "b"),
        ids=content_ids([image.data for image in array]),
        labels=np.arange(IMAGES) % 2,
        names=np.array([f"{number}.png" for number in range(IMAGES)]),
        roles=np.full(IMAGES, str(Role.TRAIN)),
        seen=np.full(IMAGES, Seen.NO, np.int8),
        groups=np.full(IMAGES, ""),
        pixels=ArrayPixels(array),
        frame=Frame(3, SIDE, SIDE),
    )


def resnet18(with_hidden_layer: bool) -> Subject:
    """A ResNet-18 for 64 x 64 pixels, with its own linear head or with one of two layers."""

    def draw(blueprint: Blueprint, seed: int) -> Classifier:
        torch.manual_seed(seed)
        network = build("resnet18", blueprint.outputs, blueprint.channels)
        if with_hidden_layer:
            network.fc = nn.Sequential(nn.Linear(512, HIDDEN), nn.ReLU(), nn.Linear(HIDDEN, blueprint.outputs))
        return Classifier(network, blueprint)

    preprocessing = Preprocessing(3, SIDE, SIDE, (0.5,) * 3, (0.25,) * 3)
    blueprint = Blueprint("resnet18", "resnet18", 2, 3, ("a", "b"), preprocessing, "untrained")
    return joined(blueprint, noise(), lambda known: draw(known, 0), draw=draw)


def measure_steps(small: Subject) -> None:
    """Prints the ratios; `small` is the built-in example with its own net."""
    cases = {
        "ResNet-18 at 64 px, exact maps": resnet18(with_hidden_layer=False),
        "ResNet-18 at 64 px, two layers above the map": resnet18(with_hidden_layer=True),
        "the built-in small net, exact maps": small,
    }
    for name, subject in cases.items():
        ratio, low, high = step_ratio(subject, TeachingSettings(mask=CORNER), {})
        print(f"  {name}: a step with the CAM term over one without {ratio:.3f} ({low:.3f} to {high:.3f})", flush=True)
