from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.methods.cam_training.pasting import filled, off_centre, pasted, strange_backgrounds, swapped_with


def drawn(shape, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8)


def squares(count: int, side: int, size: int, seed: int = 0) -> np.ndarray:
    """Masks with a square somewhere."""
    corners = np.random.default_rng(seed).integers(0, side - size + 1, (count, 2))
    inside = np.zeros((count, side, side), np.float32)
    for mask, (top, left) in zip(inside, corners, strict=True):
        mask[top : top + size, left : left + size] = 1
    return inside


def test_an_object_keeps_its_pixels_and_the_rest_is_the_other_picture_s():
    objects, backgrounds, inside = drawn((4, 3, 10, 10)), drawn((4, 3, 10, 10), 1), squares(4, 10, 4)
    found = pasted(objects, inside, backgrounds, np.zeros((1, 10, 10)))
    assert found.dtype == np.uint8
    np.testing.assert_array_equal(found, np.where(inside[:, None] > 0, objects, backgrounds))


def test_half_a_pixel_is_half_of_each():
    found = pasted(
        np.full((1, 1, 1, 1), 200, np.uint8),
        np.full((1, 1, 1), 0.5),
        np.zeros((1, 1, 1, 1), np.uint8),
        np.zeros((1, 1, 1)),
    )
    assert found.item() == 100


def test_nothing_of_the_other_picture_s_object_shows():
    """Backgrounds are dark, their objects bright: brightness outside the object's place would be the other's."""
    backgrounds, theirs, ours = np.full((6, 3, 16, 16), 20, np.uint8), squares(6, 16, 8, 1), squares(6, 16, 5, 2)
    backgrounds[np.broadcast_to(theirs[:, None] > 0, backgrounds.shape)] = 250
    found = pasted(np.full((6, 3, 16, 16), 120, np.uint8), ours, backgrounds, theirs)
    np.testing.assert_array_equal(found, np.where(ours[:, None] > 0, 120, 20) * np.ones((1, 3, 1, 1)))


def test_a_filled_pixel_has_the_colour_of_the_nearest_of_the_background():
    pictures, inside = drawn((3, 2, 9, 9)), squares(3, 9, 5)
    found = filled(pictures, inside)
    for picture, mask, full in zip(pictures, inside, found, strict=True):
        background = np.argwhere(mask == 0)
        for i, j in np.argwhere(mask > 0):
            distance = ((background - (i, j)) ** 2).sum(axis=1)
            nearest = background[distance == distance.min()]
            assert any((full[:, i, j] == picture[:, a, b]).all() for a, b in nearest)
        np.testing.assert_array_equal(full[:, mask == 0], picture[:, mask == 0])


def test_a_picture_that_is_all_object_becomes_its_mean_colour():
    pictures = drawn((2, 3, 6, 6))
    found = filled(pictures, np.ones((1, 6, 6)))
    np.testing.assert_array_equal(found[0], np.rint(pictures[0].mean(axis=(1, 2)))[:, None, None] * np.ones((1, 6, 6)))


def test_one_mask_for_all_is_as_many_times_the_same():
    pictures, inside = drawn((5, 3, 12, 12)), squares(1, 12, 6)
    np.testing.assert_array_equal(filled(pictures, inside), filled(pictures, np.repeat(inside, 5, axis=0)))


@given(
    labels=st.lists(st.integers(0, 3), min_size=2, max_size=30).filter(lambda each: len(set(each)) > 1),
    seed=st.integers(0, 99),
)
def test_every_image_is_given_one_of_another_class(labels, seed):
    labels = np.array(labels)
    other = swapped_with(labels, np.random.default_rng(seed))
    assert (labels[other] != labels).all()


def test_other_classes_are_equally_likely_however_many_images_they_have():
    labels = np.array([0] * 50 + [1] * 48 + [2] * 2)
    draws = np.random.default_rng(0)
    taken = np.concatenate([swapped_with(labels, draws)[:50] for _ in range(100)])
    share = (labels[taken] == 2).mean()
    assert 0.46 < share < 0.54
    assert set(taken) == set(range(50, 100))


def test_with_one_class_nothing_can_be_swapped():
    with pytest.raises(ValueError, match="images of one class"):
        swapped_with(np.zeros(5, np.int64), np.random.default_rng(0))


def test_strange_backgrounds_are_smooth_and_each_of_a_colour_of_its_own():
    found = strange_backgrounds(200, 3, 32, 32, np.random.default_rng(0))
    assert (found.shape, found.dtype) == ((200, 3, 32, 32), np.uint8)
    steps = np.abs(np.diff(found.astype(int), axis=3)).mean()
    means = found.mean(axis=(2, 3))
    assert steps < 4 < found.std(axis=(2, 3)).mean()
    assert (means.std(axis=0) > 40).all()
    assert np.abs(np.corrcoef(means.T)[0, 1]) < 0.2
    again = strange_backgrounds(200, 3, 32, 32, np.random.default_rng(0))
    np.testing.assert_array_equal(found, again)
    assert strange_backgrounds(2, 1, 5, 7, np.random.default_rng(0)).shape == (2, 1, 5, 7)


@settings(deadline=None, max_examples=30)
@given(size=st.integers(1, 11), seed=st.integers(0, 1000))
def test_a_moved_object_is_whole_and_at_least_a_quarter_of_the_room_away(size, seed):
    inside = squares(5, 12, size, seed)
    pictures = np.where(inside[:, None] > 0, 100 + drawn((5, 1, 12, 12), seed) % 100, 7).astype(np.uint8)
    found = off_centre(pictures, inside, np.random.default_rng(seed))
    for before, mask, after in zip(pictures[:, 0], inside > 0, found[:, 0], strict=True):
        there = np.argwhere(after != 7)
        assert len(there) == mask.sum()
        old, new = np.argwhere(mask).min(axis=0), there.min(axis=0)
        np.testing.assert_array_equal(
            after[new[0] : new[0] + size, new[1] : new[1] + size],
            before[old[0] : old[0] + size, old[1] : old[1] + size],
        )
        assert np.abs(new - old).max() >= max(1, np.ceil((12 - size) / 4))


def test_all_places_that_are_far_enough_come_up():
    inside = np.zeros((1, 5, 5), np.float32)
    inside[:, 1:4, 1:4] = 1
    pictures = np.repeat(np.where(inside[:, None] > 0, 200, 0).astype(np.uint8), 400, axis=0)
    found = off_centre(pictures, inside, np.random.default_rng(0))
    corners = {tuple(np.argwhere(each[0] > 0).min(axis=0)) for each in found}
    assert corners == {(a, b) for a in range(3) for b in range(3)} - {(1, 1)}


def test_an_object_without_room_stays():
    pictures = drawn((2, 3, 6, 6))
    np.testing.assert_array_equal(off_centre(pictures, np.ones((1, 6, 6)), np.random.default_rng(0)), pictures)
    np.testing.assert_array_equal(off_centre(pictures, np.zeros((1, 6, 6)), np.random.default_rng(0)), pictures)
