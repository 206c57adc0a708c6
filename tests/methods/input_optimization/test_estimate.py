from __future__ import annotations

import time
from dataclasses import replace

import numpy as np
import pytest
from torch import nn

from engine.methods.input_optimization import OPTIMISATION, SWEEP, estimate
from engine.methods.input_optimization.settings import OptimisationSettings, SweepSettings, alone, published, together
from engine.runs.progress import Progress
from engine.subject.classifier import Classifier
from engine.subject.subject import Subject, joined
from tests.conftest import BLUE, GREEN, RED, RedGreenBlue, colour_images, rgb_blueprint

PACE = 0.01


class Slow(nn.Module):
    """10 ms an image, and a fifth of a second more the first time."""

    def __init__(self) -> None:
        super().__init__()
        self.inner, self.first = RedGreenBlue(), True

    def forward(self, images):
        time.sleep(PACE * len(images) + (0.2 if self.first else 0))
        self.first = False
        return self.inner(images)


class Blind(RedGreenBlue):
    """No gradient comes through."""

    def forward(self, images):
        return super().forward(images.detach())


def subject(network: nn.Module, count: int = 60) -> Subject:
    images = colour_images(([RED, GREEN, BLUE] * count)[:count], ([0, 1, 2] * count)[:count])
    return joined(rgb_blueprint(), images, lambda blueprint: Classifier(network, blueprint))


SETTINGS = SweepSettings((alone("hue", 4), alone("gaussian_blur", 4)), images=50)


def test_the_counts_are_those_of_the_sweep():
    thing = subject(RedGreenBlue())
    swept = SWEEP.run(thing, SETTINGS, {}, Progress())
    assert estimate.count_of_sweep(thing.images, SETTINGS, None) == (50, 12, swept.evaluations)
    assert estimate.count_of_sweep(thing.images, SETTINGS, thing.images.ids[:7].tolist()) == (7, 12, 7 * 13)
    both = replace(SETTINGS, grids=(together(("hue", "gaussian_blur"), 4), published(32)))
    assert estimate.count_of_sweep(thing.images, both, None)[1] == 9 * 5 - 1 + 449


def test_nothing_to_sweep_is_said():
    with pytest.raises(ValueError, match="no labelled image with the role 'pool'"):
        estimate.count_of_sweep(subject(RedGreenBlue()).images, replace(SETTINGS, role="pool"), None)


def test_a_sweep_takes_the_pace_of_warm_batches_times_what_is_asked():
    begin = time.perf_counter()
    seconds = estimate.seconds_of_sweep(subject(Slow()), SETTINGS, None)
    assert time.perf_counter() - begin < 3
    assert 1 < seconds / (50 * 13 * PACE) < 2.5


def test_transforms_count_too(monkeypatch):
    def slow(views, rows, families, severities):
        time.sleep(PACE * len(rows))
        return original(views, rows, families, severities)

    original = estimate.Views.transformed
    monkeypatch.setattr(estimate.Views, "transformed", slow)
    seconds = estimate.seconds_of_sweep(subject(RedGreenBlue()), SETTINGS, None)
    assert 1 < seconds / (50 * 12 * PACE) < 2.5


def test_a_single_image_can_be_estimated():
    assert 0 < estimate.seconds_of_sweep(subject(RedGreenBlue(), count=1), SETTINGS, None) < 10


@pytest.mark.parametrize("rule", ["momentum", "paper"])
@pytest.mark.parametrize("success", ["loss", "margin"])
def test_the_pairs_that_need_it_are_those_that_are_moved(rule, success, monkeypatch):
    monkeypatch.setattr("engine.methods.input_optimization.paper.MOST_STEPS", 5)
    thing = subject(RedGreenBlue())
    swept = SWEEP.run(thing, replace(SETTINGS, grids=(alone("hue", 1),)), {}, Progress())
    settings = OptimisationSettings(images=2, step_rule=rule, success=success, most_steps=5)
    moved = OPTIMISATION.run(thing, settings, {"sweep": swept}, Progress()).change
    assert estimate.pairs_to_move(swept, settings) == len(moved) > 0


def test_bringing_back_takes_the_pace_of_a_step_times_a_typical_number_of_them():
    swept = SWEEP.run(subject(RedGreenBlue()), SETTINGS, {}, Progress())
    settings = OptimisationSettings(grids=(0,), images=10)
    expected = estimate.pairs_to_move(swept, settings) * estimate.EVALUATIONS["momentum"] * PACE
    assert 1 < estimate.seconds_of_optimisation(subject(Slow()), swept, settings) / expected < 2.5
    budget = replace(settings, step_rule="minimal", most_steps=estimate.EVALUATIONS["momentum"])
    assert 1 < estimate.seconds_of_optimisation(subject(Slow()), swept, budget) / expected < 2.5


def test_where_all_pass_nothing_has_to_be_brought_back():
    thing = subject(RedGreenBlue())
    swept = SWEEP.run(thing, SETTINGS, {}, Progress())
    assert estimate.seconds_of_optimisation(thing, swept, OptimisationSettings(grids=(1,), loss_level=20.0)) == 0


def test_a_network_without_gradients_can_not_be_estimated():
    thing = subject(Blind())
    swept = SWEEP.run(thing, SETTINGS, {}, Progress())
    assert np.isfinite(estimate.seconds_of_sweep(thing, SETTINGS, None))
    with pytest.raises(ValueError, match="lets no gradient through"):
        estimate.seconds_of_optimisation(thing, swept, OptimisationSettings(grids=(0,)))
