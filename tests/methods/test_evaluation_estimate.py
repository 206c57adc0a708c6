from __future__ import annotations

import time

import pytest
from torch import nn

from engine.methods.evaluation import estimate
from engine.methods.evaluation.settings import EvaluationSettings
from engine.subject.classifier import Classifier
from engine.subject.subject import joined
from tests.conftest import GREEN, RED, RedGreenBlue, colour_images, rgb_blueprint


class Slow(nn.Module):
    """10 ms an image, and half a second more the first time."""

    def __init__(self) -> None:
        super().__init__()
        self.inner, self.first = RedGreenBlue(), True

    def forward(self, images):
        time.sleep(0.01 * len(images) + (0.5 if self.first else 0))
        self.first = False
        return self.inner(images)


def test_the_estimate_is_the_pace_of_warm_batches_times_the_images():
    images = colour_images([RED, GREEN] * 100, [0, 1] * 100)
    subject = joined(rgb_blueprint(), images, lambda blueprint: Classifier(Slow(), blueprint))
    assert estimate.seconds(subject, EvaluationSettings()) == pytest.approx(2.0, rel=0.2)


def test_one_image_can_be_estimated_too():
    subject = joined(
        rgb_blueprint(), colour_images([RED], [0]), lambda blueprint: Classifier(RedGreenBlue(), blueprint)
    )
    assert 0 < estimate.seconds(subject, EvaluationSettings()) < 5
