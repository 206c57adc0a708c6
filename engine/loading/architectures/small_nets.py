"""Three small networks for small images: a convolutional one, LeNet-5 and a perceptron."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor, nn


class SmallCNN(nn.Module):
    """Four convolutions, global average pooling and one linear layer, so that its CAM is exact.

    Made for 32 x 32 pixels, of which the last convolution sees 8 x 8; takes other sizes too.
    """

    def __init__(self, outputs: int, channels: int) -> None:
        super().__init__()
        self.features = nn.Sequential(
            *convolution(channels, 32),
            nn.MaxPool2d(2),
            *convolution(32, 64),
            nn.MaxPool2d(2),
            *convolution(64, 128),
            *convolution(128, 128),
        )
        self.fc = nn.Linear(128, outputs)

    def forward(self, images: Tensor) -> Tensor:
        """images (N, channels, H, W) -> logits (N, outputs)."""
        return self.fc(self.features(images).mean(dim=(2, 3)))


class LeNet5(nn.Module):
    """LeNet-5 with ReLU and max-pooling, its layers named as in PyTorch's tutorial.

    Images of 28 pixels get the border of 2 that makes them the paper's 32; at other sizes the last pooling adapts.
    LeCun et al. 1998.
    """

    def __init__(self, outputs: int, channels: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(channels, 6, 5)
        self.conv2 = nn.Conv2d(6, 16, 5)
        self.pool = nn.AdaptiveMaxPool2d(5)
        self.fc1 = nn.Linear(16 * 5 * 5, 120)
        self.fc2 = nn.Linear(120, 84)
        self.fc3 = nn.Linear(84, outputs)

    def forward(self, images: Tensor) -> Tensor:
        """images (N, channels, H, W) -> logits (N, outputs)."""
        if images.shape[-2:] == (28, 28):
            images = F.pad(images, (2, 2, 2, 2))
        features = F.max_pool2d(self.conv1(images).relu(), 2)
        features = self.pool(self.conv2(features).relu()).flatten(1)
        return self.fc3(self.fc2(self.fc1(features).relu()).relu())


class MLP(nn.Module):
    """Two hidden layers on 28 x 28 pixels; images of another size are averaged to it."""

    def __init__(self, outputs: int, channels: int) -> None:
        super().__init__()
        self.pool = nn.AdaptiveAvgPool2d(28)
        self.fc1 = nn.Linear(channels * 28 * 28, 256)
        self.fc2 = nn.Linear(256, 128)
        self.fc3 = nn.Linear(128, outputs)

    def forward(self, images: Tensor) -> Tensor:
        """images (N, channels, H, W) -> logits (N, outputs)."""
        hidden = self.fc1(self.pool(images).flatten(1)).relu()
        return self.fc3(self.fc2(hidden).relu())


def convolution(inputs: int, outputs: int) -> tuple[nn.Module, nn.Module, nn.Module]:
    """A 3 x 3 convolution with batch norm and ReLU; the norm has the bias."""
    return nn.Conv2d(inputs, outputs, 3, padding=1, bias=False), nn.BatchNorm2d(outputs), nn.ReLU()
