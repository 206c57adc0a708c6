from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
import torch
from scipy.stats import poisson

from engine.toolkit.transforms.draws import STEPS
from engine.toolkit.transforms.noise import MOST, poisson_quantile
from tests.toolkit.transforms.made import COLOUR_32, GREY_28, SHAPES, applied, chance, made_images


@pytest.mark.parametrize("shape", SHAPES)
def test_gaussian_noise_is_the_drawn_grain_scaled_and_cut_off(shape):
    images, values = made_images(3, shape), [0.01, 0.1, 0.5]
    out, normals = applied("gaussian_noise", images, values).numpy(), chance("gaussian_noise", images).numpy()
    for place, image in enumerate(images.numpy()):
        expected = np.clip(image + values[place] * normals[place], 0, 1)
        np.testing.assert_allclose(out[place], expected, rtol=0, atol=1e-6)


def test_the_grain_is_the_same_at_every_severity():
    images = torch.full((2, *COLOUR_32), 0.5)
    weak, strong = (applied("gaussian_noise", images, [value] * 2) - images for value in (0.01, 0.05))
    torch.testing.assert_close(5 * weak, strong, rtol=0, atol=1e-6)
    assert float(strong.std()) == pytest.approx(0.05, rel=0.03)


@pytest.mark.parametrize("shape", SHAPES)
def test_salt_and_pepper_agrees_with_the_book(shape):
    images, values = made_images(2, shape), [0.07, 0.5]
    out, places = applied("salt_and_pepper", images, values), chance("salt_and_pepper", images)
    for place in range(2):
        for row in range(shape[1]):
            for column in range(shape[2]):
                goes, colour = places[place, :, row, column].tolist()
                expected = images[place, :, row, column]
                if goes < values[place]:
                    expected = torch.full_like(expected, 0.0 if colour < 0.5 else 1.0)
                assert torch.equal(out[place, :, row, column], expected)


def test_more_salt_and_pepper_holds_what_less_does_in_the_same_colours():
    images = torch.full((1, *COLOUR_32), 0.5).expand(4, -1, -1, -1)
    places = {"salt_and_pepper": chance("salt_and_pepper", images)[:1].expand(4, -1, -1, -1)}
    outs = [applied("salt_and_pepper", images, [value] * 4) for value in (0.02, 0.1, 0.5)]
    for less, more in pairwise(outs):
        gone = less != 0.5
        assert torch.equal(more[gone], less[gone])
        assert (more != 0.5).sum() > gone.sum()
    share = float((outs[-1] != 0.5).float().mean())
    assert share == pytest.approx(float((places["salt_and_pepper"][:1, 0] < 0.5).float().mean()), abs=0.03)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("deviation", [0.005, 0.05, 0.1, 0.3, 0.7])
def test_shot_noise_agrees_with_the_quantiles_of_scipy(deviation, shape):
    """In float32 and by an expansion: at most one photon off, and that in fewer than 3 pixels of 1,000."""
    images, white = made_images(4, shape), deviation**-2
    out, quantiles = applied("shot_noise", images, [deviation] * 4).numpy(), chance("shot_noise", images).numpy()
    expected = poisson.ppf(quantiles.astype(np.float64), white * images.numpy())
    off = np.abs(out - np.clip(expected / white, 0, 1)) * white
    assert off.max() < 1.01
    assert (off > 0.01).mean() < 0.003


@pytest.mark.parametrize("rate", [0.0, 0.01, 0.5, 2.0, 3.99, 4.0, 4.5, 7.0, 15.0, 60.0, 1000.0])
def test_poisson_quantiles_are_at_most_one_off_and_exact_for_small_rates(rate):
    quantiles = (np.arange(2**16) + 0.5) / 2**16
    rates = torch.full((2**16,), rate)
    found = poisson_quantile(rates, torch.from_numpy(quantiles).float()).numpy()
    expected = np.maximum(poisson.ppf(quantiles, rate), 0)
    assert np.abs(found - expected).max() <= 1
    assert (found != expected).mean() <= (1e-5 if rate < 4 else 0.002)


@pytest.mark.parametrize("step", [0, STEPS - 1])
def test_quantiles_at_the_ends_of_what_is_drawn_are_at_most_one_off(step):
    rates, quantile = torch.cat([torch.linspace(1e-3, 3.999, 999), torch.linspace(4, 500, 999)]), (step + 0.5) / STEPS
    found = poisson_quantile(rates, torch.full_like(rates, quantile)).numpy()
    expected = poisson.ppf(quantile, rates.double().numpy())
    assert np.abs(found - expected).max() <= 1
    assert expected[:999].max() <= MOST


def test_brighter_pixels_of_the_same_chance_get_no_fewer_photons():
    rates = torch.linspace(0, 40, 2000)[:, None].expand(-1, 50)
    quantiles = torch.linspace(0.01, 0.99, 50).expand(2000, -1)
    assert (poisson_quantile(rates, quantiles).diff(dim=0) >= 0).all()


def test_shot_noise_deviates_as_it_says_and_on_both_severities_to_the_same_side():
    images = torch.full((1, *COLOUR_32), 0.25)
    weak, strong = (applied("shot_noise", images, [value]) - images for value in (0.02, 0.1))
    assert float(weak.std()) == pytest.approx(0.02 * 0.5, rel=0.05)
    assert float(strong.std()) == pytest.approx(0.1 * 0.5, rel=0.05)
    assert float(torch.corrcoef(torch.stack([weak.flatten(), strong.flatten()]))[0, 1]) > 0.99


def test_black_gets_no_photons():
    assert applied("shot_noise", torch.zeros(2, *GREY_28), [0.01, 0.7]).max() == 0
