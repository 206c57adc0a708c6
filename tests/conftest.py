"""What every test starts from: a data folder of its own, and small things whose answers are known."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from engine.runs.store import Store
from engine.subject.blueprint import Blueprint
from engine.subject.classifier import Classifier
from engine.subject.frame import Frame
from engine.subject.image_set import ArrayPixels, ImageSet, Seen, content_ids
from engine.subject.preprocessing import Preprocessing
from engine.subject.subject import Subject, joined


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    """No test reads or writes the person's own data folder."""
    folder = tmp_path / "home"
    monkeypatch.setenv("FAULTLINE_HOME", str(folder))
    return folder


@pytest.fixture
def store(home) -> Store:
    return Store(home)


class RedGreenBlue(nn.Module):
    """Logit k is 20 times the mean of colour k: the answer to every image is known."""

    def __init__(self) -> None:
        super().__init__()
        self.head = nn.Linear(3, 3, bias=False)
        nn.init.eye_(self.head.weight)

    def forward(self, images: Tensor) -> Tensor:
        return 20 * self.head(images.mean(dim=(2, 3)))


def rgb_blueprint(**changed) -> Blueprint:
    said = {
        "name": "red, green or blue",
        "architecture": "red_green_blue",
        "outputs": 3,
        "channels": 3,
        "classes": ("red", "green", "blue"),
        "preprocessing": Preprocessing(3, 8, 8, (0.0,) * 3, (1.0,) * 3),
        "weights": "eye",
    }
    return Blueprint(**{**said, **changed})


def colour_images(
    colours: list[tuple[int, int, int]], labels: list[int], role: str = "diagnosis", **changed
) -> ImageSet:
    """One 8x8 image a colour, each a little different from the next."""
    array = np.zeros((len(colours), 8, 8, 3), np.uint8)
    for place, colour in enumerate(colours):
        array[place] = colour
        array[place, 0, 0, 0] = place % 251
        array[place, 0, 1, 0] = place // 251
    count = len(colours)
    columns = {
        "name": "colours",
        "classes": ("red", "green", "blue"),
        "ids": content_ids([image.tobytes() for image in array]),
        "labels": np.array(labels, dtype=np.int64),
        "names": np.array([f"{place}.png" for place in range(count)]),
        "roles": np.full(count, role),
        "seen": np.full(count, Seen.NO, dtype=np.int8),
        "groups": np.full(count, ""),
        "pixels": ArrayPixels(array),
        "frame": Frame(3, 8, 8),
    }
    return ImageSet(**{**columns, **changed})


RED, GREEN, BLUE = (200, 0, 0), (0, 200, 0), (0, 0, 200)


@pytest.fixture
def rgb_subject() -> Subject:
    """Nine images, three of which are labelled wrongly on purpose: 0 and 1 red as green, 8 blue as red."""
    colours = [RED, RED, RED, GREEN, GREEN, GREEN, BLUE, BLUE, BLUE]
    labels = [1, 1, 0, 1, 1, 1, 2, 2, 0]
    blueprint = rgb_blueprint()
    return joined(blueprint, colour_images(colours, labels), lambda blueprint: Classifier(RedGreenBlue(), blueprint))


@pytest.fixture
def generator() -> torch.Generator:
    return torch.Generator().manual_seed(0)
