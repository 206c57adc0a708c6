from __future__ import annotations

import numpy as np
import pytest
import torch

from engine import built_in
from engine.loading import demos
from engine.loading.demos import panel
from engine.loading.demos.scans import scans
from engine.runs.progress import Progress
from engine.workbench import Workbench


@pytest.fixture
def bench(home) -> Workbench:
    return Workbench(home)


def test_the_example_of_seed_0_is_the_shipped_one(bench):
    own = bench.demo_subject("digits", 0, Progress())
    assert own.fingerprint == bench.subject(bench.open_demo("digits")).fingerprint


def test_another_seed_is_trained_once_and_kept_and_the_copies_share_no_network(bench, monkeypatch):
    seeds = []

    def train_demo(name, seed, progress):
        seeds.append(seed)
        return demos.open_demo(name)[0]

    monkeypatch.setattr(demos, "train_demo", train_demo)
    first, second = (bench.demo_subject("digits", 7, Progress()) for _ in range(2))
    assert seeds == [7]
    assert first.fingerprint == second.fingerprint
    assert first.images.fingerprint == demos.make_demo("digits", 7).with_classes(first.blueprint.classes).fingerprint
    assert first.classifier is not first.afresh().classifier
    weights = [torch.cat([each.flatten() for each in one.classifier.parameters()]) for one in (first, second)]
    assert torch.equal(*weights)
    assert not torch.equal(weights[0], torch.cat([w.flatten() for w in first.from_scratch(1).parameters()]))


def test_the_oracle_is_trained_once_and_kept(bench, monkeypatch):
    made = []

    def make_panel(progress):
        made.append(1)
        return [panel.untrained(number) for number in range(len(panel.NETS))]

    monkeypatch.setattr(panel, "make_panel", make_panel)
    first, second = (bench.demo_panel("digits", Progress()) for _ in range(2))
    assert made == [1]
    assert first.fingerprint == second.fingerprint
    assert [each.blueprint.channels for each in first.classifiers] == list(panel.CHANNELS)
    with pytest.raises(ValueError, match="backgrounds has no oracle of its own"):
        bench.demo_panel("backgrounds", Progress())


def test_the_drawings_that_the_oracle_learns_from_show_every_scan_with_its_own_digit():
    images, labels = panel.drawings(1)
    assert images.shape == (1797, 3, 32, 32)
    assert np.bincount(labels, minlength=10).tolist() == np.bincount(scans()[1]).tolist()


def test_what_is_done_to_the_drawings_leaves_them_images_and_depends_on_the_generator_alone():
    images = torch.rand(6, 3, 32, 32, generator=torch.Generator().manual_seed(0))
    first, again, other = (panel.roughened(images, torch.Generator().manual_seed(number)) for number in (1, 1, 2))
    assert torch.equal(first, again)
    assert not torch.equal(first, other)
    assert 0 <= first.min() <= first.max() <= 1
    flat = torch.full((1, 1, 9, 9), 0.5)
    torch.testing.assert_close(panel.blurred(flat, 1.0), flat)
    point = torch.zeros(1, 1, 9, 9)
    point[..., 4, 4] = 1
    soft = panel.blurred(point, 1.0)
    assert soft.sum() == pytest.approx(1, rel=1e-4)
    assert soft[0, 0, 4, 5] / soft[0, 0, 4, 4] == pytest.approx(np.exp(-0.5), rel=1e-4)


@pytest.fixture
def trainings(monkeypatch):
    seeds = []
    built_in.demo_classifier.cache_clear()
    monkeypatch.setattr(demos, "train_demo", lambda name, seed, progress: seeds.append((name, seed)) or object())
    yield seeds
    built_in.demo_classifier.cache_clear()


def test_asking_draws_and_trains_nothing_until_it_is_called_and_once_for_all_arms(trainings):
    first, again, other = (Workbench.demo_anew("digits", seed) for seed in (1, 1, 2))
    assert trainings == []
    assert [first[name].fingerprint for name in first] == [again[name].fingerprint for name in again]
    assert {first[name].fingerprint for name in first}.isdisjoint(other[name].fingerprint for name in other)
    assert first["classifier"].value() is again["classifier"].value()
    assert trainings == [("digits", 1)]


def test_the_images_are_those_of_the_seed(trainings):
    images = Workbench.demo_anew("digits", 3)["images"].value()
    assert images.fingerprint == demos.make_demo("digits", 3).fingerprint
    assert Workbench.demo_anew("digits", 3)["images"].fingerprint == Workbench.demo_images("digits", 3).fingerprint
