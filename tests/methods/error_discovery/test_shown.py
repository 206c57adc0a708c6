import numpy as np

from engine.methods.error_discovery.gaussians import distance
from engine.methods.error_discovery.shown import shown_draws, shown_errors
from tests.methods.error_discovery.made_discovery import made_discovery

FOUND = made_discovery()


def test_the_first_draws_that_count_are_shown():
    assert shown_draws(FOUND.tests, 1).tolist() == [place for place in range(20) if place % 5]
    assert shown_draws(FOUND.tests, 1, 3).tolist() == [1, 2, 3]


def test_the_errors_nearest_to_the_middle_of_their_region_are_shown():
    rows = shown_errors(FOUND.regions, FOUND.errors, 2, 5)
    assert (FOUND.regions.member[rows] == 2).all()
    own = np.flatnonzero(FOUND.regions.member == 2)
    far = distance(FOUND.errors.codes[own], FOUND.regions.mean[2], FOUND.regions.covariance[2])
    assert rows.tolist() == own[np.argsort(far)[:5]].tolist()
