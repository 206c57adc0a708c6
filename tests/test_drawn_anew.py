import pytest

from engine import drawn_anew
from engine.loading import demos
from engine.workbench import Workbench


@pytest.fixture
def trainings(monkeypatch):
    seeds = []
    drawn_anew.demo_classifier.cache_clear()
    monkeypatch.setattr(demos, "train_demo", lambda name, seed, progress: seeds.append((name, seed)) or object())
    yield seeds
    drawn_anew.demo_classifier.cache_clear()


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
