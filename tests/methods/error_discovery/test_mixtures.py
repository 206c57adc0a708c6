import numpy as np
from sklearn.metrics import adjusted_rand_score

from engine.methods.error_discovery.mixtures import by_density, by_mixture
from tests.methods.error_discovery.made_errors import made_errors, truth

PLANTED = [(0, 1, -2.0), (0, 1, 0.0), (0, 1, 2.0)]


def test_the_mixture_finds_planted_clusters_and_no_more():
    for full, dimensions in ((False, 16), (False, 8), (True, 2)):
        found = by_mixture(made_errors(PLANTED, dimensions=dimensions).codes, 8, full, 0.0, seed=0)
        assert adjusted_rand_score(truth(PLANTED), found.group) > 0.95
        assert found.alive == 3
        assert found.converged


def test_density_finds_planted_clusters_and_leaves_out_what_is_in_none():
    codes = made_errors(PLANTED).codes
    stray = np.concatenate([codes, np.full((1, 8), 40.0)])
    found = by_density(stray, 8)
    inside = found.group[:-1] >= 0
    assert found.group[-1] == -1
    assert inside.mean() > 0.5
    assert adjusted_rand_score(truth(PLANTED)[inside], found.group[:-1][inside]) > 0.95
    assert found.alive == found.components == 3


def test_one_dense_place_is_one_group():
    found = by_density(made_errors([(0, 1, 0.0)]).codes, 8)
    assert found.alive == 1


def test_codes_that_are_all_the_same_are_one_group():
    found = by_mixture(np.ones((30, 4)), 8, False, 0.0, seed=0)
    assert found.alive == found.components == 1
    assert (by_mixture(np.ones((1, 4)), 8, False, 0.0, seed=0).group == 0).all()


def test_what_has_not_settled_is_told(monkeypatch):
    monkeypatch.setattr("engine.methods.error_discovery.mixtures.ROUNDS", 1)
    assert not by_mixture(made_errors(PLANTED).codes, 8, False, 0.0, seed=0).converged
