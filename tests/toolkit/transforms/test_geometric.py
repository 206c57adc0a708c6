from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from scipy.ndimage import map_coordinates

from engine.toolkit.transforms.draws import drawn
from engine.toolkit.transforms.families import FAMILIES, GEOMETRY, family_named
from engine.toolkit.transforms.geometric import displacement, rotation, scale, shear, translation_x, translation_y
from engine.toolkit.transforms.transform import transform
from tests.toolkit.transforms.made import COLOUR_32, SHAPES, WIDE, applied, made_images

GEOMETRIC = [family.name for family in FAMILIES if family.group == GEOMETRY]


def forward_by_the_book(name, value, shares, height, width):
    """Where a family takes a point, seen from the centre, x to the right and y DOWN: a 3 x 3 matrix."""
    short = min(height, width)
    if name == "rotation":  # in axes with y up: (cos, -sin; sin, cos); y turned over twice changes the sines' signs
        turn = math.radians(value)
        return np.array([[math.cos(turn), math.sin(turn), 0], [-math.sin(turn), math.cos(turn), 0], [0, 0, 1]])
    if name == "translation_x":
        return np.array([[1, 0, value / 100 * short], [0, 1, 0], [0, 0, 1]])
    if name == "translation_y":
        return np.array([[1, 0, 0], [0, 1, value / 100 * short], [0, 0, 1]])
    if name == "scale":
        return np.diag([value, value, 1])
    if name == "shear":  # above the centre y is negative: there things go to the right
        return np.array([[1, -math.tan(math.radians(value)), 0], [0, 1, 0], [0, 0, 1]])
    return homography_by_the_book(value, shares, height, width)


def homography_by_the_book(percent, shares, height, width):
    """The matrix that takes the corners to the pulled ones: the null vector of the usual eight equations."""
    equations = []
    for (right, down), (across, along) in zip([(-1, -1), (1, -1), (1, 1), (-1, 1)], shares, strict=True):
        x, y = right * width / 2, down * height / 2
        u = x - right * across * percent / 200 * width
        v = y - down * along * percent / 200 * height
        equations.append([x, y, 1, 0, 0, 0, -u * x, -u * y, -u])
        equations.append([0, 0, 0, x, y, 1, -v * x, -v * y, -v])
    return np.linalg.svd(np.array(equations))[2][-1].reshape(3, 3)


def cubic_weights_by_the_book(knots, length):
    """(length, knots): Keys' cubic convolution with a = -0.75, the outermost knots on the outermost pixels."""
    matrix = np.zeros((length, knots))
    for pixel in range(length):
        place = pixel * (knots - 1) / (length - 1)
        for knot in range(math.floor(place) - 1, math.floor(place) + 3):
            d = abs(place - knot)
            near, far = (1.25 * d - 2.25) * d * d + 1, -0.75 * (((d - 5) * d + 8) * d - 4)
            matrix[pixel, min(max(knot, 0), knots - 1)] += near if d <= 1 else far if d < 2 else 0
    return matrix


def field_by_the_book(percent, knots, height, width):
    down, across = cubic_weights_by_the_book(4, height), cubic_weights_by_the_book(4, width)
    field = np.stack([down @ each @ across.T for each in knots])
    return field / np.sqrt((field**2).sum(axis=0).mean()) * percent / 100 * min(height, width)


def moved_by_the_book(image, values, draws):
    """One image (C, H, W), pixel by pixel: where does its value come from? `values` in the order of application."""
    _, height, width = image.shape
    forward, field = np.eye(3), np.zeros((2, height, width))
    for name, value in values.items():
        if name == "elastic":
            field = field_by_the_book(value, draws[name], height, width)
        else:
            forward = forward_by_the_book(name, value, draws.get(name), height, width) @ forward
    backward = np.linalg.inv(forward)
    out = np.zeros_like(image)
    for row in range(height):
        for column in range(width):
            x, y = column + 0.5 - width / 2, row + 0.5 - height / 2
            x, y, z = backward @ [x + field[0, row, column], y + field[1, row, column], 1]
            place = [[y / z + height / 2 - 0.5], [x / z + width / 2 - 0.5]]
            for channel, plane in enumerate(image):
                out[channel, row, column] = map_coordinates(plane, place, order=1, mode="nearest")[0]
    return out


def assert_as_by_the_book(images, names, values):
    ids = [str(place) for place in range(len(images))]
    draws = drawn(names, ids, tuple(images.shape[1:]), seed=0)
    out = transform(images, names, torch.tensor(values, dtype=images.dtype), draws)
    for place, image in enumerate(images.numpy()):
        own = {name: rows[place].double().numpy() for name, rows in draws.items()}
        expected = moved_by_the_book(image.astype(np.float64), dict(zip(names, values[place], strict=True)), own)
        np.testing.assert_allclose(out[place].numpy(), expected, rtol=0, atol=2e-5)


@pytest.mark.parametrize("shape", [(1, 14, 14), (3, 12, 20)])
@pytest.mark.parametrize("name", GEOMETRIC)
def test_each_family_agrees_with_the_book(name, shape):
    family = family_named(name)
    severities = (0.35, 1) if len(family.signs) == 1 else (0.35, 1, -0.35, -1)
    values = [[family.value(severity)] for severity in severities]
    assert_as_by_the_book(made_images(len(values), shape), [name], values)


