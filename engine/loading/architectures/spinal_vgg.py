"""SpinalNet's VGG for small characters, with the layer names of its published checkpoints."""

from __future__ import annotations

import torch
from torch import Tensor, nn

WIDTH = 128


class SpinalVGG(nn.Module):
    """A VGG of ten convolutions whose head reads the features in halves, each layer also what the one before it found.

    Made for 28 x 28 pixels; the trunk ends in an adaptive pooling, so that a larger image can't hand the head the
    wrong features. Gives logits where the original gives their log-softmax. Kabir et al. 2020, "SpinalNet".
    """

    def __init__(self, outputs: int, channels: int) -> None:
        super().__init__()
        self.l1 = block(channels, 64, 64)
        self.l2 = block(64, 128, 128)
        self.l3 = block(128, 256, 256, 256)
        self.l4 = block(256, 256, 256, 256)
        self.pool = nn.AdaptiveMaxPool2d(1)
        self.fc_spinal_layer1 = spinal_layer(WIDTH)
        self.fc_spinal_layer2 = spinal_layer(WIDTH + WIDTH)
        self.fc_spinal_layer3 = spinal_layer(WIDTH + WIDTH)
        self.fc_spinal_layer4 = spinal_layer(WIDTH + WIDTH)
        self.fc_out = nn.Sequential(nn.Dropout(0.5), nn.Linear(4 * WIDTH, outputs))

    def forward(self, images: Tensor) -> Tensor:
        """images (N, channels, H, W), at least 16 pixels a side -> logits (N, outputs)."""
        features = self.pool(self.l4(self.l3(self.l2(self.l1(images))))).flatten(1)
        upper, lower = features.chunk(2, dim=1)
        first = self.fc_spinal_layer1(upper)
        second = self.fc_spinal_layer2(torch.cat([lower, first], dim=1))
        third = self.fc_spinal_layer3(torch.cat([upper, second], dim=1))
        fourth = self.fc_spinal_layer4(torch.cat([lower, third], dim=1))
        return self.fc_out(torch.cat([first, second, third, fourth], dim=1))


def block(inputs: int, *widths: int) -> nn.Sequential:
    """3 x 3 convolutions of these widths, each with batch norm and ReLU, ended by 2 x 2 max-pooling."""
    layers: list[nn.Module] = []
    for before, width in zip((inputs, *widths), widths, strict=False):
        layers += [nn.Conv2d(before, width, 3, padding=1), nn.BatchNorm2d(width), nn.ReLU()]
    return nn.Sequential(*layers, nn.MaxPool2d(2))


def spinal_layer(inputs: int) -> nn.Sequential:
    """One vertebra: it gives 128 features."""
    return nn.Sequential(nn.Dropout(0.5), nn.Linear(inputs, WIDTH), nn.BatchNorm1d(WIDTH), nn.ReLU())
