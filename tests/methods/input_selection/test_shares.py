import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binom

from engine.methods.input_selection.shares import holm, newcombe, p_above, p_below
from engine.toolkit.statistics import Rate, rate


def share(hits, n, effective=None):
    return rate_of(hits / n, n, effective or n)


def rate_of(value, n, effective):
    return Rate(value, float("nan"), float("nan"), n, n, float(effective))


NOTHING = rate(np.zeros(0, bool), np.zeros(0))


def test_newcombe_gives_the_papers_intervals():
    # Newcombe 1998, table II, method 10: (a) 56/70 - 48/80, (b) 9/10 - 3/10, (f) 10/10 - 0/20
    for first, second, expected in (
        ((56, 70), (48, 80), (0.0524, 0.3339)),
        ((9, 10), (3, 10), (0.1705, 0.8090)),
        ((10, 10), (0, 20), (0.6791, 1.0000)),
    ):
        assert newcombe(share(*first), share(*second)) == pytest.approx(expected, abs=5e-5)


def test_without_images_there_is_no_interval_and_no_significance():
    assert np.isnan(newcombe(NOTHING, share(3, 4))).all()
    assert p_above(NOTHING, share(3, 4), 0.1) == p_above(share(3, 4), NOTHING, 0.1) == p_below(NOTHING, 0.5) == 1


@given(st.integers(1, 60), st.integers(0, 60), st.floats(0.05, 0.95))
def test_low_shares_are_judged_by_the_binomial(n, hits, threshold):
    hits = min(hits, n)
    assert p_below(share(hits, n), threshold) == pytest.approx(binom.cdf(hits, n, threshold), abs=1e-9)


def test_images_that_say_the_same_count_by_what_they_are_worth():
    assert p_below(share(10, 40, effective=20), 0.5) == pytest.approx(binom.cdf(5, 20, 0.5))


@given(st.integers(0, 30), st.integers(0, 40), st.floats(-0.5, 0.9))
def test_a_gap_is_significant_where_its_interval_lies_above(hits, others, threshold):
    first, second = share(hits, 30), share(others, 40)
    low, _ = newcombe(first, second)
    if abs(low - threshold) > 1e-6:
        assert (p_above(first, second, threshold) < 0.025) == (low > threshold)


def test_a_gap_below_the_threshold_is_more_likely_than_not():
    assert p_above(share(20, 40), share(20, 40), 0.15) > 0.5
    assert p_above(share(26, 40), share(20, 40), 0.15) == pytest.approx(0.5)
    assert p_above(share(40, 40), share(1, 40), 0.15) < 1e-6


def test_holm_by_hand():
    # sorted .01 .02 .03 .04 times 4 3 2 1, never falling
    np.testing.assert_allclose(holm([0.04, 0.01, 0.03, 0.02]), [0.06, 0.04, 0.06, 0.06])
    assert holm([]).shape == (0,)
    assert holm([0.9, 0.8]).max() == 1
