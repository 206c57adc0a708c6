from dataclasses import replace

import numpy as np
import pytest
from sklearn.metrics import adjusted_rand_score

from engine.methods.error_discovery.distillation import distilled
from engine.methods.error_discovery.gaussians import fitted
from engine.methods.error_discovery.settings import MIXTURES, DistillationSettings
from engine.runs.progress import Progress
from tests.methods.error_discovery.made_errors import made_errors, truth

# two places of 0 taken for 1, and one place shared by two predictions
PLANTED = [(0, 1, -2.0), (0, 1, 2.0), (1, 0, 0.0), (1, 2, 0.0)]


def regions_of(errors, **changed):
    return distilled(errors, DistillationSettings(**changed), Progress())


@pytest.mark.parametrize(("method", "placed"), [("mixture", 0.95), ("hdbscan", 0.5)])
def test_planted_clusters_are_the_regions(method, placed):
    errors = made_errors(PLANTED)
    found = regions_of(errors, method=method)
    inside = found.member >= 0
    assert inside.mean() > placed
    assert adjusted_rand_score(truth(PLANTED)[inside], found.member[inside]) > 0.9
    assert found.alive.all()
    for region in range(len(found.label)):
        own = found.member == region
        assert set(errors.labels[own]) == {found.label[region]}
        assert set(errors.predictions[own]) == {found.prediction[region]}
        assert found.size[region] == own.sum()
        assert found.units[region] == len(set(errors.units[own]))
        mean, covariance = fitted(errors.codes[own], full=False)
        assert np.array_equal(found.mean[region], mean)
        assert np.array_equal(found.covariance[region], covariance)
    assert found.weight == pytest.approx(found.size / 240)
    assert (np.diff(found.size) <= 0).all()
    assert [(each.label, each.prediction, each.errors) for each in found.strata] == [
        (0, 1, 120),
        (1, 0, 60),
        (1, 2, 60),
    ]


@pytest.mark.parametrize("method", MIXTURES)
def test_the_same_seed_gives_the_same_regions_and_the_global_randomness_stays(method):
    errors = made_errors(PLANTED)
    np.random.seed(0)  # noqa: NPY002
    state = np.random.get_state()[1].copy()  # noqa: NPY002
    first, second = regions_of(errors, method=method, seed=3), regions_of(errors, method=method, seed=3)
    assert np.array_equal(first.member, second.member)
    assert np.array_equal(first.covariance, second.covariance)
    assert np.array_equal(np.random.get_state()[1], state)  # noqa: NPY002


def test_what_is_aside_is_in_no_region_and_changes_none():
    errors = made_errors(PLANTED)
    aside = np.arange(240) % 2 == 0
    kept = replace(errors, aside=aside)
    found = regions_of(kept)
    assert (found.member[aside] == -1).all()
    moved = replace(kept, codes=np.where(aside[:, None], errors.codes + 9, errors.codes))
    again = regions_of(moved)
    assert np.array_equal(found.member, again.member)
    assert np.array_equal(found.mean, again.mean)


def test_small_groups_and_those_around_one_image_are_no_region():
    assert len(regions_of(made_errors([(0, 1, 0.0)], each=7)).label) == 0
    assert len(regions_of(made_errors([(0, 1, 0.0)], each=8)).label) == 1
    one_unit = made_errors([(0, 1, 0.0)], each=20, a_unit=20)
    found = regions_of(one_unit)
    assert len(found.label) == 0
    assert (found.member == -1).all()
    assert found.notes == ("No region: none of the groups of 20 errors has 8 or more around two or more images.",)


def test_no_error_is_no_region():
    for method in MIXTURES:
        found = regions_of(made_errors([]), method=method)
        assert found.mean.shape == (0, 8)
        assert found.covariance.shape == (0, 8, 8)
        assert found.notes == ("No region, for there is no error to group.",)


def test_a_region_found_by_a_full_mixture_has_a_full_covariance():
    codes = np.random.default_rng(0).standard_normal((60, 2)) @ np.array([[1.0, 0.9], [0, 0.4]])
    errors = made_errors([(0, 1, 0.0)], dimensions=2, codes=codes.astype(np.float32))
    assert regions_of(errors, full=True, components=1).covariance[0, 0, 1] > 0.5
    assert regions_of(errors, components=1).covariance[0, 0, 1] == 0


def test_the_published_mixture_looks_at_no_label_and_keeps_what_weighs_enough():
    planted = [(0, 1, 0.0), (1, 2, 0.0), (2, 0, 5.0)]
    errors = made_errors(planted, each=400, dimensions=2)
    found = regions_of(errors, method="published")
    mixed = [len(set(errors.labels[found.member == region])) for region in range(len(found.label))]
    assert max(mixed) == 2
    assert [each.label for each in found.strata] == [-1]
    assert found.strata[0].components == 100
    far = np.flatnonzero(found.mean[:, 0] > 2.5)
    assert len(far)
    assert set(found.label[far]) == {2}
    assert set(found.prediction[far]) == {0}
    assert found.size.min() > 1


def test_mixtures_that_have_not_settled_are_told(monkeypatch):
    monkeypatch.setattr("engine.methods.error_discovery.mixtures.ROUNDS", 1)
    found = regions_of(made_errors(PLANTED))
    assert found.notes[0].endswith("had not settled; their groups may be ragged.")
    assert not all(each.converged for each in found.strata)
