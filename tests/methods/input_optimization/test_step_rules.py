from __future__ import annotations

import math

import pytest
import torch
from torch import nn

from engine.methods.input_optimization.criteria import Criterion
from engine.methods.input_optimization.step_rules import Adam, Minimal, Momentum, Newton, Standing, length, unit
from tests.methods.input_optimization.small import optimised

ROWS, VALUES = 7, 5
STEPS = 25


class Bowls:
    """One bowl a row, steeper for some rows than for others, so that they need different numbers of steps."""

    def __init__(self) -> None:
        draws = torch.Generator().manual_seed(3)
        self.steepness = 10 ** torch.empty(ROWS, VALUES, dtype=torch.float64).uniform_(-1, 1, generator=draws)
        self.bottom = torch.empty(ROWS, VALUES, dtype=torch.float64).uniform_(0.35, 0.65, generator=draws)
        self.starts = torch.full((ROWS, VALUES), 0.5, dtype=torch.float64)
        self.level = self.height(self.starts, torch.arange(ROWS)) * torch.logspace(-0.3, -4, ROWS)
        self.visited: list[list[list[float]]] = [[] for _ in range(ROWS)]

    def height(self, places, rows):
        return (self.steepness[rows] * (places - self.bottom[rows]).square()).sum(dim=1)

    def criterion(self) -> Criterion:
        """Writes down where each row is when the optimiser asks."""

        def loss(places, rows):
            if places.requires_grad:
                for place, row in zip(places.detach(), rows.tolist(), strict=True):
                    self.visited[row].append(place.tolist())
            return self.height(places, rows)

        return Criterion("low", loss, lambda places, rows: self.height(places, rows) - self.level[rows], 0.0)

    def slope(self, row, place):
        both = zip(self.steepness[row].tolist(), place, self.bottom[row].tolist(), strict=True)
        return [2 * steep * (x - bottom) for steep, x, bottom in both]

    def missing(self, row, place):
        both = zip(self.steepness[row].tolist(), place, self.bottom[row].tolist(), strict=True)
        return sum(steep * (x - bottom) ** 2 for steep, x, bottom in both) - self.level[row].item()


def norm(numbers):
    return math.sqrt(sum(x * x for x in numbers))


def momentum_by_hand(bowls, row):
    place, speed, size = [0.5] * VALUES, [0.0] * VALUES, 0.002 * math.sqrt(VALUES)
    yield place
    for _ in range(STEPS):
        slope = bowls.slope(row, place)
        speed = [0.9 * v + g / norm(slope) for v, g in zip(speed, slope, strict=True)]
        place = [x - size * v for x, v in zip(place, speed, strict=True)]
        yield place


def adam_by_torch(bowls, row):
    place = nn.Parameter(torch.full((VALUES,), 0.5, dtype=torch.float64))
    adam = torch.optim.Adam([place], lr=0.003)
    yield place.tolist()
    for _ in range(STEPS):
        place.grad = place.new_tensor(bowls.slope(row, place.tolist()))
        adam.step()
        yield place.tolist()


def newton_by_hand(bowls, row):
    place = [0.5] * VALUES
    first = bowls.missing(row, place)
    yield place
    for step in range(STEPS):
        slope = bowls.slope(row, place)
        far = (bowls.missing(row, place) + 0.005 * (step + 1) * first) / norm(slope) ** 2
        place = [x - far * g for x, g in zip(place, slope, strict=True)]
        yield place


def decoupled_direction_and_norm_by_the_paper(bowls, row):
    """Rony et al. 2019, algorithm 1, with the cosine schedule of their code; delta is the change so far."""
    delta, radius = [0.0] * VALUES, 0.1  # small: at the border of the box ours leaves out what would only push outwards
    yield [0.5] * VALUES
    for step in range(STEPS):
        place = [0.5 + d for d in delta]
        passes = bowls.missing(row, place) <= 0
        stride = 0.01 + (1 - 0.01) * (1 + math.cos(math.pi * step / STEPS)) / 2
        slope = bowls.slope(row, place)
        delta = [d - stride * g / norm(slope) for d, g in zip(delta, slope, strict=True)]
        radius *= 1 - 0.05 if passes else 1 + 0.05
        delta = [radius * d / norm(delta) for d in delta]
        delta = [min(max(0.5 + d, 0), 1) - 0.5 for d in delta]
        yield [0.5 + d for d in delta]


