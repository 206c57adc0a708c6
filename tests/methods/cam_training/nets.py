"""Small networks, most of whose maps are known by hand, and what wraps them."""

from __future__ import annotations

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from engine.subject.blueprint import Blueprint
from engine.subject.classifier import Classifier
from engine.subject.image_set import ArrayPixels, ImageSet, content_ids
from engine.subject.preprocessing import Preprocessing
from engine.subject.subject import Subject, joined
from tests.conftest import colour_images, rgb_blueprint

COLOURS = torch.eye(3)


class Averaging(nn.Module):
    """A convolution with ReLU, the average over the map, one linear layer: its CAM is exact."""

    def __init__(self, outputs: int = 3, channels: int = 6, inputs: int = 3) -> None:
        super().__init__()
        self.features = nn.Sequential(nn.Conv2d(inputs, channels, 3, stride=2, padding=1), nn.ReLU())
        self.fc = nn.Linear(channels, outputs)

    def forward(self, images: Tensor) -> Tensor:
        return self.fc(self.features(images).mean(dim=(2, 3)))


class Flattening(Averaging):
    """The same features under a head that knows where things are, for inputs of 8 x 8."""

    def __init__(self, outputs: int = 3, channels: int = 6) -> None:
        super().__init__(outputs, channels)
        self.fc = nn.Sequential(nn.Linear(channels * 16, 10), nn.Tanh(), nn.Linear(10, outputs))

    def forward(self, images: Tensor) -> Tensor:
        return self.fc(self.features(images).flatten(1))


class Colours(nn.Module):
    """Its map is the image and logit k 20 times the mean of colour k, so every map is known."""

    def __init__(self) -> None:
        super().__init__()
        self.features = nn.Conv2d(3, 3, 1, bias=False)
        self.features.weight.data = COLOURS.view(3, 3, 1, 1).clone()
        self.fc = nn.Linear(3, 3)
        self.fc.weight.data, self.fc.bias.data = 20 * COLOURS, torch.tensor([0.5, 0.0, -0.5])

    def forward(self, images: Tensor) -> Tensor:
        return self.fc(self.features(images).mean(dim=(2, 3)))


class FunctionalReLU(nn.Module):
    """As DenseNet: batch norm is the last module, and what is averaged is its ReLU, written over it or not."""

    def __init__(self, inplace: bool) -> None:
        super().__init__()
        self.inplace = inplace
        self.features = nn.Sequential(nn.Conv2d(3, 6, 3), nn.BatchNorm2d(6))
        self.fc = nn.Linear(6, 3)

    def forward(self, images: Tensor) -> Tensor:
        return self.fc(F.relu(self.features(images), inplace=self.inplace).mean(dim=(2, 3)))


class WrittenOver(nn.Module):
    """A residual sum and a ReLU, both written into what the batch norm put out."""

    def __init__(self) -> None:
        super().__init__()
        self.conv, self.bn, self.relu = nn.Conv2d(3, 3, 1), nn.BatchNorm2d(3), nn.ReLU(inplace=True)
        self.fc = nn.Linear(3, 3)

    def forward(self, images: Tensor) -> Tensor:
        maps = self.bn(self.conv(images))
        maps += images
        return self.fc(self.relu(maps).mean(dim=(2, 3)))


class OneCell(nn.Module):
    """Its only map has 1 x 1 cells."""

    def __init__(self) -> None:
        super().__init__()
        self.features, self.fc = nn.Conv2d(3, 6, 8), nn.Linear(6, 3)

    def forward(self, images: Tensor) -> Tensor:
        return self.fc(self.features(images).flatten(1))


def classifier_of(network: nn.Module, side: int = 8, outputs: int = 3, channels: int = 3) -> Classifier:
    """The network with names for its classes, images normalised to mean 0.5 and standard deviation 0.25."""
    preprocessing = Preprocessing(channels, side, side, (0.5,) * channels, (0.25,) * channels)
    names = tuple(f"class {number}" for number in range(max(2, outputs)))
    return Classifier(network, Blueprint("net", "net", outputs, channels, names, preprocessing, "drawn")).eval()


def noise(count: int = 4, side: int = 8, channels: int = 3, seed: int = 0) -> Tensor:
    return torch.rand(count, channels, side, side, generator=torch.Generator().manual_seed(seed))


def drawn(network: nn.Module, seed: int = 0, scale: float = 1.0) -> nn.Module:
    """The network with all weights drawn anew, so that nothing in it is 0 or alike."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for weight in network.parameters():
            fan_in = max(1, weight[0].numel())
            weight.copy_(scale * torch.randn(weight.shape, generator=generator) / fan_in**0.5)
    return network


def hooks(network: nn.Module) -> int:
    return sum(len(module._forward_hooks) + len(module._forward_pre_hooks) for module in network.modules())


def colours_subject(colours, labels, **changed) -> Subject:
    """Plain colours before the network whose map is the image."""
    return of_images(colour_images(colours, labels, **changed))


def of_images(images: ImageSet) -> Subject:
    return joined(rgb_blueprint(), images, lambda blueprint: Classifier(Colours(), blueprint))


def pictures(array: np.ndarray, labels: list[int], **changed) -> ImageSet:
    """uint8 (N, 8, 8, 3) as images of the three colours."""
    ids = content_ids([image.tobytes() for image in array])
    return colour_images([(0, 0, 0)] * len(array), labels, pixels=ArrayPixels(array), ids=ids, **changed)
