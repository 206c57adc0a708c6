from __future__ import annotations

import numpy as np
import pytest

from engine.methods.cam_training.figure import figure


def test_what_is_no_number_is_counted_and_left_out():
    found = figure(np.array([1.0, np.nan, 3.0, np.nan]), np.array(["a", "b", "c", "d"]))
    assert (found.mean, found.n, found.missing) == (2, 2, 2)
    assert found.low < 2 < found.high


def test_the_interval_is_student_s_for_independent_values():
    values = np.random.default_rng(0).standard_normal(10)
    found = figure(values, np.arange(10))
    half = 2.262157 * values.std(ddof=1) / np.sqrt(10)
    assert (found.low, found.high) == pytest.approx((values.mean() - half, values.mean() + half), abs=1e-5)


def test_images_of_one_unit_are_not_independent():
    values = np.repeat(np.random.default_rng(0).standard_normal(10), 20)
    alone, together = figure(values, np.arange(200)), figure(values, np.repeat(np.arange(10), 20))
    assert together.high - together.low > 3 * (alone.high - alone.low)


def test_without_values_there_is_no_mean():
    found = figure(np.array([np.nan]), np.array(["a"]))
    assert np.isnan(found.mean)
    assert (found.n, found.missing) == (0, 1)
