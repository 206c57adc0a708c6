"""A network whose weights are others for a while, so that what is found out is of the network and not of its weights.

At first many layers do nothing: a last layer of zeros gives no answer, a batch norm hands on what it is given.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn

LEAST, MOST = 0.5, 1.5  # times what a value was
MORE = 0.25  # at most is added to vectors and single numbers, whose 0 would stay one


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


@contextmanager
def shaken(modules: Iterable[nn.Module]) -> Iterator[None]:
    """These modules' own weights and buffers are others inside, as training might make them; outside, as they were.

    Each value keeps its sign where it isn't small, so that variances and exponents stay above 0.
    """
    state = own_state(modules)
    before = [value.detach().clone() for value in state]
    noise = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for value in state:
            times, more = (torch.rand(value.shape, generator=noise).to(value) for _ in range(2))
            value.mul_(LEAST + (MOST - LEAST) * times).add_(MORE * more if value.ndim < 2 else 0)
    try:
        yield
    finally:
        with torch.no_grad():
            for value, was in zip(state, before, strict=True):
                value.copy_(was)


def own_state(modules: Iterable[nn.Module]) -> list[Tensor]:
    """The weights and the buffers that are no counters of these modules themselves, each once."""
    found = {}
    for module in modules:
        for value in (*module.parameters(recurse=False), *module.buffers(recurse=False)):
            if value.is_floating_point():
                found[id(value)] = value
    return list(found.values())