CASES = [
    (Momentum(), momentum_by_hand),
    (Adam(), adam_by_torch),
    (Newton(), newton_by_hand),
    (Minimal(STEPS, radius=0.1), decoupled_direction_and_norm_by_the_paper),
]


@pytest.mark.parametrize(("rule", "by_hand"), CASES, ids=lambda each: type(each).__name__)
@pytest.mark.parametrize("batch_size", [1, 3, 256])
def test_each_row_goes_the_way_of_a_plain_loop_while_others_come_and_go(rule, by_hand, batch_size):
    bowls = Bowls()
    done = optimised(nn.Identity(), bowls.starts, torch.arange(ROWS), bowls.criterion(), rule, STEPS, batch_size)
    lengths = set()
    for row in range(ROWS):
        expected = list(by_hand(bowls, row))
        if rule.stops_at_once:
            passing = [bowls.missing(row, place) <= 0 for place in expected]
            expected = expected[: passing.index(True) + 1] if any(passing) else expected
        torch.testing.assert_close(torch.tensor(bowls.visited[row]), torch.tensor(expected), rtol=0, atol=5e-5)
        assert int(done.steps[row]) == len(expected) - 1
        lengths.add(len(expected))
    assert not rule.stops_at_once or len(lengths) > 2  # else nobody came and went


def test_a_row_is_scaled_to_length_one_however_small_it_is():
    rows = torch.tensor([[3.0, 4.0], [3e-30, 4e-30], [3e30, 4e30], [0.0, 0.0]])
    expected = torch.tensor([[0.6, 0.8]] * 3 + [[0.0, 0.0]])
    torch.testing.assert_close(unit(rows), expected)
    torch.testing.assert_close(length(rows[:1]), torch.tensor([5.0]))


@pytest.mark.parametrize("rule", [Momentum(), Adam(), Minimal(9), Newton()], ids=lambda rule: type(rule).__name__)
def test_a_row_without_a_gradient_stays_and_one_with_nan_does_not_touch_others(rule):
    start = torch.full((3, 4), 0.5)
    gradient = torch.tensor([[0.0] * 4, [math.nan] * 4, [1.0, 2.0, 0.0, -1.0]])
    at = Standing(start, start, gradient, torch.ones(3), torch.zeros(3, dtype=torch.long))
    moved = rule.step(at, rule.begin(start))
    assert moved[0].tolist() == [0.5] * 4
    assert torch.isfinite(moved[2]).all()
    assert not torch.equal(moved[2], start[2])


def test_the_length_of_a_gradient_plays_no_part_for_momentum_and_the_paper_s_sphere():
    """Confident rows, whose gradients are tiny, move as far as others."""
    start, gradient = torch.full((1, 4), 0.5), torch.tensor([[1.0, -2.0, 0.5, 0.0]])
    for rule in (Momentum(), Minimal(9)):
        places = []
        for factor in (1.0, 1e-25, 1e6):
            at = Standing(start, start, factor * gradient, torch.ones(1), torch.zeros(1, dtype=torch.long))
            places.append(rule.step(at, rule.begin(start)))
        torch.testing.assert_close(places[1], places[0])
        torch.testing.assert_close(places[2], places[0])


def test_a_first_step_has_the_size_it_says():
    start = torch.full((1, 100), 0.5)
    gradient = torch.randn(1, 100, generator=torch.Generator().manual_seed(0))
    at = Standing(start, start, gradient, torch.ones(1), torch.zeros(1, dtype=torch.long))
    moved = Momentum(0.01).step(at, Momentum().begin(start)) - start
    assert moved.square().mean().sqrt().item() == pytest.approx(0.01, rel=1e-4)
    moved = Adam(0.01).step(at, Adam().begin(start)) - start
    torch.testing.assert_close(moved, -0.01 * gradient.sign(), rtol=1e-3, atol=0)
    moved = Minimal(10, radius=2.0).step(at, Minimal(10, radius=2.0).begin(start)) - start
    assert length(moved).item() == pytest.approx(2.1, rel=1e-5)  # the sphere grows where a row doesn't pass
