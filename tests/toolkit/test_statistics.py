from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest

from engine.toolkit.statistics import effective_n, mean_interval, rate, wilson


@given(st.integers(1, 400).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_wilson_agrees_with_scipy(seen):
    hits, n = seen
    expected = binomtest(hits, n).proportion_ci(method="wilson")
    assert wilson(hits / n, n) == pytest.approx((expected.low, expected.high), abs=1e-9)


def test_images_that_stand_alone_count_as_they_are():
    hits = np.array([True, False, True, True])
    assert effective_n(hits, np.arange(4)) == 4
    assert rate(hits, np.arange(4)).groups == 4


def test_copies_of_an_image_add_nothing():
    hits = np.array([True, False, True, True, False])
    alone = rate(hits, np.arange(5))
    copied = rate(np.repeat(hits, 8), np.repeat(np.arange(5), 8))
    assert (copied.n, copied.groups) == (40, 5)
    assert copied.high - copied.low >= (alone.high - alone.low) * 0.95


def test_all_right_is_worth_as_many_trials_as_there_are_groups():
    assert effective_n(np.ones(12, bool), np.repeat(np.arange(3), 4)) == 3


def test_no_image_gives_no_rate():
    nothing = rate(np.zeros(0, bool), np.zeros(0))
    assert nothing.n == 0
    assert np.isnan(nothing.value)
    assert str(nothing) == "unknown (no images)"


@pytest.mark.parametrize(
    ("sizes", "talents"),
    [
        ([6] * 40, (3, 1)),  # groups differ, so images of one group agree
        ([30] * 10, (3, 1)),
        ([4] * 100, (95, 5)),
        ([1] * 30 + [60] * 10, (3, 1)),
        ([3, 9, 27, 81] * 10, (3, 1)),
        ([200] + [1] * 30, (3, 1)),
    ],
    ids=["40 of 6", "10 of 30", "100 of 4, high", "30 alone and 10 of 60", "3 to 81", "one of 200"],
)
def test_the_interval_covers_the_truth_as_often_as_it_says(sizes, talents):
    draws = np.random.default_rng(0)
    units, truth = np.repeat(np.arange(len(sizes)), sizes), talents[0] / sum(talents)
    covered = 0
    for _ in range(300):
        talent = draws.beta(*talents, size=len(sizes))
        found = rate(draws.random(len(units)) < talent[units], units)
        covered += found.low <= truth <= found.high
    assert covered / 300 >= 0.92


def test_one_mistake_never_makes_the_interval_narrower():
    units = np.repeat(np.arange(100), 4)
    perfect, one = np.ones(400, bool), np.arange(400) != 7
    assert rate(one, units).high - rate(one, units).low >= rate(perfect, units).high - rate(perfect, units).low


def test_few_groups_of_many_images_are_worth_kish_s_number_where_all_agree():
    units = np.repeat(np.arange(3), [10, 20, 30])
    assert effective_n(np.ones(60, bool), units) == pytest.approx(60**2 / (100 + 400 + 900))


def test_the_same_interval_without_groups_would_be_too_narrow():
    draws = np.random.default_rng(1)
    covered = 0
    for _ in range(400):
        talent = draws.beta(3, 1, size=40)
        hits = draws.random(240) < talent[np.repeat(np.arange(40), 6)]
        found = rate(hits, np.arange(240))
        covered += found.low <= 0.75 <= found.high
    assert covered / 400 < 0.88


def test_a_mean_s_interval_is_the_textbook_s_where_images_stand_alone():
    values = np.random.default_rng(0).normal(size=50)
    mean, low, high = mean_interval(values, np.arange(50))
    error = values.std(ddof=1) / np.sqrt(50)
    assert (mean, low, high) == pytest.approx(
        (values.mean(), mean - 2.009575 * error, mean + 2.009575 * error), rel=1e-5
    )
