import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.distributions import Normal, kl_divergence

from engine.methods.error_discovery.vae import VAE, divergence, negative_log_likelihood, reconstruction_loss
from engine.toolkit.seeding import seeded


def made_vae(channels=3, height=8, width=8, dimensions=5, classes=0):
    with seeded(0):
        return VAE(channels, height, width, dimensions, classes).eval()


@given(st.floats(-3, 3), st.floats(-4, 2))
def test_the_divergence_is_that_of_two_gaussians(mean, log_variance):
    found = divergence(torch.tensor([[mean]], dtype=torch.float64), torch.tensor([[log_variance]], dtype=torch.float64))
    other = kl_divergence(
        Normal(torch.tensor(mean, dtype=torch.float64), np.exp(log_variance / 2)),
        Normal(torch.tensor(0.0, dtype=torch.float64), 1.0),
    )
    assert float(found) == pytest.approx(float(other), abs=1e-9)


@pytest.mark.parametrize(("mean", "log_variance"), [(0.0, 0.0), (1.5, -2.0), (-0.5, 1.0)])
def test_the_divergence_is_what_monte_carlo_finds(mean, log_variance, generator):
    deviation = np.exp(log_variance / 2)
    draws = mean + deviation * torch.randn(400_000, generator=generator, dtype=torch.float64)
    ratio = Normal(mean, deviation).log_prob(draws) - Normal(0.0, 1.0).log_prob(draws)
    error = float(ratio.std()) / len(draws) ** 0.5
    found = float(divergence(torch.tensor([[mean]]), torch.tensor([[log_variance]])))
    assert found == pytest.approx(float(ratio.mean()), abs=5 * error + 1e-6)


def test_the_reconstruction_loss_is_the_best_that_any_one_variance_gives(generator):
    images, decoded = torch.rand(6, 3, 4, 4, generator=generator), torch.rand(6, 3, 4, 4, generator=generator)

    def under(deviation):
        return float(-Normal(decoded, deviation).log_prob(images).sum(dim=(1, 2, 3)).mean())

    found = float(reconstruction_loss(images, decoded))
    best = float((images - decoded).square().mean().sqrt())
    assert found == pytest.approx(under(best), rel=1e-5)
    assert all(found < under(best * factor) for factor in (0.9, 0.99, 1.01, 1.1))


def test_a_perfect_reconstruction_has_a_finite_loss():
    assert np.isfinite(float(negative_log_likelihood(torch.tensor(0.0), 10)))


@settings(max_examples=12, deadline=None)
@given(st.integers(8, 40), st.integers(8, 40), st.sampled_from([1, 3]))
def test_images_of_any_sides_come_back_at_their_size(height, width, channels):
    network = made_vae(channels, height, width)
    labels = torch.zeros(2, dtype=torch.int64)
    mean, log_variance = network.encode(torch.rand(2, channels, height, width), labels)
    decoded = network.decode(mean, labels).detach()
    assert mean.shape == log_variance.shape == (2, 5)
    assert decoded.shape == (2, channels, height, width)
    assert 0 <= float(decoded.min()) <= float(decoded.max()) <= 1


def test_the_label_counts_where_it_is_given_and_nowhere_else():
    images, first, second = torch.rand(2, 3, 8, 8), torch.tensor([0, 1]), torch.tensor([2, 2])
    given_it, without = made_vae(classes=3), made_vae()
    codes = torch.zeros(2, 5)
    assert not torch.equal(given_it.decode(codes, first), given_it.decode(codes, second))
    assert not torch.equal(given_it.encode(images, first)[0], given_it.encode(images, second)[0])
    assert torch.equal(without.decode(codes, first), without.decode(codes, second))


def test_a_label_is_the_whole_share_of_it():
    network, labels = made_vae(classes=3), torch.tensor([0, 2])
    codes = torch.randn(2, 5)
    whole = torch.eye(3)[labels]
    assert torch.equal(network.decode(codes, labels), network.decode(codes, whole))
    half = network.decode(codes, torch.full((2, 3), 1 / 3))
    assert not torch.equal(half, network.decode(codes, labels))


def test_more_and_larger_images_take_more_multiplications():
    assert made_vae(height=32, width=32).multiplications() > 4 * made_vae(height=8, width=8).multiplications()
