import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from scipy.spatial import distance

from engine.methods.input_selection.metrics import scores
from engine.methods.input_selection.settings import METRICS

PAIRS = {
    "dot": lambda a, b: -np.dot(a, b),
    "cosine": distance.cosine,
    "manhattan": distance.cityblock,
    "euclidean": distance.euclidean,
    "minkowski": lambda a, b: distance.minkowski(a, b, 3),
    "chebyshev": distance.chebyshev,
    "wasserstein": stats.wasserstein_distance,
    "canberra": distance.canberra,
    "bray_curtis": distance.braycurtis,
}


def drawn(n, features, seed=0, signed=False):
    values = np.random.default_rng(seed).random((n, features), dtype=np.float32)
    return values - np.float32(0.5) if signed else values


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize("signed", [False, True])
def test_every_metric_equals_scipys_pair_by_pair(metric, signed):
    candidates, maps = drawn(30, 784, 0, signed), drawn(4, 784, 1, signed).astype(np.float64)
    found = scores(candidates, maps, metric, wasserstein="histogram")
    assert found.shape == (30, 4)
    pair = PAIRS[metric]
    expected = [[pair(own.astype(np.float64), other) for other in maps] for own in candidates]
    np.testing.assert_allclose(found, expected, atol=1e-6, rtol=1e-9)


@pytest.mark.parametrize("power", [1, 1.5, 2, 4, 7, 12])
def test_any_power_equals_scipys(power):
    candidates, maps = drawn(20, 50), drawn(3, 50, 1)
    expected = distance.cdist(candidates, maps, "minkowski", p=power)
    np.testing.assert_allclose(scores(candidates, maps, "minkowski", power), expected, atol=1e-9)


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 10_000), metric=st.sampled_from([m for m in METRICS if m != "dot"]), signed=st.booleans())
def test_nothing_is_nearer_to_a_map_than_itself(seed, metric, signed):
    candidates = drawn(12, 18, seed, signed)
    for kind in ("sliced", "marginal", "histogram") if metric == "wasserstein" else ("sliced",):
        found = scores(candidates, candidates, metric, wasserstein=kind, shape=(2, 3, 3))
        np.testing.assert_allclose(np.diag(found), 0, atol=1e-9)
        assert (found > -1e-9).all()


@pytest.mark.parametrize("metric", METRICS)
def test_zeros_give_numbers(metric):
    candidates = np.vstack([np.zeros(16), np.ones(16)])
    found = scores(candidates, np.zeros((1, 16)), metric, shape=(1, 4, 4))
    assert not np.isnan(found).any()
    if metric not in ("dot", "cosine", "wasserstein"):
        assert found[0, 0] == 0 < found[1, 0]
    if metric == "cosine":
        assert found[0, 0] == 1


@pytest.mark.parametrize("metric", METRICS)
def test_the_rows_of_one_call_are_those_of_many(metric):
    candidates, maps = drawn(301, 784), drawn(2, 784, 1)
    whole = scores(candidates, maps, metric, shape=(1, 28, 28))
    one = np.vstack([scores(candidates[row : row + 1], maps, metric, shape=(1, 28, 28)) for row in (0, 150, 300)])
    np.testing.assert_allclose(whole[[0, 150, 300]], one, rtol=1e-12)


def test_what_can_not_be_is_said():
    with pytest.raises(ValueError, match="candidates have 3 features and maps 4"):
        scores(np.ones((1, 3)), np.ones((1, 4)), "dot")
    with pytest.raises(ValueError, match="metric must be one of"):
        scores(np.ones((1, 3)), np.ones((1, 3)), "hamming")
