import numpy as np
import pytest
import torch

from engine.methods.error_discovery.decoding import Decoder
from engine.methods.error_discovery.interpolation import strip
from tests.methods.error_discovery.made_search import made_generator, made_subject


def two_images():
    subject = made_subject()
    own = subject.images.indices("diagnosis")
    labels = subject.images.labels[own]
    rows = [int(np.flatnonzero(labels == label)[0]) for label in (0, 2)]
    return Decoder(made_generator(conditional=True), subject), subject.images.read(own[rows])


def test_the_ends_are_the_reconstructions_and_the_answers_are_theirs():
    decoder, (first, second) = two_images()
    pixels, answers = strip(decoder, first, second, 5)
    ends = torch.from_numpy(np.stack([first, second])).float() / 255
    labels = np.array([0, 2])
    rebuilt = decoder.pixels(decoder.encode(ends, labels), labels)
    assert pixels.shape == (5, 3, 8, 8)
    assert pixels.dtype == np.uint8
    assert np.abs(pixels[[0, -1]].astype(int) - rebuilt).max() <= 1
    with torch.inference_mode():
        again = decoder.classifier(torch.from_numpy(pixels).float() / 255).argmax(dim=1).numpy()
    assert np.array_equal(answers, again)
    assert answers[[0, -1]].tolist() == [0, 2]


def test_the_way_is_gradual():
    decoder, (first, second) = two_images()
    pixels, _ = strip(decoder, first, second, 9)
    steps = np.abs(np.diff(pixels.astype(float), axis=0)).mean(axis=(1, 2, 3))
    whole = np.abs(pixels[-1].astype(float) - pixels[0]).mean()
    assert steps.max() < 0.6 * whole
    assert pixels[:, 0].mean(axis=(1, 2))[0] > pixels[:, 0].mean(axis=(1, 2))[-1]


def test_given_labels_are_used():
    decoder, (first, second) = two_images()
    assert np.array_equal(strip(decoder, first, second, 3)[0], strip(decoder, first, second, 3, (0, 2))[0])
    assert not np.array_equal(strip(decoder, first, second, 3)[0], strip(decoder, first, second, 3, (1, 1))[0])


def test_a_strip_has_two_ends():
    decoder, (first, second) = two_images()
    with pytest.raises(ValueError, match="at least two"):
        strip(decoder, first, second, 1)
