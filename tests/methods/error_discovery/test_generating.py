from dataclasses import replace

import numpy as np
import pytest
import torch

from engine.methods.error_discovery import generating
from engine.methods.error_discovery.decoding import Decoder
from engine.methods.error_discovery.generating import collapse, trained_generator
from engine.runs.progress import Progress
from engine.toolkit.statistics import rate
from tests.conftest import colour_images
from tests.methods.error_discovery.made_search import COUNTS, SETTINGS, made_generator, made_images, made_subject


def test_codes_are_those_of_all_images_but_the_ones_of_test():
    generator, images = made_generator(), made_subject().images
    own = np.flatnonzero(images.roles != "test")
    assert generator.ids.tolist() == images.ids[own].tolist()
    assert np.array_equal(generator.labels, images.labels[own])
    assert np.array_equal(generator.units, images.units()[own])
    assert generator.codes.shape == (len(own), 4)
    pixels = torch.from_numpy(images.read(own)).float() / 255
    decoder = Decoder(generator, made_subject())
    assert decoder.encode(pixels) == pytest.approx(generator.codes, abs=1e-4)
    train = generator.roles == "train"
    assert train.sum() == COUNTS["train"]
    assert generator.spread == pytest.approx(generator.codes[train].std(axis=0), rel=1e-5)


@pytest.mark.parametrize("conditional", [False, True])
def test_the_gate_is_what_the_classifier_makes_of_diagnosis_and_its_reconstructions(conditional):
    generator, subject = made_generator(conditional, (0.35, 0.45)), made_subject((0.35, 0.45))
    own = subject.images.indices("diagnosis")
    pixels, labels = torch.from_numpy(subject.images.read(own)).float() / 255, subject.images.labels[own]
    decoder = Decoder(generator, subject)
    rebuilt = decoder.images(decoder.encode(pixels, labels), labels)
    with torch.inference_mode():
        answers = [subject.classifier(each).argmax(dim=1).numpy() for each in (pixels, rebuilt)]
    units = subject.images.units()[own]
    assert generator.gate_role == "diagnosis"
    assert generator.gate_real == rate(answers[0] == labels, units)
    assert generator.gate_reconstructed == rate(answers[1] == labels, units)
    assert 0.2 < generator.gate_real.value < 0.95
    for label in range(3):
        these = labels == label
        assert generator.class_real[label] == rate(answers[0][these] == label, units[these])
        assert generator.class_reconstructed[label] == rate(answers[1][these] == label, units[these])


def test_without_labels_in_diagnosis_the_gate_is_on_train():
    images = made_images()
    labels = np.where(images.roles == "diagnosis", -1, images.labels)
    bare = colour_images(
        [(0, 0, 0)] * len(images), labels.tolist(), ids=images.ids, roles=images.roles, pixels=images.pixels,
        groups=images.groups,
    )  # fmt: skip
    found = trained_generator(made_subject(images=bare), replace(SETTINGS, epochs=2, conditional=True), Progress())
    assert found.gate_role == "train"
    assert found.gate_real.n == COUNTS["train"]
    assert np.isfinite(found.codes).all()


def test_the_course_and_the_best_epoch_are_told():
    generator = made_generator()
    assert len(generator.reconstruction) == len(generator.divergence) == len(generator.validation)
    assert generator.best == generator.validation.argmin()
    assert generator.used.shape == (4,)


def test_a_collapsed_generator_is_said_in_one_sentence():
    with pytest.raises(ValueError, match=r"the generator collapsed: 1 of its 4 dimensions.*smaller beta"):
        collapse(np.array([3.0, 0.009, 0.001, 0.0]))
    assert "Only 2 of 8 dimensions" in collapse(np.array([3.0, 2.0, *[0.0] * 6]))[0]
    assert collapse(np.array([3.0, 2.0, 0.0])) == ()


def test_too_much_divergence_makes_it_collapse():
    with pytest.raises(ValueError, match="collapsed"):
        trained_generator(made_subject(), replace(SETTINGS, beta=1e4, warm_up=0.0, epochs=12), Progress())


def test_the_same_question_has_the_same_answer():
    first, second = (
        trained_generator(made_subject(), replace(SETTINGS, epochs=2, dimensions=6), Progress()) for _ in range(2)
    )
    assert np.array_equal(first.weights, second.weights)
    assert np.array_equal(first.codes, second.codes)


def test_images_of_test_are_never_read(monkeypatch):
    subject = made_subject()
    seen = []
    in_batches = generating.in_batches

    def watched(classifier, images, indices, *more):
        seen.extend(images.roles[indices])
        return in_batches(classifier, images, indices, *more)

    monkeypatch.setattr(generating, "in_batches", watched)
    trained_generator(subject, replace(SETTINGS, epochs=1), Progress())
    assert set(seen) == {"train", "pool", "diagnosis"}
