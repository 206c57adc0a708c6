import numpy as np
import pytest

from engine.methods.error_discovery.noise import moved

SPREAD = np.array([1.0, 0.5, 2.0])
CODES = np.arange(12, dtype=np.float32).reshape(4, 3)


def draw(kind, scale=0.3, draws=4000, seed=0, codes=CODES):
    return moved(codes, SPREAD, kind, scale, draws, np.random.default_rng(seed))


def test_gaussian_noise_is_centred_and_scaled_by_dimension():
    found, _ = draw("gaussian")
    noise = found - np.repeat(CODES, 4000, axis=0)
    error = 0.3 * SPREAD / np.sqrt(len(noise))
    assert (np.abs(noise.mean(axis=0)) < 5 * error).all()
    assert noise.std(axis=0) == pytest.approx(0.3 * SPREAD, rel=0.03)


def test_the_published_noise_is_beta_as_it_is():
    found, _ = draw("beta")
    noise = found - np.repeat(CODES, 4000, axis=0)
    # mean 1/2, variance ab / ((a + b)^2 (a + b + 1)) with a = b = 50
    assert noise.mean(axis=0) == pytest.approx(np.full(3, 0.5), abs=0.005)
    assert noise.var(axis=0) == pytest.approx(np.full(3, 50 * 50 / (100**2 * 101)), rel=0.05)
    assert noise.min() > 0
    assert noise.max() < 1


@pytest.mark.parametrize("kind", ["gaussian", "beta"])
def test_lengths_are_in_standard_deviations(kind):
    found, lengths = draw(kind, draws=5)
    noise = (found - np.repeat(CODES, 5, axis=0)).astype(np.float64)
    twin = [sum((value / spread) ** 2 for value, spread in zip(row, SPREAD, strict=True)) ** 0.5 for row in noise]
    assert lengths == pytest.approx(np.array(twin), rel=1e-4)


def test_an_unused_dimension_does_not_decide_the_length_of_published_noise():
    spread = np.array([1.0, 1.0, 1e-6])
    _, lengths = moved(CODES, spread, "beta", 1.0, 3, np.random.default_rng(0))
    assert lengths.max() < 10


@pytest.mark.parametrize("kind", ["gaussian", "beta"])
def test_codes_in_portions_get_the_noise_of_all_at_once(kind):
    whole, lengths = draw(kind, draws=7)
    random = np.random.default_rng(0)
    parts = [moved(CODES[rows], SPREAD, kind, 0.3, 7, random) for rows in (slice(0, 1), slice(1, 4))]
    assert np.array_equal(np.concatenate([codes for codes, _ in parts]), whole)
    assert np.array_equal(np.concatenate([length for _, length in parts]), lengths)
