from dataclasses import replace

import numpy as np
import pytest

from engine.methods.error_discovery import estimate
from engine.methods.error_discovery.settings import IdentificationSettings
from engine.subject.classifier import weights_hash
from tests.methods.error_discovery.made_search import COUNTS, SETTINGS, made_generator, made_images, made_subject

PASS, STEP = 0.01, 6.0  # seconds an image, and a step


@pytest.fixture
def clockwork(monkeypatch):
    """The work is done, but each image and each step takes the same time."""

    def pace(work, most, seconds):
        work(3)
        work(9)
        return PASS

    def step(training, rows):
        training.step(rows, 1.0)
        return STEP

    monkeypatch.setattr(estimate, "pace", pace)
    monkeypatch.setattr(estimate, "seconds_a_step", step)


@pytest.mark.parametrize("images", [10_000, 60])
def test_a_generator_takes_its_steps_and_the_codes(clockwork, images):
    settings = replace(SETTINGS, epochs=20, batch_size=16, images=images)
    steps = 20 * -(-min(images, COUNTS["train"]) // 16)
    coded = COUNTS["train"] + COUNTS["pool"] + COUNTS["diagnosis"]
    found = estimate.seconds_of_generator(made_subject(), settings)
    assert found == pytest.approx(STEP * steps + estimate.PASSES * PASS * coded)


def test_a_search_takes_its_draws(clockwork):
    settings = IdentificationSettings(draws=7, images=50)
    generator = made_generator()
    own = np.sort(generator.ids[generator.roles == "train"])[:50]
    right = (generator.predictions == generator.labels) & (generator.reconstructed == generator.labels)
    seeds = np.isin(generator.ids[right], own).sum()
    found = estimate.seconds_of_search(made_subject(), settings, generator)
    assert found == pytest.approx(seeds * 7 * PASS / estimate.BARE)


def test_what_is_measured_leaves_classifier_and_chance_alone():
    subject = made_subject()
    before, state = weights_hash(subject.classifier.network), np.random.get_state()[1].copy()  # noqa: NPY002
    assert estimate.seconds_of_generator(subject, replace(SETTINGS, epochs=1)) > 0
    assert estimate.seconds_of_search(subject, IdentificationSettings(draws=2), made_generator()) > 0
    assert weights_hash(subject.classifier.network) == before
    assert np.array_equal(np.random.get_state()[1], state)  # noqa: NPY002


def test_what_cannot_be_done_cannot_be_estimated():
    few = made_images({"train": 30, "pool": 3, "diagnosis": 9, "test": 9})
    with pytest.raises(ValueError, match="at least 50"):
        estimate.seconds_of_generator(made_subject(images=few), SETTINGS)
