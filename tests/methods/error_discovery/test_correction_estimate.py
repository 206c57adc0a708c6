"""How long a correction will take: more for more, and the subject stays as it is."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from engine.methods.error_discovery import correction_estimate
from engine.methods.error_discovery.correction_estimate import seconds_of_correction
from engine.methods.error_discovery.settings import CorrectionSettings
from tests.methods.error_discovery.made_generator import COUNT, made_generator, made_subject

SETTINGS = CorrectionSettings(arm="regions", steps=10, batch_size=8, fresh=2)


@pytest.fixture
def paced(monkeypatch):
    """A second an answer and half a second a step."""
    monkeypatch.setattr(correction_estimate, "pace", lambda work, most, seconds: work(4) or 1.0)
    monkeypatch.setattr(correction_estimate, "seconds_a_step", lambda subject, settings: 0.5)


@pytest.mark.parametrize(
    ("change", "seconds"),
    [
        ({}, 3 * COUNT + 5),
        ({"steps": 20}, 3 * COUNT + 10),
        ({"fresh": 1}, 2 * COUNT + 5),
        ({"arm": "before"}, 3 * COUNT),
    ],
)
def test_it_is_steps_and_answers_to_images_and_their_perturbations(paced, change, seconds):
    subject = made_subject(role="test")
    assert seconds_of_correction(subject, replace(SETTINGS, **change), made_generator()) == seconds


def test_measuring_leaves_the_classifier_as_it_is():
    subject = made_subject(role="test")
    before = {name: tensor.clone() for name, tensor in subject.classifier.state_dict().items()}
    assert seconds_of_correction(subject, SETTINGS, made_generator()) > 0
    assert not subject.classifier.training
    for name, tensor in subject.classifier.state_dict().items():
        assert torch.equal(before[name], tensor), name
