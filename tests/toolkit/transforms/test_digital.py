from __future__ import annotations

import io

import numpy as np
import pytest
import torch
from PIL import Image

from tests.toolkit.transforms.made import SHAPES, applied, made_images


def pixelated_by_the_book(plane, share):
    """Every pixel repeated until each cell holds a whole number of them; the pixel in the middle of a cell shows it."""
    height, width = plane.shape
    down, across = max(1, round(height * share)), max(1, round(width * share))
    fine = plane.repeat(down, axis=0).repeat(across, axis=1)
    cells = fine.reshape(down, height, across, width).mean(axis=(1, 3))
    rows = [int((row + 0.5) * down / height) for row in range(height)]
    columns = [int((column + 0.5) * across / width) for column in range(width)]
    return cells[rows][:, columns]


@pytest.mark.parametrize("shape", SHAPES)
def test_pixelate_agrees_with_the_book(shape):
    images, values = made_images(6, shape), [0.99, 0.8, 0.5, 0.31, 0.1, 0.001]
    out = applied("pixelate", images, values).numpy()
    for place, image in enumerate(images.double().numpy()):
        expected = [pixelated_by_the_book(plane, values[place]) for plane in image]
        np.testing.assert_allclose(out[place], np.stack(expected), rtol=0, atol=1e-5)


def test_half_the_resolution_is_the_mean_of_each_four_pixels():
    images = torch.arange(16.0).reshape(1, 1, 4, 4) / 16
    expected = torch.tensor(
        [[2.5, 2.5, 4.5, 4.5], [2.5, 2.5, 4.5, 4.5], [10.5, 10.5, 12.5, 12.5], [10.5, 10.5, 12.5, 12.5]]
    )
    torch.testing.assert_close(applied("pixelate", images, [0.5])[0, 0], expected / 16)


@pytest.mark.parametrize("shape", SHAPES)
def test_quantise_takes_the_nearest_of_its_levels(shape):
    images, values = made_images(4, shape), [7.5, 4.2, 2.0, 1.0]
    out = applied("quantise", images, values).numpy()
    for place, image in enumerate(images.double().numpy()):
        levels = np.linspace(0, 1, round(2 ** values[place]))
        expected = levels[np.abs(image[..., None] - levels).argmin(axis=-1)]
        np.testing.assert_allclose(out[place], expected, rtol=0, atol=1e-6)
        assert len(np.unique(out[place])) <= len(levels)


@pytest.mark.parametrize("shape", SHAPES)
def test_jpeg_is_what_pillow_makes_of_the_file(shape, tmp_path):
    images, values = made_images(4, shape), [95.4, 60.0, 20.0, 1.0]
    out = applied("jpeg", images, values)
    for place, image in enumerate(images):
        grey = np.rint(image[0].numpy() * 255).astype(np.uint8)
        pixels = grey if shape[0] == 1 else np.rint(image.permute(1, 2, 0).numpy() * 255).astype(np.uint8)
        file = io.BytesIO()
        Image.fromarray(pixels, "L" if shape[0] == 1 else "RGB").save(file, "JPEG", quality=round(values[place]))
        opened = np.atleast_3d(np.asarray(Image.open(file))).transpose(2, 0, 1)
        np.testing.assert_allclose(out[place].numpy(), opened / 255, rtol=0, atol=1e-6)


def test_a_lower_quality_is_further_from_the_image():
    images = made_images(1, (3, 32, 32)).expand(5, -1, -1, -1)
    distance = (applied("jpeg", images, [99.0, 80.0, 50.0, 20.0, 1.0]) - images).square().mean(dim=(1, 2, 3))
    assert (distance.diff() > 0).all()
