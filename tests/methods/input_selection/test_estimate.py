from dataclasses import replace

import numpy as np
import pytest
from torch import nn

from engine.methods.input_selection import estimate
from engine.methods.input_selection.settings import RetrainingSettings, SelectionSettings, TapSettings
from engine.subject.classifier import Classifier, weights_hash
from engine.subject.subject import joined
from tests.conftest import rgb_blueprint
from tests.methods.input_selection.made_subjects import COUNTS, made_images, made_subject

PASS, FIT = 0.01, 6.0  # seconds an image, and seconds for whatever is done once
SETTINGS = RetrainingSettings(SelectionSettings("random", budget=12), rounds=3, steps=20, batch_size=16)
STEPPING = 3 * 20 * FIT / estimate.STEPS
ANSWERING = 4 * PASS * (COUNTS["test"] + COUNTS["diagnosis"])
LOOKING = PASS * (COUNTS["train"] + COUNTS["diagnosis"] + COUNTS["pool"])


@pytest.fixture
def clockwork(monkeypatch):
    """The work is done, but each image and each piece of work takes the same time."""

    def pace(work, most, seconds):
        work(3)
        work(9)
        return PASS

    def seconds_for(work):
        work()
        return FIT

    monkeypatch.setattr(estimate, "pace", pace)
    monkeypatch.setattr(estimate, "seconds_for", seconds_for)


@pytest.mark.parametrize(("images", "looked"), [(10_000, 60 + 60 + 90), (60, 180), (20, 60)])
def test_the_pass_takes_the_pace_of_an_image_times_their_number(clockwork, images, looked):
    assert estimate.seconds_of_taps(made_subject(), TapSettings(images=images, pool=images)) == pytest.approx(
        PASS * looked
    )


@pytest.mark.parametrize(
    ("strategy", "passes", "probings"),
    [("random", 1, 0), ("class_random", 1, 0), ("highest_loss", 3, 0), ("mode_dhwi", 3, 3)],
)
def test_a_retraining_takes_its_steps_answers_passes_and_probes(clockwork, strategy, passes, probings):
    settings = replace(SETTINGS, selection=replace(SETTINGS.selection, strategy=strategy))
    found = estimate.seconds_of_retraining(made_subject(), settings)
    assert found == pytest.approx(STEPPING + ANSWERING + passes * LOOKING + FIT + probings * FIT)


def test_fits_take_what_is_there_once_and_longer_as_the_images_become_more(monkeypatch):
    seen = []

    def record(taps, settings, progress):
        seen.append(sum(len(role.ids) for role in taps.roles))

    def seconds_for(work):
        work()
        return FIT + PASS * seen[-1]

    monkeypatch.setattr(estimate, "seconds_for", seconds_for)
    monkeypatch.setattr(estimate, "FITTED", 30)
    for name in ("probed", "label_issues"):
        monkeypatch.setattr(estimate, name, record)
    assert estimate.seconds_of_fits(made_subject(), TapSettings()) == pytest.approx((FIT + 210 * PASS,) * 2)


def test_what_is_measured_leaves_the_classifier_alone():
    subject = made_subject()
    before = weights_hash(subject.classifier.network)
    assert estimate.seconds_of_taps(subject, TapSettings()) > 0
    assert estimate.seconds_of_retraining(subject, replace(SETTINGS, steps=2)) > 0
    assert weights_hash(subject.classifier.network) == before
    assert not subject.classifier.network.training


def test_what_cannot_be_done_cannot_be_estimated():
    images = made_images()
    without = images.take(np.flatnonzero(images.roles != "pool"))
    with pytest.raises(ValueError, match="no labelled image has the role 'pool'"):
        estimate.seconds_of_retraining(made_subject(images=without), SETTINGS)
    alone = images.take(images.indices("test"))
    assert estimate.seconds_of_taps(made_subject(images=alone), TapSettings()) == 0
    flat = nn.Sequential(nn.Flatten(), nn.Linear(3 * 8 * 8, 3))
    plain = joined(rgb_blueprint(), images, lambda blueprint: Classifier(flat, blueprint))
    with pytest.raises(ValueError, match="no layer of this network"):
        estimate.seconds_of_taps(plain, TapSettings())
