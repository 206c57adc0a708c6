from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
import torch

from engine.toolkit.transforms.cover import band
from tests.toolkit.transforms.made import SHAPES, WIDE, applied, chance, made_images

COVERS = ["occlusion", "time_mask", "frequency_mask"]


def overlap(start, stop, pixel):
    return max(0.0, min(stop, pixel + 1) - max(start, pixel))


def covered_by_the_book(name, image, percent, place):
    channels, height, width = image.shape
    columns, rows, colour = (0.0, float(width)), (0.0, float(height)), 0.0
    if name == "occlusion":
        half, colour = percent / 100 * min(height, width) / 2, 0.5
        x, y = (0.3 + 0.4 * place[0]) * width, (0.3 + 0.4 * place[1]) * height
        columns, rows = (x - half, x + half), (y - half, y + half)
    elif name == "time_mask":
        start = place[0] * (1 - percent / 100) * width
        columns = (start, start + percent / 100 * width)
    else:
        start = place[0] * (1 - percent / 100) * height
        rows = (start, start + percent / 100 * height)
    out = image.copy()
    for channel in range(channels):
        for row in range(height):
            for column in range(width):
                share = overlap(*rows, row) * overlap(*columns, column)
                out[channel, row, column] = (1 - share) * image[channel, row, column] + share * colour
    return out


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("name", COVERS)
def test_covers_agree_with_the_book(name, shape):
    images, values = made_images(3, shape), [7.3, 31.0, 50.0]
    out, places = applied(name, images, values).numpy(), chance(name, images).double().numpy()
    for place, image in enumerate(images.numpy()):
        expected = covered_by_the_book(name, image.astype(np.float64), values[place], places[place])
        np.testing.assert_allclose(out[place], expected, rtol=0, atol=1e-5)


@pytest.mark.parametrize(
    ("name", "percent", "share"),
    [
        ("occlusion", 60, 0.36 * 24 * 24 / (24 * 40)),
        ("occlusion", 13, 0.13**2 * 24 * 24 / (24 * 40)),
        ("time_mask", 50, 0.5),
        ("time_mask", 3, 0.03),
        ("frequency_mask", 50, 0.5),
    ],
)
def test_the_whole_stated_size_is_covered_wherever_it_lies(name, percent, share):
    out = applied(name, torch.ones(200, *WIDE), [percent] * 200)
    black_or_grey = (1 - out) / (0.5 if name == "occlusion" else 1)
    torch.testing.assert_close(black_or_grey.mean(dim=(1, 2, 3)), torch.full((200,), share), rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("name", COVERS)
def test_a_larger_cover_hides_all_that_a_smaller_one_does(name):
    hidden = [1 - applied(name, torch.ones(50, *WIDE), [percent] * 50) for percent in (5, 10, 20, 50)]
    for smaller, larger in pairwise(hidden):
        assert (larger >= smaller - 1e-6).all()


def test_bands_lie_anywhere_from_one_border_to_the_other():
    width, places = torch.full((3, 1, 1, 1), 25.0), torch.tensor([[0.0], [0.5], [1.0]])
    expected = [[1, 1, 0, 0, 0, 0, 0, 0], [0, 0, 0, 1, 1, 0, 0, 0], [0, 0, 0, 0, 0, 0, 1, 1]]
    torch.testing.assert_close(band(width, places, 8), torch.tensor(expected).float())
