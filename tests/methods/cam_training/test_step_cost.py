from dataclasses import replace

import numpy as np
import pytest

from engine.methods.cam_training.settings import TeachingSettings
from engine.methods.cam_training.step_cost import Stepper, few, ratio, seconds_of_teaching, step_ratio, steps_of
from tests.methods.cam_training.planted import planted_images, striped_subject

IMAGES = planted_images()
SETTINGS = TeachingSettings(batch_size=16, epochs=3)


def test_a_ratio_is_that_of_the_medians():
    times = np.array([[2.0, 1.0], [4.0, 2.0], [90.0, 3.0]])
    assert ratio(times) == 2
    assert ratio(np.stack([times, times[:, ::-1]])).tolist() == [2, 0.5]


def test_the_ratio_lies_in_its_interval_and_leaves_the_classifier_alone():
    subject = striped_subject(IMAGES)
    before = subject.classifier.network.fc.weight.clone()
    middle, low, high = step_ratio(subject, SETTINGS, {})
    assert 0 < low <= middle <= high
    assert subject.classifier.network.fc.weight.equal(before)


def test_both_arms_step_on_the_same_images_and_only_one_with_the_term():
    subject = striped_subject(IMAGES)
    taught, plain = (Stepper(subject, replace(SETTINGS, arm=arm, begin=0.9), {}) for arm in ("cam", "default"))
    one, other = taught.batch(3), plain.batch(3)
    assert one.images.equal(other.images)
    assert not one.images.equal(taught.batch(4).images)
    assert taught.step(one) > 0
    assert plain.step(other) > 0
    assert not taught.classifier.network.fc.weight.equal(plain.classifier.network.fc.weight)
    again = Stepper(subject, replace(SETTINGS, arm="cam", weight=0.0), {})
    again.step(one)
    assert again.classifier.network.fc.weight.equal(plain.classifier.network.fc.weight)


def test_the_estimate_grows_with_what_is_trained():
    subject = striped_subject(IMAGES)
    assert seconds_of_teaching(subject, SETTINGS, {}) > 0
    assert steps_of(IMAGES, SETTINGS) == 3 * 6
    rare = planted_images(counts={"train": 40}, share_of_second=0.25)
    assert steps_of(rare, replace(SETTINGS, balance="sampling")) == 3 * 3
    assert steps_of(rare, replace(SETTINGS, balance="augmentation")) == 3 * 4  # twice 30


def test_for_an_estimate_a_few_images_of_each_class_are_enough():
    many = planted_images(counts={"train": 400}, share_of_second=0.1)
    found = few(many)
    assert np.bincount(found.labels).tolist() == [128, 40]
    assert set(found.roles) == {"train"}


@pytest.mark.parametrize("arm", ["crop", "decorrelated"])
def test_the_other_arms_are_estimated_too(arm):
    assert seconds_of_teaching(striped_subject(IMAGES), replace(SETTINGS, arm=arm), {}) > 0
