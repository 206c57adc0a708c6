"""A layer's maps while a network runs: with the graph below them for training, or cut off from it for looking."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from torch import Tensor, nn

from engine.methods.cam_training.map_layer import MapLayer, as_map, from_map
from engine.toolkit.frozen import frozen


@contextmanager
def attached(network: nn.Module, layer: MapLayer) -> Iterator[list[Tensor]]:
    """Collect the layer's maps (n, channels, h, w) while the block runs, newest last.

    Each lies in the graph between the weights below it and the logits above it, so that `autograd.grad(score, maps)`
    works and what is made of maps can be trained on.
    """
    with replaced(network, layer, lambda maps: maps) as seen:
        yield seen


@contextmanager
def cut(network: nn.Module, layer: MapLayer) -> Iterator[list[Tensor]]:
    """Collect the layer's maps (n, channels, h, w) as leaves that take a gradient, newest last.

    No graph is built below them and no weight takes a gradient, so that a gradient map costs one pass forward and the
    head's backward.
    """
    with frozen(network), replaced(network, layer, lambda maps: maps.detach().requires_grad_()) as seen:
        yield seen


@contextmanager
def replaced(network: nn.Module, layer: MapLayer, change: Callable[[Tensor], Tensor]) -> Iterator[list[Tensor]]:
    """Let the network run on with `change` of the layer's maps while the block runs, and collect what it gives.

    The network is handed a copy, for what comes next may write into it (a ReLU in place).
    """
    seen: list[Tensor] = []

    def hand_on(_module: nn.Module, _inputs: object, output: Tensor) -> Tensor:
        maps = change(as_map(layer, output))
        seen.append(maps)
        return from_map(layer, maps, output).clone()

    handle = network.get_submodule(layer.name).register_forward_hook(hand_on)
    try:
        yield seen
    finally:
        handle.remove()
