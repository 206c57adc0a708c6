import numpy as np
import pytest

from engine.methods.cam_training.balance import as_they_are, brightened, filled_up, sampled, shifted

LABELS = np.array([0] * 20 + [1] * 5 + [2] * 2)


def test_sampling_gives_each_class_equally_often_in_each_epoch():
    order = sampled(LABELS, 3)
    for _ in range(4):
        rows = order().numpy()
        assert len(rows) == len(LABELS)
        assert np.bincount(LABELS[rows]).tolist() == [9, 9, 9]


def test_what_is_left_over_goes_to_classes_by_turns_and_nothing_comes_again_before_its_turn():
    labels = np.array([0] * 6 + [1] * 4)
    counts = [np.bincount(labels[sampled(labels[:9], seed)().numpy()]) for seed in range(20)]
    assert {tuple(count.tolist()) for count in counts} == {(5, 4), (4, 5)}
    rows = sampled(labels, 0)().numpy()
    own = rows[labels[rows] == 1]
    assert sorted(np.bincount(own, minlength=10)[6:].tolist()) == [1, 1, 1, 2]


def test_the_same_seed_draws_the_same_rows_and_another_others():
    first, again, other = (np.stack([order() for _ in range(3)]) for order in (sampled(LABELS, s) for s in (1, 1, 2)))
    np.testing.assert_array_equal(first, again)
    assert (first != other).any()
    assert (first[0] != first[1]).any()


def test_rare_classes_are_filled_up_with_copies_that_stay_close():
    copies = filled_up(LABELS, 32, 48, 0)
    assert np.bincount(LABELS[copies.rows]).tolist() == [20, 20, 20]
    np.testing.assert_array_equal(copies.rows[:27], np.arange(27))
    assert (copies.shifts[:27] == 0).all()
    assert (copies.brightness[:27] == 1).all()
    assert np.abs(copies.shifts[27:]).max(axis=0).tolist() == [2, 3]
    assert copies.shifts[27:].any()
    assert np.abs(copies.brightness[27:] - 1).max() <= 0.1
    assert np.bincount(copies.rows[27:])[25:].tolist() == [9, 9]  # each copied as often
    again = filled_up(LABELS, 32, 48, 0)
    np.testing.assert_array_equal(copies.shifts, again.shifts)


def test_moving_follows_every_pixel_and_draws_the_edge_out():
    pictures = np.arange(2 * 1 * 3 * 4).reshape(2, 1, 3, 4)
    moved = shifted(pictures, np.array([[1, -2], [0, 0]]))
    for row in range(3):
        for column in range(4):
            assert moved[0, 0, row, column] == pictures[0, 0, max(row - 1, 0), min(column + 2, 3)]
    np.testing.assert_array_equal(moved[1], pictures[1])
    masks = np.zeros((1, 3, 4))
    masks[0, 0, 3] = 1
    assert shifted(masks, np.array([[1, -2]]))[0, 1, 1] == 1


def test_brightness_stays_within_a_byte():
    pixels = np.array([[[[100, 250]]], [[[100, 250]]]], dtype=np.uint8)
    found = brightened(pixels, np.array([1.1, 0.9], dtype=np.float32))
    assert found.dtype == np.uint8
    assert found[:, 0, 0].tolist() == [[110, 255], [90, 225]]


@pytest.mark.parametrize("count", [1, 4])
def test_as_they_are_nothing_is_moved(count):
    copies = as_they_are(count)
    pixels = np.random.default_rng(0).integers(0, 256, (count, 3, 4, 4)).astype(np.uint8)
    np.testing.assert_array_equal(brightened(shifted(pixels, copies.shifts), copies.brightness), pixels)
