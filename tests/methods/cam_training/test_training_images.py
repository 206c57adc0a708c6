import numpy as np
import pytest

from engine.methods.cam_training import training_images as module
from engine.methods.cam_training.balance import Copies, as_they_are
from engine.methods.cam_training.geometry import WHOLE
from engine.methods.cam_training.result import ImageMasks
from engine.methods.cam_training.settings import MaskSettings
from engine.methods.cam_training.training_images import Masking, TrainingImages, reader
from engine.runs.progress import Progress
from tests.methods.cam_training.planted import SIDE, planted_images

IMAGES = planted_images(counts={"train": 6})
OWN = np.array([4, 0, 2])


def training(copies: Copies | None = None, masking: Masking | None = None) -> TrainingImages:
    masking = masking or Masking(MaskSettings())
    return TrainingImages(IMAGES, OWN, copies or as_they_are(3), masking, reader(IMAGES, OWN, Progress()))


def own_masks() -> Masking:
    """For each image another quarter of it."""
    inside = np.zeros((6, SIDE, SIDE), np.uint8)
    for number in range(6):
        inside[number, 2 * number : 2 * number + 4, 3:9] = 255
    return Masking(MaskSettings("each"), None, ImageMasks(IMAGES.ids, inside))


def test_rows_are_images_and_their_labels():
    found = training()
    np.testing.assert_array_equal(found.pixels(np.array([2, 0])), IMAGES.read(OWN[[2, 0]]))
    np.testing.assert_array_equal(found.labels, IMAGES.labels[OWN])


def test_large_sets_are_read_when_they_are_needed(monkeypatch):
    expected = reader(IMAGES, OWN, Progress())(np.array([1, 1, 2]))
    monkeypatch.setattr(module, "ONCE_BYTES", 10)
    np.testing.assert_array_equal(reader(IMAGES, OWN, Progress())(np.array([1, 1, 2])), expected)


def test_a_shape_is_one_mask_for_all():
    assert training().forbidden(np.arange(3)).shape == (1, SIDE, SIDE)
    cells = training().forbidden_cells(WHOLE, 4, 4)
    assert cells[0].tolist() == [[1, 1, 1, 1], [1, 0, 0, 1], [1, 0, 0, 1], [1, 1, 1, 1]]


def test_masks_of_single_images_follow_their_rows():
    found = training(masking=own_masks()).forbidden(np.array([1, 0]))
    expected = own_masks().image_masks.inside[OWN[[1, 0]]] == 0
    np.testing.assert_array_equal(found, expected)


def test_masks_move_with_their_copies():
    copies = Copies(np.array([0, 1, 1]), np.array([[0, 0], [0, 0], [3, -1]]), np.array([1, 1, 1.05], np.float32))
    for masking in (None, own_masks()):
        found = training(copies, masking)
        masks = found.forbidden(np.arange(3))
        assert masks.shape == (3, SIDE, SIDE)
        np.testing.assert_array_equal(masks[2, 3:, :-1], masks[1, :-3, 1:])
        pixels = found.pixels(np.arange(3)).astype(float)
        np.testing.assert_allclose(pixels[2, :, 3:, :-1], np.clip(1.05 * pixels[1, :, :-3, 1:], 0, 255), atol=0.51)
        assert found.forbidden_cells(WHOLE, 8, 8).shape == (3, 8, 8)


def test_images_without_their_mask_are_named():
    masks = own_masks().image_masks
    some = Masking(MaskSettings("each"), None, ImageMasks(masks.ids[:3], masks.inside[:3]))
    with pytest.raises(ValueError, match=f"1 of 3 images have no mask of their own .{IMAGES.ids[4]}"):
        training(masking=some).forbidden(np.arange(3))
