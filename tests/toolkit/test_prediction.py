from __future__ import annotations

import numpy as np
import pytest
import torch
from PIL import Image

from engine.runs.progress import Cancelled, Progress
from engine.toolkit import prediction
from engine.toolkit.prediction import batches, predict
from tests.conftest import BLUE, GREEN, RED, colour_images


class OneByOne:
    """Pixels that can only be had one at a time, as files can."""

    def __init__(self, array):
        self.array = array

    one_size = True

    def image(self, index):
        return Image.fromarray(self.array[index])

    def block(self, indices, frame):
        return None


def test_logits_come_in_the_order_asked_for(rgb_subject):
    logits = predict(rgb_subject.classifier, rgb_subject.images, np.array([8, 0, 4]), Progress())
    assert logits.argmax(dim=1).tolist() == [2, 0, 1]


@pytest.mark.parametrize("size", [1, 2, 7, 512])
def test_the_size_of_batches_changes_nothing_but_rounding(rgb_subject, monkeypatch, size):
    everything = np.arange(9)
    expected = predict(rgb_subject.classifier, rgb_subject.images, everything, Progress())
    monkeypatch.setattr(prediction, "batch_size", lambda classifier: size)
    torch.testing.assert_close(predict(rgb_subject.classifier, rgb_subject.images, everything, Progress()), expected)


def test_files_are_decoded_ahead_and_come_in_order():
    images = colour_images([RED, GREEN, BLUE] * 30, [0, 1, 2] * 30)
    files = colour_images([RED, GREEN, BLUE] * 30, [0, 1, 2] * 30, pixels=OneByOne(images.pixels.array))
    order = np.random.default_rng(0).permutation(90)
    parts = list(batches(files, order, 7))
    np.testing.assert_array_equal(np.concatenate([part for part, _ in parts]), order)
    np.testing.assert_array_equal(np.concatenate([pixels for _, pixels in parts]), images.read(order))


def test_a_stop_takes_effect_within_one_batch(rgb_subject, monkeypatch):
    monkeypatch.setattr(prediction, "batch_size", lambda classifier: 1)
    heard = []

    class Stopped(Progress):
        def report(self, fraction, label):
            heard.append(fraction)
            if len(heard) == 3:
                raise Cancelled

    with pytest.raises(Cancelled):
        predict(rgb_subject.classifier, rgb_subject.images, np.arange(9), Stopped())
    assert heard == pytest.approx([0, 1 / 9, 2 / 9])


def test_a_batch_too_large_for_the_memory_is_halved_and_the_person_told(rgb_subject, monkeypatch):
    expected = predict(rgb_subject.classifier, rgb_subject.images, np.arange(9), Progress())
    whole = rgb_subject.classifier.forward
    notes = []

    def narrow(images):
        if len(images) > 2:
            raise torch.OutOfMemoryError("too much")
        return whole(images)

    class Told(Progress):
        def note(self, sentence):
            notes.append(sentence)

    monkeypatch.setattr(prediction, "batch_size", lambda classifier: 9)
    monkeypatch.setattr(rgb_subject.classifier, "forward", narrow)
    torch.testing.assert_close(predict(rgb_subject.classifier, rgb_subject.images, np.arange(9), Told()), expected)
    assert [sentence.split(":")[0] for sentence in notes] == [
        "the batch was halved to 4 images",
        "the batch was halved to 2 images",
    ]
