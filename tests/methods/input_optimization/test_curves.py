from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.methods.input_optimization.curves import MEASURES, average_accuracy, by_class, curve, flow, worst_grids
from engine.methods.input_optimization.settings import alone, together
from engine.toolkit.statistics import mean_interval, rate
from tests.methods.input_optimization.planted import planted

BLUR, TURN, LIGHT = "gaussian_blur", "rotation", "brightness"


@pytest.fixture
def sweep():
    """40 images in pairs, of 3 classes that 0 to 2 stand for; the third has none."""
    draws = np.random.default_rng(0)
    keys = ((TURN, 1), (TURN, -1), (LIGHT, 1), (LIGHT, -1), (BLUR, 1))
    return planted(
        [alone(TURN, 2), together((TURN, BLUR), 1), alone(LIGHT, 2)],
        {key: draws.uniform(0.1, 1.5, 40) for key in keys},
        labels=np.arange(40) % 2,
        units=np.repeat(np.arange(20), 2).astype(str),
        wrong=np.arange(40) < 4,
        classes=("cat", "dog", "cow"),
    )


def test_a_curve_runs_from_one_end_to_the_other_through_the_unchanged_images(sweep):
    points = curve(sweep, 0, "accuracy")
    assert [point.severity for point in points] == [-1, -0.5, 0, 0.5, 1]
    assert [point.value for point in points] == [-45, -22.5, 0, 22.5, 45]
    assert points[2].mean == sweep.clean_right.mean() == 0.9
    assert [point.value for point in curve(sweep, 2, "accuracy")] == pytest.approx([0.1, 0.1**0.5, 1, 2, 4])
    assert {point.n for point in points} == {40}


def test_accuracy_has_the_interval_of_a_rate_by_units(sweep):
    for point, right in zip(curve(sweep, 0, "accuracy")[3:], sweep.right(0)[:, 2:].T, strict=True):
        expected = rate(right, sweep.units)
        assert (point.mean, point.low, point.high) == (expected.value, expected.low, expected.high)


@pytest.mark.parametrize("measure", ["loss", "confidence", "shift"])
def test_other_measures_have_the_interval_of_a_mean_by_units(sweep, measure):
    there = getattr(sweep.grids[0].outcomes, measure)[:, 3].astype(np.float64)
    clean = getattr(sweep.clean, measure)[:, 0].astype(np.float64)
    points = curve(sweep, 0, measure)
    assert (points[4].mean, points[4].low, points[4].high) == mean_interval(there, sweep.units)
    assert (points[2].mean, points[2].low, points[2].high) == mean_interval(clean, sweep.units)


@pytest.mark.parametrize("measure", MEASURES)
def test_a_curve_of_some_images_is_that_of_these_images(sweep, measure):
    ours = sweep.labels == 1
    by_mask, by_number = curve(sweep, 0, measure, ours), curve(sweep, 0, measure, np.flatnonzero(ours))
    assert by_mask == by_number
    assert by_mask[0].n == 20
    assert by_mask != curve(sweep, 0, measure)


@pytest.mark.parametrize("measure", MEASURES)
def test_no_images_have_a_curve_of_nan(sweep, measure):
    points = curve(sweep, 0, measure, sweep.labels == 2)
    assert [point.n for point in points] == [0] * 5
    assert all(np.isnan([point.mean, point.low, point.high]).all() for point in points)


def test_a_measure_that_there_is_not_is_refused(sweep):
    with pytest.raises(ValueError, match="measure must be one of accuracy, loss, confidence, shift, got 'speed'"):
        curve(sweep, 0, "speed")


def test_several_families_have_no_curve(sweep):
    for draw in (lambda: curve(sweep, 1, "loss"), lambda: by_class(sweep, 1), lambda: flow(sweep, 1, 1)):
        with pytest.raises(ValueError, match="a curve needs a grid of one family, grid 1 varies rotation and gaussian"):
            draw()


def test_classes_share_the_curve_out(sweep):
    severities, accuracy, n = by_class(sweep, 0)
    np.testing.assert_array_equal(severities, [-1, -0.5, 0, 0.5, 1])
    assert n.tolist() == [20, 20, 0]
    assert np.isnan(accuracy[2]).all()
    for label in (0, 1):
        points = curve(sweep, 0, "accuracy", sweep.labels == label)
        np.testing.assert_allclose(accuracy[label], [point.mean for point in points])


def test_wrong_answers_go_where_the_classifier_says(sweep):
    for sign, columns in ((1, [2, 3]), (-1, [1, 0])):
        found = flow(sweep, 0, sign)
        np.testing.assert_array_equal(found.severities, [0, 0.5, 1])
        predictions = np.c_[sweep.clean.prediction, sweep.grids[0].outcomes.prediction[:, columns]]
        for row, answers in zip(found.counts, predictions.T, strict=True):
            expected = [sum((answers == name) & (sweep.labels != name)) for name in range(3)]
            assert row.tolist() == expected
        np.testing.assert_array_equal(found.wrong, found.counts.sum(axis=1))
        assert found.n == 40
        assert found.counts[:, 0].tolist() == [0, 0, 0]  # a wrong answer names the next class


def test_the_flow_of_a_class_goes_to_the_others(sweep):
    found = flow(sweep, 0, 1, sweep.labels == 1)
    assert found.n == 20
    assert found.counts[:, 1].tolist() == [0, 0, 0]
    assert found.counts[:, 2].tolist() == found.wrong.tolist()


def test_average_accuracy_is_over_all_combinations(sweep):
    assert average_accuracy(sweep, 1) == pytest.approx(np.mean(sweep.right(1)))


@given(st.lists(st.sampled_from([0.1, 0.3, 0.5, 0.7, 9.0]), min_size=1, max_size=5), st.integers(0, 6))
def test_the_worst_come_first_and_ties_in_their_order(tolerances, count):
    names = ("elastic", "occlusion", BLUR, "motion_blur", "gaussian_noise")[: len(tolerances)]
    planted_there = {(name, 1): np.full(3, each) for name, each in zip(names, tolerances, strict=True)}
    sweep = planted([alone(name, 10) for name in names], planted_there)
    expected = sorted(range(len(names)), key=lambda number: (tolerances[number], number))
    assert worst_grids(sweep, count) == tuple(expected[:count])


def test_only_single_families_are_ranked(sweep):
    assert set(worst_grids(sweep, 5)) == {0, 2}
