import numpy as np
import pytest
from sklearn.neighbors import NearestNeighbors

from engine.methods.error_discovery import neighbours
from engine.methods.error_discovery.neighbours import Neighbours

RANDOM = np.random.default_rng(0)
CODES = RANDOM.normal(size=(300, 6)).astype(np.float32)
LABELS = RANDOM.permutation(np.arange(300) % 3)
UNITS = np.array([f"u{row // 4}" for row in range(300)])
ASKED = RANDOM.normal(size=(50, 6)).astype(np.float32)
WANTED = RANDOM.integers(0, 3, 50)


def test_neighbours_are_those_that_scikit_learn_finds():
    far, rows = NearestNeighbors(n_neighbors=7).fit(CODES).kneighbors(ASKED)
    near = Neighbours(CODES, LABELS, 7)
    assert near.agreement(ASKED, WANTED) == pytest.approx((LABELS[rows] == WANTED[:, None]).mean(axis=1), abs=1e-6)
    assert near.distance(ASKED) == pytest.approx(far.mean(axis=1), rel=1e-4)


def test_a_rare_label_has_as_many_votes_as_a_frequent_one():
    labels = np.where(np.arange(300) < 30, 0, 1)
    _, rows = NearestNeighbors(n_neighbors=20).fit(CODES).kneighbors(ASKED)
    found = Neighbours(CODES, labels, 20).agreement(ASKED, np.zeros(50, int))
    rare = (labels[rows] == 0).sum(axis=1)
    assert 0 < rare.mean() < 10
    assert found == pytest.approx(rare / 30 / (rare / 30 + (20 - rare) / 270), abs=1e-6)


def test_images_of_the_own_unit_do_not_vote():
    own = UNITS[:50]
    near = Neighbours(CODES, LABELS, 7, UNITS)
    found = near.agreement(CODES[:50], LABELS[:50], own)
    for row in range(50):
        others = np.flatnonzero(own[row] != UNITS)
        order = others[np.argsort(np.linalg.norm(CODES[others] - CODES[row], axis=1))[:7]]
        assert found[row] == pytest.approx((LABELS[order] == LABELS[row]).mean(), abs=1e-6)


def test_a_unit_of_no_real_image_passes_nobody_over():
    near = Neighbours(CODES, LABELS, 7, UNITS)
    stranger = np.full(50, "zz")
    assert np.array_equal(near.agreement(ASKED, WANTED, stranger), near.agreement(ASKED, WANTED))


def test_copies_of_a_seed_cannot_vouch_for_it():
    codes = np.concatenate([np.zeros((10, 2)), np.ones((10, 2))]).astype(np.float32)
    labels, units = np.repeat([0, 1], 10), np.array(["seed"] * 10 + [f"u{row}" for row in range(10)])
    near = Neighbours(codes, labels, 5, units)
    assert near.agreement(codes[:1], np.array([0]), np.array(["seed"])) == 0
    assert near.agreement(codes[:1], np.array([0])) == 1


def test_images_without_a_label_are_no_neighbours():
    labels = np.where(np.arange(300) < 150, -1, LABELS)
    half = Neighbours(CODES[150:], LABELS[150:], 7)
    found = Neighbours(CODES, labels, 7).agreement(ASKED, WANTED)
    assert found == pytest.approx(half.agreement(ASKED, WANTED), abs=1e-6)
    with pytest.raises(ValueError, match="labelled images of train"):
        Neighbours(CODES, np.full(300, -1), 7)


@pytest.mark.parametrize("units", [None, UNITS])
def test_nineteen_of_twenty_real_images_lie_within_what_is_usual(units):
    near = Neighbours(CODES, LABELS, 7, units)
    own = np.arange(300) if units is None else units
    assert (near.distance(CODES, own) <= near.usual).mean() == pytest.approx(0.95, abs=0.005)
    assert near.distance(CODES[:1] + 50)[0] > near.usual


def test_portions_do_not_matter(monkeypatch):
    whole = Neighbours(CODES, LABELS, 7, UNITS).judged(ASKED, WANTED)
    monkeypatch.setattr(neighbours, "CHUNK", 13)
    parts = Neighbours(CODES, LABELS, 7, UNITS).judged(ASKED, WANTED)
    assert parts[0] == pytest.approx(whole[0])
    assert parts[1] == pytest.approx(whole[1], rel=1e-5)


def test_fewer_images_than_neighbours_are_all_neighbours():
    near = Neighbours(CODES[:3], np.array([0, 1, 2]), 10)
    assert near.agreement(ASKED[:1], np.array([0])) == pytest.approx(1 / 3)
