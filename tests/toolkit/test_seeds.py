from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from engine.toolkit.seeds import over_seeds


def test_the_mean_and_students_interval_agree_with_scipys():
    values = {3: 0.3, 0: 0.4, 7: 0.35}
    found = over_seeds(values)
    assert found.seeds == (0, 3, 7)
    assert found.values == (0.4, 0.3, 0.35)
    expected = stats.ttest_1samp(list(values.values()), 0).confidence_interval(0.95)
    assert found.mean == pytest.approx(0.35)
    assert (found.low, found.high) == pytest.approx((expected.low, expected.high))


def test_an_interval_ends_where_no_value_can_lie():
    wide = over_seeds({0: 0.0, 1: 1.0})
    assert (wide.low, wide.high) == (0, 1)
    assert over_seeds({0: -1.0, 1: 1.0}, -1.0).low == -1
    assert over_seeds({0: 10.0, 1: 20.0}, 0.0, np.inf).high > 20


def test_nothing_is_said_of_one_seed_or_of_equal_ones():
    for found in (over_seeds({0: 0.5}), over_seeds({0: 0.5, 1: 0.5})):
        assert found.mean == 0.5
        assert np.isnan([found.low, found.high]).all()
    assert np.isnan(over_seeds({}).mean)


@settings(deadline=None, max_examples=40)
@given(st.lists(st.integers(0, 100), max_size=6), st.sampled_from([0.0, -1.0]))
def test_an_interval_is_students_cut_off_where_no_value_can_lie(percent, least):
    values = np.array(percent) / 100
    found = over_seeds(dict(enumerate(values.tolist())), least)
    assert found.seeds == tuple(range(len(values)))
    if len(set(percent)) < 2:
        assert np.isnan([found.low, found.high]).all()
        return
    expected = stats.ttest_1samp(values, 0).confidence_interval(0.95)
    assert (found.low, found.high) == pytest.approx((max(least, expected.low), min(1, expected.high)))
