import numpy as np
import pytest

from engine.methods.error_discovery.gaussians import LEAST_VARIANCE, distance, drawn, fitted


def planted(count=4000, seed=0):
    random = np.random.default_rng(seed)
    root = np.array([[1.0, 0, 0], [0.6, 0.8, 0], [0, 0, 0.3]])
    return random.standard_normal((count, 3)) @ root.T + [5, 0, -2], root @ root.T


def test_many_codes_give_back_the_gaussian_that_they_are_from():
    codes, covariance = planted()
    mean, found = fitted(codes, full=True)
    assert mean == pytest.approx([5, 0, -2], abs=0.1)
    assert np.abs(found - covariance).max() < 0.06
    _, diagonal = fitted(codes, full=False)
    assert np.array_equal(diagonal, np.diag(np.diag(found)))


def test_few_codes_say_less_of_how_dimensions_go_together():
    codes, _ = planted(6)
    _, found = fitted(codes, full=True)
    plain = np.cov(codes.T, bias=True)
    assert found[0, 1] == pytest.approx(plain[0, 1] * 6 / 9, rel=1e-5)
    assert np.diag(found) == pytest.approx(np.diag(plain) + LEAST_VARIANCE, rel=1e-5)


def test_one_code_has_a_gaussian_that_can_be_drawn_from():
    mean, covariance = fitted(np.ones((1, 3)), full=True)
    codes = drawn(mean, covariance, 1.0, 50, np.random.default_rng(0))
    assert np.abs(codes - 1).max() < 5 * LEAST_VARIANCE**0.5


def test_draws_have_the_mean_and_the_covariance_times_the_spread():
    codes, covariance = planted()
    mean, found = fitted(codes, full=True)
    again = drawn(mean, found, 0.25, 8000, np.random.default_rng(1))
    assert again.dtype == np.float32
    assert again.mean(axis=0) == pytest.approx(mean, abs=0.03)
    assert np.abs(np.cov(again.T) - 0.25 * covariance).max() < 0.03


def test_the_distance_is_that_of_the_inverse_covariance():
    codes, _ = planted(40)
    mean, covariance = fitted(codes, full=True)
    inverse = np.linalg.inv(covariance.astype(np.float64))
    slow = [float((code - mean) @ inverse @ (code - mean)) for code in codes]
    assert distance(codes, mean, covariance) == pytest.approx(slow, rel=1e-6)
    assert distance(np.zeros((0, 3)), mean, covariance).shape == (0,)
