"""Where a classifier still has a grid, and which of its layers to take.

Layers are named as in `classifier.network.named_modules()`.
"""

from __future__ import annotations

import difflib
from contextlib import ExitStack

import torch
from torch import Tensor

from engine.methods.cam_training.awake import awake
from engine.methods.cam_training.capture import replaced
from engine.methods.cam_training.map_layer import MapLayer
from engine.methods.cam_training.recording import recorded
from engine.subject.classifier import Classifier
from engine.toolkit.frozen import evaluating, frozen

NEEDS_A_GRID = (
    "a CAM needs a grid, and no layer of this network puts out a map of more than 1 x 1 cells for these images; "
    "take a network that keeps one (a convolutional one or a vision transformer), or larger images"
)


def map_layers(classifier: Classifier, example: Tensor) -> tuple[MapLayer, ...]:
    """The layers that put out a map for `example`, images (n, C, H, W) in [0, 1], in the order in which they run.

    What several modules hand on unchanged is listed once, under the outermost one's name.
    """
    outermost: dict[tuple[int, int], MapLayer] = {}
    for output in recorded(classifier, example):
        before = outermost.get(output.what, output.layer)
        outermost[output.what] = min(before, output.layer, key=depth)
    return tuple(outermost.values())


def depth(layer: MapLayer) -> int:
    """How many modules the layer lies in."""
    return layer.name.count(".")


def find_layer(classifier: Classifier, example: Tensor, name: str = "") -> MapLayer:
    """The layer of this name, or the last one whose cells say something about the logits.

    In a transformer that reads its answer off a class token, the last block's cells don't; the last that do are those
    of that block's first norm. Raises ValueError where there is no such layer.
    """
    if name:
        return named_layer(classifier, example, name)
    layers = map_layers(classifier, example)
    if not layers:
        raise ValueError(NEEDS_A_GRID)
    for layer, counts in zip(reversed(layers), reversed(listened_to(classifier, layers, example)), strict=True):
        if counts and (layer.layout != "tokens" or layer.channels in widths(layers, layer)):
            return layer
    raise ValueError("the logits depend on no layer that keeps a map, so a CAM would show nothing")


def widths(layers: tuple[MapLayer, ...], like: MapLayer) -> tuple[int, int]:
    """How wide the first tokens on this layer's grid are, and the last.

    Queries, keys and values side by side, which lie between, are wider than the tokens that they are made of.
    """
    there = [each.channels for each in layers if (each.layout, cells(each)) == (like.layout, cells(like))]
    return there[0], there[-1]


def cells(layer: MapLayer) -> tuple[int, int]:
    """The grid."""
    return layer.height, layer.width


def named_layer(classifier: Classifier, example: Tensor, name: str) -> MapLayer:
    """The layer of this name; ValueError where there is none, or where it puts out no map."""
    by_name = {output.layer.name: output.layer for output in recorded(classifier, example)}
    if name in by_name:
        return by_name[name]
    if not by_name:
        raise ValueError(NEEDS_A_GRID)
    nearest = difflib.get_close_matches(name, by_name, n=3) or list(by_name)[-3:]
    if name in dict(classifier.network.named_modules()):
        raise ValueError(f"the layer {name!r} puts out no map of more than 1 x 1 cells; {' or '.join(nearest)} does")
    raise ValueError(f"the network has no layer {name!r}; did you mean {' or '.join(nearest)}?")


def listened_to(classifier: Classifier, layers: tuple[MapLayer, ...], example: Tensor) -> list[bool]:
    """Whether the logits depend on the cells of each layer: one pass of two images, forward and backward."""
    with ExitStack() as stack, torch.enable_grad():
        stack.enter_context(evaluating(classifier))
        stack.enter_context(frozen(classifier))
        stack.enter_context(awake(classifier))
        seen = [stack.enter_context(replaced(classifier.network, layer, rooted)) for layer in layers]
        logits = classifier(example[:2])
        # each class with a weight of its own, for the plain sum of a softmax is 1 whatever the image
        score = (logits * torch.linspace(1, 2, logits.shape[1], device=logits.device)).sum()
        if not score.requires_grad:
            return [False] * len(layers)
        gradients = torch.autograd.grad(score, [maps[-1] for maps in seen], allow_unused=True)
    return [gradient is not None and bool(gradient.any()) for gradient in gradients]


def rooted(maps: Tensor) -> Tensor:
    """The maps, as part of a graph that begins with them if none led to them."""
    return maps if maps.requires_grad else maps.requires_grad_()
