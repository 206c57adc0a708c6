import numpy as np
import pytest
from scipy import stats
from scipy.optimize import linprog
from sklearn.datasets import load_digits

from engine.methods.input_selection.wasserstein import ANGLES, mass, projected, transport


def blob(row, column, side=8):
    image = np.zeros((side, side))
    image[row, column] = 1
    return image.reshape(1, -1)


def exact_by_every_pair(own, other, side):
    """The transport problem as it stands in a textbook: a flow from each cell to each, city-block costs."""
    places = np.indices((side, side)).reshape(2, -1).T
    cost = np.abs(places[:, None] - places[None]).sum(axis=2)
    cells = side * side
    leaves = np.kron(np.eye(cells), np.ones(cells))
    arrives = np.kron(np.ones(cells), np.eye(cells))
    limits = np.concatenate([own, other])[:-1]
    return linprog(cost.ravel(), A_eq=np.vstack([leaves, arrives])[:-1], b_eq=limits, method="highs").fun


def test_a_point_moves_as_far_as_it_must():
    one, three_right = blob(2, 2), blob(2, 5)
    shape = (1, 8, 8)
    assert transport(one, three_right, "exact", shape)[0, 0] == pytest.approx(3)
    assert transport(one, three_right, "marginal", shape)[0, 0] == pytest.approx(3)
    angles = np.arange(ANGLES) * np.pi / ANGLES
    assert transport(one, three_right, "sliced", shape)[0, 0] == pytest.approx(3 * np.abs(np.cos(angles)).mean())
    assert transport(one, three_right, "histogram", shape)[0, 0] == 0  # blind to places


def test_exact_is_the_textbooks():
    random = np.random.default_rng(0)
    own, other = random.random((2, 3, 16))
    own, other = mass(own, (1, 4, 4)), mass(other, (1, 4, 4))
    found = transport(own.reshape(3, 16), other.reshape(3, 16), "exact", (1, 4, 4))
    expected = [[exact_by_every_pair(one.ravel(), two.ravel(), 4) for two in other] for one in own]
    np.testing.assert_allclose(found, expected, atol=1e-9)


@pytest.mark.parametrize(("height", "width"), [(5, 8), (8, 5), (1, 6)])
def test_the_marginal_distance_is_that_of_rows_and_columns(height, width):
    random = np.random.default_rng(1)
    own, other = random.random((2, 3, height * width))
    found = transport(own, other, "marginal", (1, height, width))
    for row, one in enumerate(own):
        for column, two in enumerate(other):
            a, b = one.reshape(height, width), two.reshape(height, width)
            expected = sum(
                stats.wasserstein_distance(np.arange(n), np.arange(n), a.sum(axis), b.sum(axis))
                for axis, n in ((0, width), (1, height))
            )
            assert found[row, column] == pytest.approx(expected)


def test_the_sliced_distance_is_close_to_that_of_the_projected_points():
    random = np.random.default_rng(2)
    images = load_digits().images[random.choice(1797, 12, replace=False)].reshape(12, -1)
    own, other = images[:6], images[6:]
    found = transport(own, other, "sliced", (1, 8, 8))
    down, right = np.indices((8, 8)).reshape(2, -1)
    lines = [np.cos(t) * right + np.sin(t) * down for t in np.arange(ANGLES) * np.pi / ANGLES]
    expected = [
        [np.mean([stats.wasserstein_distance(line, line, one, two) for line in lines]) for two in other] for one in own
    ]
    np.testing.assert_allclose(found, expected, rtol=0.04, atol=0.01)


def test_sliced_ranks_as_exact_does():
    digits = load_digits()
    images = digits.images[:101].reshape(101, -1)
    own, other = images[:100], images[100:]
    exact = transport(own, other, "exact", (1, 8, 8))[:, 0]
    sliced = transport(own, other, "sliced", (1, 8, 8))[:, 0]
    values = transport(own, other, "histogram", (1, 8, 8))[:, 0]
    assert stats.spearmanr(exact, sliced).statistic >= 0.95
    assert stats.spearmanr(exact, values).statistic < 0.8  # else the bound above would say nothing


@pytest.mark.parametrize("kind", ["sliced", "marginal", "exact"])
def test_signs_are_moved_apart_and_scale_does_not_matter(kind):
    shape = (1, 8, 8)
    plus = blob(1, 1) - blob(6, 6)
    moved = blob(1, 3) - blob(6, 6)
    both = blob(1, 3) - blob(6, 4)
    one = transport(plus, moved, kind, shape)[0, 0]
    assert one > 0
    assert transport(plus, both, kind, shape)[0, 0] == pytest.approx(2 * one)
    assert transport(5 * plus, moved, kind, shape)[0, 0] == pytest.approx(one)


def test_channels_are_added_up():
    two = np.hstack([blob(1, 1), blob(6, 6)])
    turned = np.hstack([blob(6, 6), blob(1, 1)])
    assert transport(two, turned, "sliced", (2, 8, 8))[0, 0] == pytest.approx(0)
    np.testing.assert_allclose(mass(two, (2, 8, 8)).sum(), 1)


def test_no_mass_counts_as_spread_evenly():
    even = np.full((1, 16), 0.25)
    found = projected(mass(np.zeros((1, 16)), (1, 4, 4)), mass(even, (1, 4, 4)), "sliced")
    assert found[0, 0] == pytest.approx(0)


@pytest.mark.parametrize("kind", ["sliced", "marginal", "exact"])
def test_large_maps_are_added_up_in_blocks(kind):
    one, moved = np.zeros((2, 1, 100, 70))
    one[0, 8, 8] = moved[0, 8, 48] = 1
    found = transport(one.reshape(1, -1), moved.reshape(1, -1), kind, (1, 100, 70))[0, 0]
    straight = np.abs(np.cos(np.arange(ANGLES) * np.pi / ANGLES)).mean() if kind == "sliced" else 1
    assert found == pytest.approx(40 * straight)
    np.testing.assert_allclose(mass(one.reshape(1, -1), (1, 100, 70), 4).shape, (1, 25, 18))


@pytest.mark.parametrize("kind", ["sliced", "marginal", "exact"])
@pytest.mark.parametrize("shape", [None, (64, 1, 1)])
def test_features_without_places_are_refused(kind, shape):
    with pytest.raises(ValueError, match="these features have no places"):
        transport(np.ones((1, 64)), np.ones((1, 64)), kind, shape)
    assert transport(np.ones((1, 64)), np.ones((1, 64)), "histogram", shape).shape == (1, 1)
