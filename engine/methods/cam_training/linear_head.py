"""A classifier's last step, where it is the average over a layer's map and one linear layer: then its CAM is exact."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from engine.methods.cam_training.awake import awake, shaken
from engine.methods.cam_training.capture import attached
from engine.methods.cam_training.map_layer import MapLayer
from engine.subject.classifier import Classifier
from engine.toolkit.frozen import evaluating

TOLERANCE, ROUNDING = 1e-4, 1e-6  # of what the map adds to the logits, and of the logits themselves
EVEN = 1e-3  # a map whose largest value stands out by less from its average can't tell an average from a maximum


@dataclass(frozen=True, eq=False)
class LinearHead:
    """logits = weight() @ the map's average + bias(), with the classifier's own parameters, whatever they become.

    `module` is None where the average itself is the logits (SqueezeNet). A network with one output z gives (0, z).
    """

    module: nn.Linear | nn.Conv2d | None
    outputs: int
    like: Tensor

    def weight(self) -> Tensor:
        """(classes, channels), attached to the parameters."""
        weight = torch.eye(self.outputs).to(self.like) if self.module is None else self.module.weight.flatten(1)
        return torch.cat([torch.zeros_like(weight), weight]) if self.outputs == 1 else weight

    def bias(self) -> Tensor:
        """(classes,), attached to the parameters."""
        own = None if self.module is None else self.module.bias
        bias = torch.zeros(self.outputs).to(self.like) if own is None else own
        return torch.cat([torch.zeros_like(bias), bias]) if self.outputs == 1 else bias


def linear_head(classifier: Classifier, layer: MapLayer, example: Tensor) -> LinearHead | None:
    """The head that makes the layer's map exact, or None: tried on `example`, images (n, C, H, W) in [0, 1].

    It must do so with other weights behind the layer as well, for a batch norm or a generalised mean that has learned
    nothing yet hands on what it is given. The images must differ within and among each other (noise does): on even
    ones an average looks like a maximum.
    """
    with evaluating(classifier), torch.no_grad(), awake(classifier), attached(classifier.network, layer) as seen:
        with ran_after(classifier.network, layer) as behind:
            logits = classifier(example)
        found = (head for head in candidates(classifier, layer, logits) if reproduces(head, seen[-1], logits))
        if (head := next(found, None)) is None:
            return None
        with shaken(module for module in behind if module is not head.module):
            logits = classifier(example)
            return head if reproduces(head, seen[-1], logits) else None


@contextmanager
def ran_after(network: nn.Module, layer: MapLayer) -> Iterator[list[nn.Module]]:
    """Collect the modules that end after the layer in a pass while the block runs, those around it included."""
    found: list[nn.Module] = []
    last = network.get_submodule(layer.name)

    def note(module: nn.Module, _inputs: object, _output: object) -> None:
        if module is last:
            found.clear()
        else:
            found.append(module)

    handles = [module.register_forward_hook(note) for module in network.modules()]
    try:
        yield found
    finally:
        for handle in handles:
            handle.remove()


def reproduces(head: LinearHead, maps: Tensor, logits: Tensor) -> bool:
    """Whether the head makes these logits (n, classes) of these maps (n, channels, h, w), and not by chance."""
    means = maps.mean(dim=(2, 3))
    if float((maps.amax(dim=(2, 3)) - means).max()) <= EVEN * float(maps.abs().max()):
        return False
    added = logits - head.bias()
    most, rounding = float(added.abs().max()), ROUNDING * float(logits.abs().max())
    error = float((means @ head.weight().T - added).abs().max())
    return error <= TOLERANCE * most + rounding and most > 100 * rounding


def candidates(classifier: Classifier, layer: MapLayer, logits: Tensor) -> list[LinearHead]:
    """Every layer that could be the last one by its shape, the network's last first."""
    outputs = classifier.blueprint.outputs
    like = logits.new_zeros(())
    fitting = [
        LinearHead(module, outputs, like)
        for module in reversed(list(classifier.network.modules()))
        if isinstance(module, (nn.Linear, nn.Conv2d)) and module.weight.flatten(1).shape == (outputs, layer.channels)
    ]
    return fitting + ([LinearHead(None, outputs, like)] if layer.channels == outputs else [])
