import numpy as np
import pytest
import torch

from engine.methods.cam_training.arms import (
    Cropped,
    Decorrelated,
    allowed_box,
    drawn,
    mean_mask,
    shown,
    started,
    within,
)
from engine.methods.cam_training.balance import as_they_are
from engine.methods.cam_training.geometry import WHOLE
from engine.methods.cam_training.result import ImageMasks
from engine.methods.cam_training.settings import MaskSettings, TeachingSettings
from engine.methods.cam_training.training_images import Masking, TrainingImages, reader
from engine.runs.progress import Progress
from engine.subject.classifier import weights_hash
from tests.methods.cam_training.planted import COLOURS, SIDE, planted_images, random_images, striped_subject

IMAGES = planted_images(counts={"train": 40})


def training(masking: Masking | None = None) -> TrainingImages:
    own = np.arange(len(IMAGES))
    masking = masking or Masking(MaskSettings())
    return TrainingImages(IMAGES, own, as_they_are(len(own)), masking, reader(IMAGES, own, Progress()))


def weights_of(settings: TeachingSettings, subject=None) -> dict[str, torch.Tensor]:
    subject = subject or striped_subject(IMAGES)
    return started(subject, settings, random_images(1)).network.state_dict()


def test_from_scratch_the_weights_hang_on_the_seed_alone():
    subject = striped_subject(IMAGES)
    first, again, other = (
        weights_hash(started(subject, TeachingSettings(seed=seed), random_images(1)).network) for seed in (1, 1, 2)
    )
    assert first == again != other


def test_a_reset_draws_the_last_layer_anew_and_keeps_the_rest():
    subject = striped_subject(IMAGES)
    given = subject.classifier.network.state_dict()
    first, again, other = (weights_of(TeachingSettings(start="reset", seed=seed), subject) for seed in (1, 1, 2))
    for name, tensor in given.items():
        assert torch.equal(first[name], again[name])
        assert torch.equal(first[name], tensor) != name.startswith("fc.")
        assert torch.equal(first[name], other[name]) != name.startswith("fc.")


def test_going_on_starts_from_a_copy_of_the_given_weights():
    subject = striped_subject(IMAGES)
    classifier = started(subject, TeachingSettings(start="continue"), random_images(1))
    assert weights_hash(classifier.network) == weights_hash(subject.classifier.network)
    with torch.no_grad():
        classifier.network.fc.weight.zero_()
    assert weights_hash(classifier.network) != weights_hash(subject.classifier.network)


def test_what_cannot_be_drawn_is_refused():
    subject = striped_subject(IMAGES)
    without = type(subject)(**{**vars(subject), "draw": None})
    with pytest.raises(ValueError, match="can't be drawn"):
        started(without, TeachingSettings(), random_images(1))


def test_a_crop_is_the_box_and_nothing_else_drawn_out():
    classifier = striped_subject(IMAGES).classifier
    cropped = Cropped(classifier, (0.25, 0.25, 0.75, 0.75))
    images = random_images(3)
    outside = images.clone()
    outside[..., :4, :] = outside[..., 12:, :] = 0
    outside[..., :, :4] = outside[..., :, 12:] = 1
    torch.testing.assert_close(cropped(images), cropped(outside))
    expected = torch.nn.functional.interpolate(images[..., 4:12, 4:12], size=(SIDE, SIDE), mode="bilinear")
    torch.testing.assert_close(cropped(images), classifier(expected))
    assert cropped.network is classifier.network
    assert cropped.training is classifier.training


def test_the_box_is_that_around_what_is_allowed():
    mask = np.ones((1, 10, 20))
    mask[0, 2:5, 6:16] = 0
    assert allowed_box(mask) == (0.2, 0.3, 0.5, 0.8)
    masks = np.concatenate([mask, np.ones((1, 10, 20)), mask])
    assert allowed_box(masks) == (0.2, 0.3, 0.5, 0.8)
    with pytest.raises(ValueError, match="no place in common"):
        allowed_box(np.concatenate([mask, np.ones((2, 10, 20))]))
    with pytest.raises(ValueError, match="reaches to all four edges"):
        allowed_box(1 - mask)


def test_only_the_crop_is_shown_less():
    classifier = striped_subject(IMAGES).classifier
    for arm in ("default", "cam", "decorrelated"):
        assert shown(classifier, TeachingSettings(arm=arm), training()) == (classifier, WHOLE)
    cropped, box = shown(classifier, TeachingSettings(arm="crop"), training())
    assert box == (0.25, 0.25, 0.75, 0.75)
    assert isinstance(cropped, Cropped)
    assert within((0.1, 0.0, 0.9, 1.0), (0.2, 0.5, 0.7, 1.0)) == pytest.approx((0.25, 0.5, 0.65, 1.0))


def test_of_single_masks_the_crop_takes_the_mean():
    inside = np.zeros((len(IMAGES), SIDE, SIDE), np.uint8)
    inside[:, 4:8, 4:12] = 255
    inside[::3, 8:12, 4:12] = 255
    each = Masking(MaskSettings("each"), None, ImageMasks(IMAGES.ids, inside))
    found = mean_mask(training(each))
    np.testing.assert_allclose(found[0], 1 - inside.mean(axis=0) / 255, atol=1e-6)
    assert allowed_box(found) == (0.25, 0.25, 0.5, 0.75)


def test_other_arms_are_given_the_images_as_they_are():
    rows = torch.tensor([3, 1])
    for arm in ("default", "cam", "crop"):
        found = drawn(TeachingSettings(arm=arm), training())(rows, 0)
        assert found.dtype == torch.uint8
        np.testing.assert_array_equal(found.numpy(), IMAGES.read(rows.numpy()))


def colour_around(pixels: np.ndarray) -> np.ndarray:
    """Which class's colour lies around, by the mean of the upper edge."""
    edges = pixels[:, :, :2].mean(axis=(2, 3))
    return np.abs(edges[:, None] - COLOURS).sum(axis=2).argmin(axis=1)


def test_decorrelated_images_keep_their_object_and_take_half_of_their_backgrounds_elsewhere():
    rows = np.arange(len(IMAGES))
    arm = Decorrelated(0, training())
    shares = []
    for epoch in range(20):
        pixels = arm(rows, epoch)
        np.testing.assert_array_equal(pixels[:, :, 4:12, 4:12], IMAGES.read(rows)[:, :, 4:12, 4:12])
        shares.append((colour_around(pixels) != IMAGES.labels).mean())
    assert np.mean(shares) == pytest.approx(0.5, abs=0.06)  # 800 draws: four standard deviations
    assert np.std(shares) > 0


def test_backgrounds_are_drawn_anew_each_epoch_by_the_seed():
    rows = torch.arange(len(IMAGES))

    def epochs(seed: int) -> np.ndarray:
        source = drawn(TeachingSettings(arm="decorrelated", seed=seed), training())
        return np.stack([source(rows, epoch).numpy() for epoch in range(2)])

    first = epochs(1)
    np.testing.assert_array_equal(first, epochs(1))
    assert (first[0] != first[1]).any()
    assert (first != epochs(2)).any()
    # whatever the batches are
    source = drawn(TeachingSettings(arm="decorrelated", seed=1), training())
    np.testing.assert_array_equal(np.concatenate([source(part, 0).numpy() for part in rows.split(7)]), first[0])
