from __future__ import annotations

import warnings

import numpy as np
import pytest
from sklearn.manifold import trustworthiness

from engine.toolkit.projection import COMPONENTS, FEW_POINTS, METHODS, principal, projected


def two_groups(each: int = 25, values: int = 12) -> np.ndarray:
    """(2 * each, values), two clouds far apart."""
    draws = np.random.default_rng(0)
    return np.concatenate([draws.normal(middle, 1, (each, values)) for middle in (0, 8)])


def separation(places: np.ndarray) -> float:
    """How far the middles of the two halves lie apart, in widths of a half."""
    first, second = np.split(places, 2)
    width = max(first.std(axis=0).max(), second.std(axis=0).max())
    return float(np.linalg.norm(first.mean(axis=0) - second.mean(axis=0)) / width)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.filterwarnings("ignore::UserWarning")
def test_two_groups_stay_two_groups_and_the_same_seed_gives_the_same_places(method):
    vectors = two_groups()
    found = projected(vectors, method, seed=1)
    assert (found.method, found.place.shape, found.place.dtype) == (method, (50, 2), np.float32)
    assert separation(found.place) > 3
    assert 0.6 < found.trustworthiness <= 1
    assert found.trustworthiness == pytest.approx(trustworthiness(vectors, found.place, n_neighbors=5))
    np.testing.assert_array_equal(projected(vectors, method, seed=1).place, found.place)


def test_principal_components_are_those_of_a_decomposition_by_hand():
    vectors = np.random.default_rng(0).normal(size=(20, 6)) * [5, 3, 1, 1, 1, 1]
    centred = vectors - vectors.mean(axis=0)
    left, sizes, _ = np.linalg.svd(centred, full_matrices=False)
    found = principal(vectors, 4)
    assert found.shape == (20, 4)
    np.testing.assert_allclose(np.abs(found), np.abs(left * sizes)[:, :4], atol=1e-9)
    assert principal(np.random.default_rng(0).normal(size=(60, 80)), COMPONENTS).shape == (60, 50)


def test_what_is_flat_already_is_drawn_as_it_is_and_trusted():
    turn = np.linalg.qr(np.random.default_rng(0).normal(size=(9, 9))).Q[:2]
    flat = np.random.default_rng(1).uniform(-1, 1, (40, 2)) * [3, 1]
    found = projected(flat @ turn, "pca")
    assert found.trustworthiness > 0.999
    apart = np.linalg.norm(flat[:, None] - flat[None], axis=2)
    np.testing.assert_allclose(np.linalg.norm(found.place[:, None] - found.place[None], axis=2), apart, atol=1e-5)


@pytest.mark.parametrize("method", METHODS)
def test_few_points_are_drawn_by_principal_components(method):
    vectors = two_groups(FEW_POINTS // 2)[:-1]
    found = projected(vectors, method)
    assert found.method == "pca"
    np.testing.assert_array_equal(found.place, projected(vectors, "pca").place)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("count", [1, 2, 40])
def test_points_that_are_all_alike_lie_in_one_place(method, count):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = projected(np.full((count, 4), 0.1), method)
    assert found.method == "pca"
    assert found.place.tolist() == [[0.0, 0.0]] * count


def test_one_measure_alone_makes_a_line():
    found = projected(np.arange(12.0)[:, None], "pca")
    np.testing.assert_allclose(np.abs(np.diff(found.place[:, 0])), 1, rtol=1e-5)
    assert (found.place[:, 1] == 0).all()


def test_with_too_few_points_nothing_is_said_of_trust():
    assert np.isnan(projected(two_groups(5), "pca").trustworthiness)
    assert not np.isnan(projected(two_groups(6), "pca").trustworthiness)


def test_an_unknown_method_is_refused_with_those_there_are():
    with pytest.raises(ValueError, match="method must be one of pca, tsne, umap, got 'mds'"):
        projected(two_groups(), "mds")
