from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from engine.methods.cam_training.colouring import BLUE, ORANGE, UNSEEN, coloured, full_colour, overlay


def test_for_is_blue_against_orange_and_nothing_white():
    found = coloured(np.array([[2.0, -2.0, 0.0, np.nan, 9.0]]), 2.0)[0]
    np.testing.assert_array_equal(found, [BLUE, ORANGE, [255] * 3, [UNSEEN] * 3, BLUE])


@given(values=arrays(np.float32, (3, 4), elements=st.floats(-10, 10, width=32)), most=st.floats(0.5, 20))
def test_more_evidence_is_never_paler(values, most):
    found = coloured(values, most).astype(int)
    darkness = 255 * 3 - found.sum(axis=2)
    for sign in (1, -1):
        order = np.argsort(np.where(sign * values > 0, sign * values, 0), axis=None)
        assert (np.diff(np.where(sign * values > 0, darkness, 0).ravel()[order]) >= -3).all()


def test_the_same_evidence_has_the_same_colour_in_every_map():
    first, second = np.array([[1.0, 3.0]]), np.array([[1.0, 0.0]])
    np.testing.assert_array_equal(coloured(first, 3.0)[0, 0], coloured(second, 3.0)[0, 0])


@pytest.mark.parametrize("channels", [1, 3])
def test_an_image_shows_in_grey_where_there_is_no_evidence_or_nothing_is_seen(channels):
    pixels = np.random.default_rng(0).integers(0, 256, (channels, 2, 3)).astype(np.uint8)
    found = overlay(pixels, np.array([[0, 0, 0], [np.nan] * 3]), 1.0)
    grey = pixels[0] if channels == 1 else np.tensordot([0.299, 0.587, 0.114], pixels.astype(float), 1)
    np.testing.assert_allclose(found, np.repeat(np.asarray(grey)[..., None], 3, axis=2), atol=0.51)
    covered = overlay(pixels, np.full((2, 3), 1.0), 1.0).astype(int)
    assert (np.abs(covered - BLUE) <= 0.16 * 255).all()


def test_a_map_of_nothing_is_white():
    assert (coloured(np.zeros((2, 2)), full_colour(np.zeros((1, 2, 2)))) == 255).all()
    assert full_colour(np.zeros((0, 2, 2))) == 0


def test_one_extreme_cell_does_not_make_the_others_pale():
    maps = np.ones((10, 10, 10))
    maps[0, 0, 0] = -1000
    assert full_colour(maps) == 1
