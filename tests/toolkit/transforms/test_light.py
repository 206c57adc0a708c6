from __future__ import annotations

import math

import pytest
import torch
from torchvision.transforms.v2 import functional as book

from engine.toolkit.transforms.families import family_named
from tests.toolkit.transforms.made import COLOUR_32, GREY_28, SHAPES, applied, fits, made_images

BY_TORCHVISION = {
    "brightness": book.adjust_brightness,
    "contrast": book.adjust_contrast,
    "gamma": book.adjust_gamma,
    "saturation": book.adjust_saturation,
    "hue": lambda image, degrees: book.adjust_hue(image, degrees / 360),
    "inversion": lambda image, share: (1 - share) * image + share * book.invert(image),
}


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("name", BY_TORCHVISION)
def test_light_agrees_with_torchvision(name, shape):
    if not fits(name, shape):
        return
    family = family_named(name)
    severities = [0.2, 0.6, 1] + ([-0.2, -0.6, -1] if -1 in family.signs else [])
    values = [family.value(severity) for severity in severities]
    images = made_images(len(values), shape)
    for image, value, out in zip(images, values, applied(name, images, values), strict=True):
        torch.testing.assert_close(out, BY_TORCHVISION[name](image, value), rtol=0, atol=1e-5)


def test_a_third_of_the_wheel_takes_red_to_green_and_green_to_blue():
    images = torch.eye(3)[:, :, None, None].expand(3, 3, 4, 4)
    torch.testing.assert_close(applied("hue", images, [120.0] * 3), images.roll(1, 1), rtol=0, atol=1e-5)


def test_grey_has_no_hue():
    images = made_images(1, GREY_28).expand(1, 3, 28, 28)
    torch.testing.assert_close(applied("hue", images, [77.0]), images, rtol=0, atol=1e-6)


@pytest.mark.parametrize("name", ["contrast", "saturation"])
def test_what_is_one_grey_stays_so(name):
    images = torch.full((2, *COLOUR_32), 0.4)
    torch.testing.assert_close(applied(name, images, [0.05, 2.0]), images, rtol=0, atol=1e-4)


def test_a_power_of_values_near_black_is_right_though_their_gradient_is_not_passed_on():
    images = torch.tensor([0, 1e-6, 1e-3]).reshape(1, 1, 1, 3).requires_grad_()
    out = applied("gamma", images, [0.25])
    torch.testing.assert_close(out.flatten(), torch.tensor([0, math.sqrt(1e-3), 1e-3**0.25]), rtol=1e-5, atol=0)
    gradient = torch.autograd.grad(out.sum(), images)[0].flatten()
    torch.testing.assert_close(gradient, torch.tensor([0, 0, 0.25 * 1e-3**-0.75]), rtol=1e-5, atol=0)
