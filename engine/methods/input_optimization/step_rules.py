"""How one step changes the inputs. Every number is a row's own, so that rows never feel each other."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor

State = dict[str, Tensor]  # by name, one row an input


@dataclass(frozen=True)
class Standing:
    """Where the rows are: their start and place (n, ...), and the gradient (n, ...) of the loss at `place`.

    `missing` (n,) is by how much the judged number lies above the level, at most 0 where the row passes; `taken` (n,)
    counts the steps that were taken before.
    """

    start: Tensor
    place: Tensor
    gradient: Tensor
    missing: Tensor
    taken: Tensor


class StepRule(Protocol):
    """Where the inputs go next. `stops_at_once`: a row is done when it first passes, else it uses the whole budget."""

    stops_at_once: bool

    def begin(self, start: Tensor) -> State:
        """What the rule remembers of rows that start at (n, ...)."""

    def step(self, at: Standing, state: State) -> Tensor:
        """The next places (n, ...), not clamped; changes `state` in place."""


def per_row(numbers: Tensor, like: Tensor) -> Tensor:
    """(n,) so that it multiplies (n, ...)."""
    return numbers.view(-1, *[1] * (like.ndim - 1))


def length(rows: Tensor) -> Tensor:
    """(n,) the L2 norm of each row."""
    return torch.linalg.vector_norm(rows.flatten(1), dim=1)


def unit(rows: Tensor) -> Tensor:
    """Each row scaled to length 1; a row of zeros stays."""
    largest = rows.flatten(1).abs().amax(dim=1)
    rows = rows / per_row(torch.where(largest > 0, largest, 1), rows)  # the squares of tiny numbers would be 0
    return rows / per_row(length(rows).clamp_min(1), rows)


@dataclass(frozen=True)
class Momentum:
    """Steps along the accumulated directions of descent; `rms` is the size a value of the first one.

    Where the direction stays the same they grow, up to 1 / (1 - memory) times that.
    """

    rms: float = 2e-3
    memory: float = 0.9
    stops_at_once = True

    def begin(self, start: Tensor) -> State:
        """No speed."""
        return {"speed": torch.zeros_like(start)}

    def step(self, at: Standing, state: State) -> Tensor:
        """The gradient's length plays no part: confident rows, whose gradients are tiny, move as fast as others."""
        state["speed"].mul_(self.memory).add_(unit(at.gradient))
        return at.place - self.rms * at.place[0].numel() ** 0.5 * state["speed"]


@dataclass(frozen=True)
class Adam:
    """Kingma and Ba 2015, with each row's own count of steps; `rate` is about a step's size a value."""

    rate: float = 3e-3
    first: float = 0.9
    second: float = 0.999
    eps: float = 1e-8
    stops_at_once = True

    def begin(self, start: Tensor) -> State:
        """No moments."""
        return {"mean": torch.zeros_like(start), "square": torch.zeros_like(start)}

    def step(self, at: Standing, state: State) -> Tensor:
        """Each value moves by its gradient's mean over the root of its mean square."""
        count = per_row(at.taken + 1, at.gradient)
        mean = state["mean"].mul_(self.first).add_(at.gradient, alpha=1 - self.first)
        square = state["square"].mul_(self.second).addcmul_(at.gradient, at.gradient, value=1 - self.second)
        scale = (square / (1 - self.second**count)).sqrt_().add_(self.eps)
        return at.place - self.rate * (mean / (1 - self.first**count)) / scale


@dataclass(frozen=True)
class Minimal:
    """Decoupled direction and norm (Rony et al. 2019): a sphere around the start that shrinks where a row passes."""

    steps: int = 60
    radius: float = 1.0
    gamma: float = 0.05
    stops_at_once = False

    def begin(self, start: Tensor) -> State:
        """A sphere of the first radius."""
        return {"radius": torch.full((len(start),), self.radius, device=start.device, dtype=start.dtype)}

    def step(self, at: Standing, state: State) -> Tensor:
        """A step whose length falls from 1 to 0.01 as half a cosine, then back onto the sphere."""
        share = (at.taken / self.steps).clamp(max=1)
        stride = 0.01 + (1 - 0.01) * (1 + torch.cos(torch.pi * share)) / 2
        moved = at.place - at.start - per_row(stride, at.place) * unit(at.gradient)
        state["radius"] *= torch.where(at.missing <= 0, 1 - self.gamma, 1 + self.gamma)
        return at.start + per_row(state["radius"], at.place) * unit(moved)


@dataclass(frozen=True)
class Newton:
    """Straight to where the judged number would reach its level if it were linear (DeepFool, Moosavi-Dezfooli 2016).

    For criteria whose loss is what is judged. `beyond`: so much further, as a share of what was missing at the start,
    and with every step as much again. A row that must pass several boundaries at once goes from one to the other and
    back, ever closer to where they meet; steps that end on a boundary would never take it inside.
    """

    beyond: float = 0.005
    stops_at_once = True

    def begin(self, start: Tensor) -> State:
        """What is missing at the start, not known yet."""
        return {"first": torch.zeros(len(start), device=start.device, dtype=start.dtype)}

    def step(self, at: Standing, state: State) -> Tensor:
        """Exact in one step, but for `beyond`, where the judged number is linear and the box leaves room."""
        state["first"] = torch.where(at.taken == 0, at.missing, state["first"])
        aim = at.missing + self.beyond * (at.taken + 1) * state["first"]
        stride = aim / length(at.gradient).square().clamp_min(1e-30)
        return at.place - per_row(stride, at.place) * at.gradient
