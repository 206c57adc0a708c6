"""Layers of a network, and what goes in and comes out of them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn


@contextmanager
def inputs_of(layer: nn.Module) -> Iterator[list[Tensor]]:
    """Collect what `layer` is given while the block runs, newest last."""
    seen: list[Tensor] = []
    handle = layer.register_forward_pre_hook(lambda _layer, inputs: seen.append(inputs[0].detach()))
    try:
        yield seen
    finally:
        handle.remove()


@contextmanager
def outputs_of(layer: nn.Module) -> Iterator[list[Tensor]]:
    """Collect what `layer` puts out while the block runs, newest last; ValueError where that is not one tensor."""
    seen: list[Tensor] = []

    def keep(layer: nn.Module, _inputs: object, output: object) -> None:
        if not isinstance(output, Tensor):
            raise ValueError(
                f"a layer of type {type(layer).__name__} puts out a {type(output).__name__}, not one tensor"
            )
        seen.append(output.detach())

    handle = layer.register_forward_hook(keep)
    try:
        yield seen
    finally:
        handle.remove()


def last_layer(network: nn.Module, example: Tensor) -> nn.Module:
    """The linear or convolutional layer that runs last, found by one pass of `example`, a batch of images."""
    order: list[nn.Module] = []
    handles = [
        module.register_forward_hook(lambda layer, _inputs, _output: order.append(layer))
        for module in network.modules()
        if isinstance(module, (nn.Linear, nn.Conv2d))
    ]
    try:
        with torch.inference_mode():
            network(example)
    finally:
        for handle in handles:
            handle.remove()
    if not order:
        raise ValueError("the network has no linear or convolutional layer whose features could be compared")
    return order[-1]
