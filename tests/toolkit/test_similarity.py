from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from engine.toolkit.similarity import ssim


def ssim_by_the_paper(first: np.ndarray, second: np.ndarray, window: int) -> float:
    """Wang et al. 2004, equation 13, place by place; (C, H, W) in [0, 1], mirrored at the border."""
    half = window // 2
    weight = np.array([math.exp(-((place - half) ** 2) / (2 * 1.5**2)) for place in range(window)])
    weight = np.outer(weight, weight) / weight.sum() ** 2
    c1, c2 = 0.01**2, 0.03**2
    values = []
    for one, other in zip(first.astype(np.float64), second.astype(np.float64), strict=True):
        x, y = (np.pad(each, half, mode="reflect") for each in (one, other))
        for row in range(one.shape[0]):
            for column in range(one.shape[1]):
                a, b = (each[row : row + window, column : column + window] for each in (x, y))
                mean_a, mean_b = (weight * a).sum(), (weight * b).sum()
                spread_a, spread_b = (weight * (a - mean_a) ** 2).sum(), (weight * (b - mean_b) ** 2).sum()
                common = (weight * (a - mean_a) * (b - mean_b)).sum()
                values.append(
                    (2 * mean_a * mean_b + c1)
                    * (2 * common + c2)
                    / ((mean_a**2 + mean_b**2 + c1) * (spread_a + spread_b + c2))
                )
    return float(np.mean(values))


@pytest.mark.parametrize(
    ("shape", "window"), [((1, 14, 12), 11), ((3, 12, 16), 11), ((1, 8, 20), 7), ((1, 4, 4), 3), ((1, 1, 5), 1)]
)
def test_it_is_the_paper_s_index_with_a_window_that_fits(shape, window):
    draws = np.random.default_rng(0)
    first = draws.random((3, *shape)).astype(np.float32)
    second = np.clip(first + draws.normal(0, [[[[0.02]]], [[[0.2]]], [[[1.0]]]], first.shape), 0, 1).astype(np.float32)
    expected = [ssim_by_the_paper(one, other, window) for one, other in zip(first, second, strict=True)]
    np.testing.assert_allclose(ssim(torch.from_numpy(first), torch.from_numpy(second)).numpy(), expected, atol=2e-5)


def test_equal_images_are_alike_by_one_and_a_negative_is_the_contrary():
    images = torch.rand(4, 3, 16, 16, generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(ssim(images, images), torch.ones(4))
    found = ssim(images, 1 - images)
    assert (found < -0.5).all()
    assert (found >= -1).all()
    torch.testing.assert_close(ssim(images, 1 - images), ssim(1 - images, images))


def test_every_row_is_its_own_and_gets_its_own_gradient():
    images = torch.rand(4, 1, 12, 12, generator=torch.Generator().manual_seed(0))
    others = images.flip(0).clone().requires_grad_()
    together = ssim(images, others)
    alone = torch.cat([ssim(images[[row]], others[[row]]) for row in range(4)])
    torch.testing.assert_close(together, alone)
    (gradient,) = torch.autograd.grad(together[1], others)
    assert gradient[1].abs().sum() > 0
    assert gradient[[0, 2, 3]].abs().sum() == 0
