from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from scipy.ndimage import gaussian_filter, shift

from engine.toolkit.transforms.blur import lines, spreading
from tests.toolkit.transforms.made import COLOUR_32, SHAPES, applied, chance, made_images


def smeared_by_the_book(plane, length, angle, samples):
    """The mean of the plane seen at evenly spaced places along the line."""
    mean = np.zeros_like(plane)
    for sample in range(samples):
        along = ((sample + 0.5) / samples - 0.5) * length
        mean += shift(plane, (-along * math.sin(angle), along * math.cos(angle)), order=1, mode="nearest") / samples
    return mean


@pytest.mark.parametrize("shape", SHAPES)
def test_gaussian_blur_agrees_with_scipy(shape):
    images, values = made_images(4, shape), [0.4, 3.0, 8.0, 15.0]
    out = applied("gaussian_blur", images, values).numpy()
    for place, image in enumerate(images.double().numpy()):
        sigma = values[place] / 100 * min(shape[1:])
        expected = [gaussian_filter(plane, sigma, mode="mirror", radius=min(shape[1:]) - 1) for plane in image]
        np.testing.assert_allclose(out[place], np.stack(expected), rtol=0, atol=1e-5)


@pytest.mark.parametrize("shape", SHAPES)
def test_motion_blur_agrees_with_the_mean_of_shifted_images(shape):
    images, values = made_images(4, shape), [1.0, 9.0, 33.0, 60.0]
    out, angles = applied("motion_blur", images, values).numpy(), chance("motion_blur", images).double().numpy()
    for place, image in enumerate(images.double().numpy()):
        length, samples = values[place] / 100 * min(shape[1:]), 2 * min(shape[1:])
        expected = [smeared_by_the_book(plane, length, math.pi * angles[place, 0], samples) for plane in image]
        np.testing.assert_allclose(out[place], np.stack(expected), rtol=0, atol=1e-5)


@pytest.mark.parametrize("name", ["gaussian_blur", "motion_blur"])
def test_one_colour_stays_so(name):
    images = torch.tensor([0.0, 0.3, 1.0])[:, None, None, None].expand(3, *COLOUR_32)
    torch.testing.assert_close(applied(name, images, [1.0, 9.0, 15.0]), images, rtol=0, atol=1e-5)


def test_more_blur_leaves_less_contrast():
    images = made_images(1, COLOUR_32).expand(6, -1, -1, -1)
    for name in ("gaussian_blur", "motion_blur"):
        rows = applied(name, images, [0.0, 1.0, 3.0, 6.0, 10.0, 15.0])
        left = rows.std(dim=(1, 2, 3))
        assert (left.diff() <= 1e-6).all()
        assert left[-1] < 0.6 * left[0]


@pytest.mark.parametrize("length", [1, 2, 28])
def test_the_weights_of_each_pixel_add_up_to_1(length):
    matrix = spreading(torch.tensor([0.05, 1.0, 4.2]), length)
    torch.testing.assert_close(matrix.sum(dim=2), torch.ones(3, length))
    torch.testing.assert_close(matrix[0], torch.eye(length))


def test_a_line_is_as_long_as_it_says_and_lies_at_its_angle():
    """Of evenly spread points the variance is a twelfth of the squared length; bilinear weights add up to 1/4 an axis.

    The angle is counter-clockwise as seen: at 45 degrees right goes with up.
    """
    length, angles = torch.tensor([6.0, 12.0, 12.0]), torch.tensor([0.0, math.pi / 2, math.pi / 4])
    kernels = lines(length, angles, reach=8, samples=2000).double()
    offsets = torch.arange(-8, 9).double()
    torch.testing.assert_close(kernels.sum(dim=(1, 2)), torch.ones(3).double(), rtol=0, atol=1e-5)
    across = (kernels * offsets**2).sum(dim=(1, 2))
    down = (kernels * offsets[:, None] ** 2).sum(dim=(1, 2))
    slope = (kernels * offsets * offsets[:, None]).sum(dim=(1, 2))
    torch.testing.assert_close(across, torch.tensor([3.0, 0, 6.0]).double(), rtol=0, atol=0.26)
    torch.testing.assert_close(down, torch.tensor([0, 12.0, 6.0]).double(), rtol=0, atol=0.26)
    torch.testing.assert_close(slope, torch.tensor([0, 0, -6.0]).double(), rtol=0, atol=0.01)
