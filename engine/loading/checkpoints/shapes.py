"""The shapes an architecture's weights have, and what they tell of its outputs and channels."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

from engine.loading.architectures import MOST_OUTPUTS
from engine.loading.architectures.weightless import skeleton

Shape = tuple[int, ...]
Shapes = Mapping[str, Shape]

OUTPUTS, FEWER_OUTPUTS = 1000, 997
COLOUR, GREY = 3, 1


@dataclass(frozen=True)
class Grows:
    """A weight's axis whose length is `each` for every output (or channel) and `fixed` besides."""

    key: str
    axis: int
    each: int
    fixed: int


@cache
def shapes(architecture: str, outputs: int = OUTPUTS, channels: int = COLOUR) -> Shapes:
    """The shape of each weight and buffer in the architecture's state_dict."""
    network = skeleton(architecture, outputs, channels)
    return {key: tuple(tensor.shape) for key, tensor in network.state_dict().items()}


@cache
def growing(architecture: str, what: str) -> tuple[Grows, ...]:
    """The axes whose length depends on the number of outputs or channels, found by building with two numbers."""
    numbers = (OUTPUTS, FEWER_OUTPUTS) if what == "outputs" else (COLOUR, GREY)
    more, fewer = (shapes(architecture, **{what: number}) for number in numbers)
    found = []
    for key in more.keys() & fewer.keys():
        if len(more[key]) != len(fewer[key]):
            continue
        for axis, (long, short) in enumerate(zip(more[key], fewer[key], strict=True)):
            if each := (long - short) // (numbers[0] - numbers[1]):
                found.append(Grows(key, axis, each, long - each * numbers[0]))
    return tuple(found)


def read_outputs(found: Shapes, architecture: str) -> int:
    """How many outputs weights of these shapes have; the architecture's usual number where they don't tell."""
    number = told(found, growing(architecture, "outputs"))
    return number if number and number <= MOST_OUTPUTS else OUTPUTS


def read_channels(found: Shapes, architecture: str) -> int:
    """Whether weights of these shapes take 1 channel or 3; 3 where they don't tell or take another number."""
    return GREY if told(found, growing(architecture, "channels")) == GREY else COLOUR


def told(found: Shapes, axes: tuple[Grows, ...]) -> int:
    """The number that most of the axes tell; 0 where none tells any."""
    votes: Counter[int] = Counter()
    for axis in axes:
        shape = found.get(axis.key, ())
        if axis.axis < len(shape):
            number, rest = divmod(shape[axis.axis] - axis.fixed, axis.each)
            if rest == 0 and number > 0:
                votes[number] += 1
    return votes.most_common(1)[0][0] if votes else 0
