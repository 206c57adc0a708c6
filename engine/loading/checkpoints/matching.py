"""Compare a checkpoint with an architecture: how many outputs and channels, and which keys agree."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

import torch
from torch import Tensor

from engine.loading.checkpoints.checkpoint import Checkpoint
from engine.loading.checkpoints.shapes import Shape, Shapes, read_channels, read_outputs, shapes
from engine.subject.subject import listed

MOST_PREFIXES = 8
BATCHES_SEEN = "num_batches_tracked"  # older files don't have it, and evaluation doesn't use it
ONLY_FOR_TRAINING = {"googlenet": ("aux1.", "aux2."), "inception_v3": ("AuxLogits.",)}


@dataclass(frozen=True)
class Misshapen:
    """A weight that has another shape than the architecture's."""

    key: str
    expected: Shape
    found: Shape

    def __str__(self) -> str:
        return f"{self.key} is {self.found} instead of {self.expected}"


@dataclass(frozen=True, eq=False)
class Match:
    """How a checkpoint and an architecture agree, with the outputs and channels that the weights tell.

    `tensors` are the weights under the architecture's names. `remarks` say what was left out.
    """

    architecture: str
    outputs: int
    channels: int
    missing: tuple[str, ...]
    surplus: tuple[str, ...]
    misshapen: tuple[Misshapen, ...]
    agreeing: int
    tensors: dict[str, Tensor] = field(repr=False)
    remarks: tuple[str, ...] = ()

    @property
    def fits(self) -> bool:
        """Whether every weight is there, in its shape, and no other."""
        return not (self.missing or self.surplus or self.misshapen)


def match(checkpoint: Checkpoint, architecture: str) -> Match:
    """What of the checkpoint fits the architecture; ValueError where no architecture has this name.

    Parts that were saved beside the network (a loss, a metric) are told by the network's prefix and left out.
    """
    tensors, remarks = of_network(checkpoint.tensors, shapes(architecture))
    tensors, auxiliary = without_auxiliary(tensors, architecture)
    found = {key: tuple(tensor.shape) for key, tensor in tensors.items()}
    outputs, channels = read_outputs(found, architecture), read_channels(found, architecture)
    expected = shapes(architecture, outputs, channels)
    for key in expected.keys() - tensors.keys():
        if key.endswith(BATCHES_SEEN):
            tensors[key] = torch.zeros((), dtype=torch.long)
            found[key] = ()
    wrong = [key for key in expected if key in found and found[key] != expected[key]]
    missing = tuple(key for key in expected if key not in found)
    return Match(
        architecture,
        outputs,
        channels,
        missing=missing,
        surplus=tuple(key for key in found if key not in expected),
        misshapen=tuple(Misshapen(key, expected[key], found[key]) for key in wrong),
        agreeing=len(expected) - len(missing) - len(wrong),
        tensors=tensors,
        remarks=(*remarks, *auxiliary),
    )


def of_network(tensors: Mapping[str, Tensor], expected: Shapes) -> tuple[dict[str, Tensor], tuple[str, ...]]:
    """The weights under the one prefix that gives the most of the expected names, and a remark on all others."""
    agreeing: Counter[str] = Counter()
    for key in tensors:
        parts = key.split(".", MOST_PREFIXES)
        for place in range(len(parts)):
            if ".".join(parts[place:]) in expected:
                agreeing["".join(f"{part}." for part in parts[:place])] += 1
    prefix = max(agreeing, key=lambda start: (agreeing[start], -len(start)), default="")
    chosen = {key.removeprefix(prefix): tensor for key, tensor in tensors.items() if key.startswith(prefix)}
    if not prefix:
        return chosen, ()
    others = [key for key in tensors if not key.startswith(prefix)]
    left_out = (f"left out what isn't part of the network: {listed(others)}",) if others else ()
    return chosen, (f"stripped {prefix} from the names", *left_out)


def without_auxiliary(tensors: dict[str, Tensor], architecture: str) -> tuple[dict[str, Tensor], tuple[str, ...]]:
    """The weights without those of heads that only training uses, and a remark if there were any."""
    starts = ONLY_FOR_TRAINING.get(architecture, ())
    kept = {key: tensor for key, tensor in tensors.items() if not key.startswith(starts)} if starts else tensors
    left_out = len(tensors) - len(kept)
    return kept, (f"left out {left_out} weights of auxiliary heads, which only training uses",) if left_out else ()
