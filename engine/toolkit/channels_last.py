"""How a network's weights and images lie in memory while it learns."""

from __future__ import annotations

import torch
from torch import nn

PLAIN = (
    nn.Conv2d,
    nn.BatchNorm2d,
    nn.ReLU,
    nn.MaxPool2d,
    nn.AvgPool2d,
    nn.AdaptiveAvgPool2d,
    nn.Flatten,
    nn.Linear,
    nn.Dropout,
    nn.Identity,
)


def lay_channels_last(network: nn.Module) -> None:
    """Lay a plain convolutional network out pixel by pixel, all channels of one beside each other; others stay.

    The built-in network of the digits then learns in two thirds of the time, and sums differ in the last digits.
    Plain is one of nothing but ungrouped convolutions and what usually stands between them: with some other layers
    PyTorch refuses this order or fails in it.
    """
    leaves = [module for module in network.modules() if next(module.children(), None) is None]
    if all(type(leaf) in PLAIN and getattr(leaf, "groups", 1) == 1 for leaf in leaves):
        network.to(memory_format=torch.channels_last)
