import numpy as np
import pytest

from engine.methods.error_discovery.generator_images import few_images, generator_images, generator_size, kept_aside
from engine.methods.error_discovery.settings import GeneratorSettings
from engine.runs.progress import Progress
from engine.subject.frame import Frame
from engine.subject.image_set import ArrayPixels
from tests.conftest import colour_images
from tests.methods.error_discovery.made_search import COUNTS, SETTINGS, made_images, made_subject


def test_only_images_of_train_are_read_and_no_unit_is_on_both_sides():
    subject = made_subject()
    asked = []

    class Watched(ArrayPixels):
        def block(self, indices, frame):
            asked.extend(subject.images.roles[indices])
            return super().block(indices, frame)

    object.__setattr__(subject.images, "pixels", Watched(subject.images.pixels.array))
    found = generator_images(subject, SETTINGS, Progress())
    assert set(asked) == {"train"}
    assert len(found.pixels) == COUNTS["train"]
    own = subject.images.indices("train")
    order = own[np.argsort(subject.images.ids[own])]
    units = subject.images.units()[order]
    assert np.array_equal(found.labels, subject.images.labels[order])
    assert not set(units[found.kept]) & set(units[~found.kept])
    assert 0.05 < found.kept.mean() < 0.2


def test_who_is_kept_aside_stays_so_when_units_come_or_go():
    units = np.array([f"u{number}" for number in range(200)])
    kept = kept_aside(units)
    assert kept.sum() == 20
    fewer = kept_aside(units[:-1])
    assert (fewer != kept[:-1]).sum() <= 1


@pytest.mark.parametrize(
    ("frame", "side", "expected"),
    [
        (Frame(3, 32, 32), 64, (32, 32)),
        (Frame(3, 224, 224), 64, (64, 64)),
        (Frame(1, 100, 50), 64, (64, 32)),
        (Frame(1, 400, 1), 64, (64, 1)),
    ],
)
def test_large_images_are_generated_smaller(frame, side, expected):
    assert generator_size(frame, side) == expected


def test_images_are_shrunk_to_that_size():
    array = np.random.default_rng(0).integers(0, 256, (60, 32, 32, 3), dtype=np.uint8)
    images = colour_images([(0, 0, 0)] * 60, [0, 1, 2] * 20, role="train", pixels=ArrayPixels(array))
    subject = made_subject(images=images)
    object.__setattr__(subject, "images", subject.images.in_frame(Frame(3, 32, 32)))
    found = generator_images(subject, GeneratorSettings(side=16), Progress())
    assert found.pixels.shape == (60, 3, 16, 16)
    order = np.argsort(subject.images.ids)
    means = array[order].mean(axis=(1, 2))
    assert found.pixels.mean(axis=(2, 3)) == pytest.approx(means, abs=2)


def test_at_most_so_many_are_taken():
    assert len(generator_images(made_subject(), GeneratorSettings(images=60), Progress()).labels) == 60
    assert len(few_images(made_subject(), SETTINGS).labels) == SETTINGS.batch_size


def test_too_few_images_are_said_in_one_sentence():
    images = made_images({"train": 48, "pool": 3, "diagnosis": 9, "test": 9})
    with pytest.raises(ValueError, match=r"at least 50 images of the role 'train'.*there are 48"):
        generator_images(made_subject(images=images), SETTINGS, Progress())


def test_images_without_a_label_do_not_count_where_it_is_given():
    images = made_images()
    labels = images.labels.copy()
    labels[:200] = -1
    unlabelled = colour_images(
        [(0, 0, 0)] * len(images), labels.tolist(), ids=images.ids, roles=images.roles, pixels=images.pixels
    )
    subject = made_subject(images=unlabelled)
    assert len(generator_images(subject, SETTINGS, Progress()).labels) == COUNTS["train"]
    with pytest.raises(ValueError, match=r"50 labelled images.*there are 40"):
        generator_images(subject, GeneratorSettings(conditional=True), Progress())


def test_images_of_one_group_are_too_few():
    images = made_images()
    one = colour_images(
        [(0, 0, 0)] * len(images), images.labels.tolist(), ids=images.ids, roles=images.roles, pixels=images.pixels,
        groups=np.full(len(images), "track"),
    )  # fmt: skip
    with pytest.raises(ValueError, match="not all of one group"):
        generator_images(made_subject(images=one), SETTINGS, Progress())
