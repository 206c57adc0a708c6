from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from engine.methods.cam_training.geometry import WHOLE, between, map_on_image, mask_on_grid, overlap, seen_box
from engine.subject.blueprint import Blueprint
from engine.subject.classifier import Classifier
from engine.subject.frame import Frame
from engine.subject.preprocessing import Preprocessing


def blueprint(height: int, width: int) -> Blueprint:
    size = Preprocessing(1, height, width, (0.0,), (1.0,), "nearest")
    return Blueprint("seen", "seen", 2, 1, ("a", "b"), size, "none")


@pytest.mark.parametrize(
    ("frame", "wanted", "box"),
    [
        ((32, 32), (32, 32), WHOLE),
        ((16, 16), (224, 224), WHOLE),
        ((20, 40), (20, 40), WHOLE),
        ((32, 64), (32, 32), (0, 0.25, 1, 0.75)),
        ((64, 32), (8, 8), (0.25, 0, 0.75, 1)),
        ((16, 32), (32, 64), WHOLE),
        ((30, 50), (30, 31), (0, 10 / 50, 1, 41 / 50)),  # 9.5 pixels before the crop, rounded to even
    ],
)
def test_the_seen_part_is_the_middle_that_the_input_s_shape_leaves(frame, wanted, box):
    assert seen_box(blueprint(*wanted), Frame(1, *frame)) == pytest.approx(box)


@pytest.mark.parametrize(("frame", "wanted"), [((24, 40), (24, 24)), ((40, 24), (10, 12)), ((21, 50), (21, 30))])
def test_the_seen_part_is_what_preprocessing_leaves_of_an_image(frame, wanted):
    """Pixels that carry their own place come out of preprocessing with the places at the edges of the box."""
    made = blueprint(*wanted)
    rows, columns = np.mgrid[: frame[0], : frame[1]] + 0.5
    top, left, bottom, right = seen_box(made, Frame(1, *frame))
    for places, size, first, last, axis in ((rows, frame[0], top, bottom, 0), (columns, frame[1], left, right, 1)):
        image = torch.from_numpy(places / size).float()[None, None]
        with torch.inference_mode():
            shown = Classifier(torch.nn.Flatten(), made).preprocess(image)[0, 0].numpy()
        ends = shown.min(), shown.max()
        cell = (last - first) / wanted[axis] / 2
        assert ends[0] == pytest.approx(first + cell, abs=0.51 / size)
        assert ends[1] == pytest.approx(last - cell, abs=0.51 / size)


def slow_pool(mask: np.ndarray, box, height: int, width: int, finer: int = 60) -> np.ndarray:
    """Each cell is the mean over a fine grid of points in it."""
    out = np.zeros((height, width))
    for i in range(height):
        for j in range(width):
            down = box[0] + (box[2] - box[0]) * (i + (np.arange(finer) + 0.5) / finer) / height
            right = box[1] + (box[3] - box[1]) * (j + (np.arange(finer) + 0.5) / finer) / width
            out[i, j] = mask[np.ix_((down * mask.shape[0]).astype(int), (right * mask.shape[1]).astype(int))].mean()
    return out


@pytest.mark.parametrize("box", [WHOLE, (0, 0.25, 1, 0.75), (0.1, 0.2, 0.7, 0.9)])
@pytest.mark.parametrize("grid", [(3, 4), (10, 12), (5, 7), (20, 30)])
def test_a_cell_is_the_mean_of_what_it_covers(box, grid):
    mask = np.random.default_rng(0).random((2, 10, 12))
    found = mask_on_grid(mask, box, *grid)
    assert found.dtype == np.float32
    for each, pooled in zip(mask, found, strict=True):
        np.testing.assert_allclose(pooled, slow_pool(each, box, *grid), atol=0.02)


def test_a_wide_image_loses_its_sides():
    mask = np.zeros((1, 4, 8))
    mask[:, :, :2] = 1
    np.testing.assert_array_equal(mask_on_grid(mask, (0, 0.25, 1, 0.75), 2, 2), np.zeros((1, 2, 2)))
    drawn = map_on_image(np.ones((1, 2, 2)), (0, 0.25, 1, 0.75), 4, 8)[0]
    np.testing.assert_array_equal(np.isnan(drawn).any(axis=0), [1, 1, 0, 0, 0, 0, 1, 1])
    np.testing.assert_array_equal(drawn[:, 2:6], np.ones((4, 4)))


def test_a_map_of_the_image_s_own_size_stays_as_it_is():
    values = np.random.default_rng(0).standard_normal((3, 6, 5)).astype(np.float32)
    np.testing.assert_array_equal(map_on_image(values, WHOLE, 6, 5), values)
    np.testing.assert_array_equal(mask_on_grid(values, WHOLE, 6, 5), values)


@pytest.mark.parametrize("grid", [(1, 1), (2, 3), (7, 7)])
def test_a_map_is_drawn_out_as_torch_interpolates(grid):
    values = np.random.default_rng(1).standard_normal((2, *grid)).astype(np.float32)
    expected = torch.nn.functional.interpolate(torch.from_numpy(values)[None], size=(14, 21), mode="bilinear")[0]
    np.testing.assert_allclose(map_on_image(values, WHOLE, 14, 21), expected.numpy(), atol=1e-6)


@given(
    start=st.floats(0, 0.6),
    length=st.floats(0.1, 0.4),
    cells=st.integers(1, 9),
    pixels=st.integers(1, 40),
)
def test_cells_share_out_pixels_and_pixels_cells_completely(start, length, cells, pixels):
    shares = overlap(start, start + length, cells, pixels)
    np.testing.assert_allclose(shares.sum(axis=1), 1, atol=1e-9)
    weights = between(start, start + length, cells, pixels)
    middles = (np.arange(pixels) + 0.5) / pixels
    inside = (middles >= start) & (middles <= start + length)
    np.testing.assert_array_equal(np.isnan(weights).all(axis=1), ~inside)
    np.testing.assert_allclose(weights[inside].sum(axis=1), 1, atol=1e-9)
