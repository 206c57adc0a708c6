from dataclasses import replace

import numpy as np
import pytest
import torch

from engine.methods.error_discovery.decoding import Decoder, chunk_size
from engine.runs.progress import Cancelled, Progress
from engine.subject.frame import Frame
from tests.methods.error_discovery.made_search import made_generator, made_subject


def decoder_of(conditional=False):
    return Decoder(made_generator(conditional), made_subject())


def codes_and_labels(count=37):
    random = np.random.default_rng(0)
    return random.normal(size=(count, 4)).astype(np.float32), random.integers(0, 3, count)


@pytest.mark.parametrize("conditional", [False, True])
@pytest.mark.parametrize("size", [1, 5, 1000])
def test_the_size_of_a_portion_does_not_matter(conditional, size):
    codes, labels = codes_and_labels()
    usual, other = decoder_of(conditional), decoder_of(conditional)
    usual.size, other.size = 16, size
    first, second = usual.classified(codes, labels), other.classified(codes, labels)
    assert np.array_equal(first.predictions, second.predictions)
    assert first.probabilities == pytest.approx(second.probabilities, abs=1e-5)
    assert torch.allclose(usual.images(codes, labels), other.images(codes, labels), atol=1e-6)
    real = usual.images(codes, labels)
    assert usual.encode(real, labels) == pytest.approx(other.encode(real, labels), abs=1e-4)


def test_answers_are_those_to_the_images():
    codes, labels = codes_and_labels()
    decoder = decoder_of()
    with torch.inference_mode():
        logits = made_subject().classifier(decoder.images(codes, labels))
    found = decoder.classified(codes, labels)
    assert found.probabilities == pytest.approx(logits.softmax(dim=1).numpy(), abs=1e-5)
    assert np.array_equal(found.predictions, logits.argmax(dim=1).numpy())
    assert found.predictions.dtype == np.int64


def test_pixels_are_the_images_in_grey_levels():
    codes, labels = codes_and_labels()
    decoder = decoder_of()
    found = decoder.pixels(codes, labels)
    assert found.dtype == np.uint8
    assert np.abs(found / 255 - decoder.images(codes, labels).numpy()).max() <= 0.5 / 255 + 1e-6


def test_images_come_in_the_frame_of_the_subject():
    subject = made_subject()
    larger = replace(subject, images=subject.images.in_frame(Frame(3, 12, 10)))
    codes, labels = codes_and_labels(3)
    decoder = Decoder(made_generator(), larger)
    assert decoder.images(codes, labels).shape == (3, 3, 12, 10)
    assert decoder.encode(decoder.images(codes, labels)).shape == (3, 4)


def test_what_was_encoded_is_decoded_to_something_like_it():
    subject = made_subject()
    own = subject.images.indices("diagnosis")
    images = torch.from_numpy(subject.images.read(own)).float() / 255
    decoder = decoder_of(conditional=True)
    found = decoder.images(decoder.encode(images, subject.images.labels[own]), subject.images.labels[own])
    assert float((found - images).square().mean()) < 0.3 * float(images.var(dim=0).mean())


def test_without_labels_the_answers_are_taken():
    subject = made_subject()
    own = subject.images.indices("diagnosis")
    images = torch.from_numpy(subject.images.read(own)).float() / 255
    decoder = decoder_of(conditional=True)
    with torch.inference_mode():
        answers = subject.classifier(images).argmax(dim=1).numpy()
    assert np.array_equal(decoder.encode(images), decoder.encode(images, answers))
    assert not np.array_equal(decoder.encode(images), decoder.encode(images, np.zeros(len(own), np.int64)))


def test_a_portion_that_does_not_fit_is_halved():
    decoder, done, said = decoder_of(), [], []

    def small(place):
        if place.stop - place.start > 5:
            raise torch.OutOfMemoryError
        done.append(place)

    class Told(Progress):
        def note(self, sentence):
            said.append(sentence)

    decoder.size = 32
    decoder.one_by_one(small, 11, Told())
    assert done == [slice(0, 4), slice(4, 8), slice(8, 12)]
    assert len(said) == 3
    assert "memory" in said[-1]


def test_one_code_that_does_not_fit_is_too_much():
    def never(_place):
        raise torch.OutOfMemoryError

    with pytest.raises(torch.OutOfMemoryError):
        decoder_of().one_by_one(never, 3, Progress())


def test_one_portion_after_the_other_gives_the_same():
    codes, labels = codes_and_labels()
    decoder, found = decoder_of(), np.zeros((len(codes), 3, 8, 8), np.float32)
    decoder.size = 9
    flat, given = torch.from_numpy(codes), torch.from_numpy(labels)

    def one(place):
        found[place] = decoder.decoded(flat[place], given[place])

    decoder.one_by_one(one, len(codes), Progress())
    assert found == pytest.approx(decoder.images(codes, labels).numpy(), abs=1e-6)


def test_it_can_be_stopped_and_threads_are_given_back():
    class Stopped(Progress):
        def report(self, fraction, label):
            raise Cancelled

    threads = torch.get_num_threads()
    with pytest.raises(Cancelled):
        decoder_of().classified(*codes_and_labels(), Stopped())
    assert torch.get_num_threads() == threads


def test_no_code_has_no_answer():
    found = decoder_of().classified(np.zeros((0, 4)), np.zeros(0, int))
    assert found.predictions.shape == (0,)
    assert found.probabilities.shape == (0, 3)
    assert decoder_of().encode(torch.zeros(0, 3, 8, 8)).shape == (0, 4)


def test_a_processor_gets_portions_that_stay_in_its_caches():
    assert 1 <= chunk_size(made_subject().classifier) <= 128