def test_all_families_together_are_the_product_of_their_maps_and_one_interpolation():
    values = [[family_named(name).value(size) for name in GEOMETRIC] for size in (0.2, 0.5)]
    assert_as_by_the_book(made_images(2, (1, 12, 20)), GEOMETRIC, values)


def test_a_turn_and_a_slant_take_one_interpolation():
    assert_as_by_the_book(made_images(1, (3, 12, 20)), ["rotation", "shear"], [[20, 15]])


@pytest.mark.parametrize("name", ["rotation", "translation_x", "translation_y", "scale", "shear"])
def test_a_change_and_its_opposite_are_no_change(name):
    matrix = {
        "rotation": rotation,
        "translation_x": translation_x,
        "translation_y": translation_y,
        "scale": scale,
        "shear": shear,
    }[name]
    family = family_named(name)
    there, back = (matrix(torch.tensor([family.value(sign * 0.6)], dtype=torch.float64), (24, 40)) for sign in (1, -1))
    torch.testing.assert_close((there @ back)[0], torch.eye(3, dtype=torch.float64), rtol=0, atol=1e-12)


def test_a_quarter_turn_goes_counter_clockwise():
    images = made_images(2, COLOUR_32)
    torch.testing.assert_close(applied("rotation", images, [90, 90]), images.rot90(1, (2, 3)), rtol=0, atol=1e-5)


@pytest.mark.parametrize(("name", "axis"), [("translation_x", 3), ("translation_y", 2)])
def test_a_shift_by_whole_pixels_moves_them_and_repeats_the_border(name, axis):
    images = made_images(1, WIDE)
    out = applied(name, images, [100 * 5 / 24])  # 5 pixels of a shorter side of 24
    length = images.shape[axis]
    moved, border = images.narrow(axis, 0, length - 5), images.narrow(axis, 0, 1)
    torch.testing.assert_close(out.narrow(axis, 5, length - 5), moved, rtol=0, atol=1e-5)
    torch.testing.assert_close(out.narrow(axis, 0, 5), border.repeat_interleave(5, axis), rtol=0, atol=1e-5)


def test_a_slant_of_45_degrees_moves_a_row_by_its_height_over_the_middle():
    images = made_images(1, (1, 9, 9))
    out = applied("shear", images, [45])
    for row in range(9):
        right = 4 - row
        expected = images[..., row, :].roll(right, -1)
        inside = slice(max(right, 0), 9 + min(right, 0))
        torch.testing.assert_close(out[..., row, inside], expected[..., inside], rtol=0, atol=1e-5)


def test_twice_the_size_shows_the_middle_half():
    images = torch.zeros(1, 1, 16, 16)
    images[..., 4:12, 4:12] = 1
    out = applied("scale", images, [2])
    assert out[..., 1:-1, 1:-1].min() > 0.99
    assert applied("scale", images, [0.5]).sum() == pytest.approx(16, abs=0.01)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize(("name", "axis"), [("rotation", 3), ("translation_x", 3), ("shear", 3), ("translation_y", 2)])
def test_the_two_sides_are_mirror_images_on_images_that_are(name, axis, shape):
    images = made_images(2, shape)
    images = (images + images.flip(axis)) / 2
    values = [family_named(name).value(size) for size in (0.4, 1)]
    there, back = applied(name, images, values), applied(name, images, [-value for value in values])
    torch.testing.assert_close(there.flip(axis), back, rtol=0, atol=1e-4)


@pytest.mark.parametrize("size", [(28, 28), (24, 40)])
def test_the_elastic_field_has_the_length_it_says_and_is_only_scaled(size):
    knots = drawn(["elastic"], ["a", "b", "c"], (1, *size), seed=0)["elastic"]
    field = displacement(torch.tensor([2.5, 5.0, 10.0]), knots, size)
    length = field.square().sum(dim=3).mean(dim=(1, 2)).sqrt()
    torch.testing.assert_close(length, torch.tensor([2.5, 5.0, 10.0]) / 100 * min(size))
    twice = displacement(torch.tensor([5.0, 10.0, 20.0]), knots, size)
    torch.testing.assert_close(twice, 2 * field)


def test_at_the_far_end_the_elastic_field_seldom_folds_over():
    knots = drawn(["elastic"], [str(place) for place in range(300)], (1, 64, 64), seed=0)["elastic"]
    field = displacement(torch.full((300,), family_named("elastic").value(1)), knots, (64, 64))
    right, down = field.diff(dim=2)[:, 1:], field.diff(dim=1)[:, :, 1:]
    area = (1 + right[..., 0]) * (1 + down[..., 1]) - right[..., 1] * down[..., 0]
    assert (area < 0).float().mean() < 0.02


def test_a_pulled_corner_shows_where_it_was_pulled_to():
    images = torch.zeros(1, 1, 32, 32)
    images[..., :3, :3] = 1
    draws = {"perspective": torch.tensor([[[1.0, 1.0], [0, 0], [0, 0], [0, 0]]])}
    out = transform(images, ["perspective"], torch.tensor([[40.0]]), draws)
    assert out[0, 0, 6, 6] > 0.9  # 20 % of 32 pixels from each border
    assert out[0, 0, 10:].max() == 0
    assert out[0, 0, :, 10:].max() == 0
