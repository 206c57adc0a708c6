import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.methods.input_selection.similarity import bhattacharyya, mean_by_label


def test_the_coefficient_by_hand():
    first = np.array([[1.0, 0.0], [0.5, 0.5], [0.36, 0.64]])
    second = np.array([[0.0, 1.0], [0.5, 0.5], [0.64, 0.36]])
    assert bhattacharyya(first, second) == pytest.approx([0, 1, 2 * 0.6 * 0.8])


@given(st.integers(0, 1000))
def test_it_lies_from_0_to_1_and_is_1_for_the_same(seed):
    first, second = np.random.default_rng(seed).dirichlet(np.full(5, 0.3), (2, 20)).astype(np.float32)
    assert ((bhattacharyya(first, second) >= 0) & (bhattacharyya(first, second) <= 1)).all()
    np.testing.assert_allclose(bhattacharyya(first, first), 1, atol=1e-6)


def test_answers_swapped_between_images_are_not_alike():
    first = np.array([[1.0, 0.0], [0.0, 1.0]])
    assert bhattacharyya(first, first[::-1]).mean() == 0


def test_means_by_label_leave_unlabelled_images_out():
    found = mean_by_label(np.array([1.0, 0.0, 0.5, 9.0]), np.array([0, 0, 2, -1]), 3)
    np.testing.assert_array_equal(found, [0.5, np.nan, 0.5])
