from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from engine.subject.frame import Frame
from engine.subject.image_set import UNLABELLED, content_ids
from engine.subject.subject import joined
from tests.conftest import BLUE, GREEN, RED, colour_images, rgb_blueprint


def test_the_same_content_gets_a_number_where_it_comes_again():
    ids = content_ids([b"a", b"b", b"a", b"a"])
    assert ids[2] == f"{ids[0]}~2"
    assert ids[3] == f"{ids[0]}~3"
    assert len(set(ids.tolist())) == 4


def test_images_are_read_by_index_in_any_order_with_and_without_threads():
    images = colour_images([RED, GREEN, BLUE], [0, 1, 2])
    block = images.read([2, 0])
    assert block.shape == (2, 3, 8, 8)
    assert block[:, :, 5, 5].tolist() == [list(BLUE), list(RED)]
    slow = images.in_frame(Frame(3, 4, 4))
    with ThreadPoolExecutor(2) as threads:
        np.testing.assert_array_equal(slow.read([2, 0], threads), slow.read([2, 0]))


def test_a_choice_reads_the_same_pixels_and_keeps_every_column():
    images = colour_images([RED, GREEN, BLUE], [0, 1, 2])
    chosen = images.take(np.array([2, 1])).take(np.array([1]))
    assert chosen.names.tolist() == ["1.png"]
    np.testing.assert_array_equal(chosen.read([0]), images.read([1]))


@given(st.permutations(["red", "green", "blue", "grey"]))
def test_another_class_order_changes_numbers_but_no_image_s_class(order):
    images = colour_images([RED, GREEN, BLUE], [0, 1, UNLABELLED])
    again = images.with_classes(order)
    assert [again.classes[label] for label in again.labels[:2]] == ["red", "green"]
    assert again.labels[2] == UNLABELLED


def test_a_class_with_images_cannot_be_dropped_silently():
    with pytest.raises(ValueError, match="images of blue would lose their class"):
        colour_images([RED, BLUE], [0, 2]).with_classes(["red", "green"])


def test_the_fingerprint_changes_with_labels_roles_and_seen_only_where_they_change():
    images = colour_images([RED, GREEN], [0, 1])
    assert replace(images, name="other").fingerprint == images.fingerprint
    assert replace(images, labels=np.array([1, 1])).fingerprint != images.fingerprint
    assert replace(images, roles=np.array(["test", "pool"])).fingerprint != images.fingerprint
    assert replace(images, seen=np.array([1, 0], np.int8)).fingerprint != images.fingerprint


def test_columns_of_different_length_are_refused():
    with pytest.raises(ValueError, match="labels has 1 rows, ids has 2"):
        replace(colour_images([RED, GREEN], [0, 1]), labels=np.array([1]))


def test_a_classifier_and_data_join_by_class_name_not_by_order():
    images = colour_images([RED, BLUE], [2, 0], classes=("blue", "green", "red"))
    subject = joined(rgb_blueprint(), images, lambda: None)
    assert subject.images.classes == ("red", "green", "blue")
    assert subject.images.labels.tolist() == [0, 2]


def test_a_classifier_without_class_names_takes_those_of_the_data():
    images = colour_images([RED, BLUE], [0, 2])
    subject = joined(rgb_blueprint(classes=("0", "1", "2")), images, lambda: None)
    assert subject.blueprint.classes == ("red", "green", "blue")


def test_classes_that_the_classifier_does_not_know_are_named():
    images = colour_images([RED], [1], classes=("red", "mauve", "blue"))
    with pytest.raises(ValueError, match="images of mauve, which it doesn't know"):
        joined(rgb_blueprint(), images, lambda: None)


def test_small_images_keep_their_size_and_larger_ones_come_in_the_classifiers_frame():
    small = colour_images([RED], [0])
    assert joined(rgb_blueprint(), small, lambda: None).images.frame == small.frame
    from engine.subject.preprocessing import Preprocessing

    tiny = rgb_blueprint(preprocessing=Preprocessing(3, 4, 4, (0.0,) * 3, (1.0,) * 3))
    assert joined(tiny, small, lambda: None).images.frame == Frame(3, 4, 4)
    cropped = rgb_blueprint(preprocessing=Preprocessing(3, 8, 8, (0.0,) * 3, (1.0,) * 3, "bilinear", 0.5))
    assert joined(cropped, small, lambda: None).images.frame.crop_share == 0.5


def test_a_frame_turns_any_mode_into_its_own_channels():
    for mode in ("1", "L", "P", "RGB", "CMYK"):
        image = Image.new("RGB", (5, 7), (255, 255, 255)).convert(mode)
        assert Frame(1, 6, 6).fit(image).shape == (1, 6, 6)
        assert Frame(3, 6, 6).fit(image).shape == (3, 6, 6)
        assert Frame(3, 6, 6).fit(image).min() == 255
