"""A network whose last layer still is what some begin with, zeros, so that nothing can be found out about it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import nn


@contextmanager
def awake(network: nn.Module) -> Iterator[None]:
    """Weights that are all 0 are others inside; outside, they are 0 again. Vectors (biases, scales) are left alone."""
    asleep = [weight for weight in network.parameters() if weight.ndim > 1 and not weight.any()]
    with torch.no_grad():
        for weight in asleep:
            weight.copy_(torch.linspace(1, 2, weight.numel()).view_as(weight))
    try:
        yield
    finally:
        with torch.no_grad():
            for weight in asleep:
                weight.zero_()
