"""From the search to the tests: a classifier that is wrong in a known place of image space, by construction."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from engine.methods.error_discovery import region_tests
from engine.methods.error_discovery.decoding import Decoder
from engine.methods.error_discovery.distillation import distilled
from engine.methods.error_discovery.identification import identified
from engine.methods.error_discovery.settings import DistillationSettings, IdentificationSettings, TestSettings
from engine.runs.progress import Progress
from engine.subject.classifier import Classifier
from engine.subject.subject import joined
from tests.conftest import colour_images, rgb_blueprint
from tests.methods.error_discovery.made_generator import made_generator

IMAGES = 300


class WrongWhereGreen(nn.Module):
    """All images are red; those whose green is stronger than `most` are taken for green."""

    def __init__(self, most: float) -> None:
        super().__init__()
        self.most = most
        self.head = nn.Linear(3, 3)

    def forward(self, images: Tensor) -> Tensor:
        green = 40 * (images[:, 1].mean(dim=(1, 2)) - self.most)
        return torch.stack([-green, green, torch.full_like(green, -9.0)], dim=1)


@pytest.fixture(scope="module")
def chain():
    """Subject, errors, regions and their tests; one of five images lies where the classifier is wrong."""
    images = colour_images([(place % 250, place // 250, 3) for place in range(IMAGES)], [0] * IMAGES, role="train")
    codes = np.random.default_rng(0).standard_normal((IMAGES, 4)).astype(np.float32)
    subject = subject_with(images, 0.5)
    generator = replace(made_generator(), codes=codes, ids=images.ids, units=images.units(), roles=images.roles)
    generator = replace(generator, labels=images.labels, predictions=images.labels, spread=codes.std(axis=0))
    green = Decoder(generator, subject).images(codes, images.labels)[:, 1].mean(dim=(1, 2)).numpy()
    most = float(np.quantile(green, 0.8))
    subject = subject_with(images, most)
    generator = replace(generator, reconstructed=(green > most).astype(np.int64))
    errors = identified(subject, IdentificationSettings(per_image=3, draws=60), generator, Progress())
    regions = distilled(errors, DistillationSettings(), Progress())
    tests = region_tests.tested(subject, TestSettings(draws=60), errors, regions, generator, Progress())
    return subject, generator, errors, regions, tests, most


def subject_with(images, most):
    return joined(rgb_blueprint(), images, lambda blueprint: Classifier(WrongWhereGreen(most), blueprint))


def test_the_planted_errors_are_found_and_no_others(chain):
    subject, generator, errors, regions, _, most = chain
    green = Decoder(generator, subject).images(errors.codes, errors.labels)[:, 1].mean(dim=(1, 2)).numpy()
    assert len(errors.codes) > 50
    assert (green > most).all()
    assert set(errors.predictions) == {1}
    assert set(zip(regions.label, regions.prediction, strict=True)) == {(0, 1)}


def test_planted_regions_are_errors_again_and_found_again_among_the_seeds_kept_aside(chain):
    _, _, errors, regions, tests, _ = chain
    large = regions.size >= 20
    assert large.any()
    assert not set(errors.units[regions.member >= 0]) & set(errors.trial_units)
    assert tests.reproduced[large].all()
    rates = np.array([each.value for each in tests.error])
    assert (rates[large] > 0.35).all()
    for region in np.flatnonzero(large):
        assert tests.inside[region].value > 2 * tests.elsewhere[region].value


def test_answers_that_have_nothing_to_do_with_the_place_are_not_found_again(chain):
    subject, generator, errors, regions, _, _ = chain
    random = np.random.default_rng(1)
    names, member = np.unique(errors.trial_units, return_inverse=True)
    by_chance = (random.random(len(names)) < 0.2)[member] & (random.random(len(member)) < 0.8)
    noise = replace(errors, trial_predictions=by_chance.astype(np.int64))
    tests = region_tests.tested(subject, TestSettings(draws=5), noise, regions, generator, Progress())
    assert not tests.reproduced.any()
