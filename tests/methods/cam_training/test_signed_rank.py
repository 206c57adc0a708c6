from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from engine.methods.cam_training.signed_rank import signed_rank


def by_all_signs(differences: np.ndarray) -> float:
    """Slow twin: every way to put signs before the ranks."""
    left = differences[differences != 0]
    ranks = stats.rankdata(np.abs(left))
    observed = ranks[left > 0].sum()
    signs = np.array(list(product((0, 1), repeat=len(left))))
    sums = signs @ ranks
    return min(1.0, 2 * min((sums <= observed + 1e-9).mean(), (sums >= observed - 1e-9).mean()))


@settings(deadline=None, max_examples=40)
@given(st.lists(st.integers(-4, 4), min_size=1, max_size=9))
def test_the_signed_rank_test_is_exact_with_ties_and_zeros(differences):
    values = np.array(differences, dtype=np.float64) / 10
    expected = by_all_signs(values) if values.any() else 1.0
    assert signed_rank(values) == pytest.approx(expected)
    assert signed_rank(-values) == pytest.approx(expected)


def test_ten_wins_of_ten_cannot_be_chance():
    assert signed_rank(np.arange(1, 11) / 10) == pytest.approx(2 / 2**10)


def test_differences_within_rounding_share_a_rank():
    values = np.array([0.3 - 0.2, 0.7 - 0.6, 0.2 - 0.3, 0.1 - 0.2, 0.9 - 0.8, 0.5 - 0.1])
    assert len(np.unique(np.abs(values))) > 2
    assert signed_rank(values) == by_all_signs(np.round(values, 6))
