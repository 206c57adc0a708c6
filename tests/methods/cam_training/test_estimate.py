from __future__ import annotations

import time

import numpy as np
import pytest

from engine.methods.cam_training import estimate
from engine.methods.cam_training.cams import cams
from engine.methods.cam_training.settings import CamSettings, GroupSettings, HidingSettings
from engine.runs.progress import Progress
from engine.subject.classifier import Classifier
from engine.subject.subject import joined
from tests.conftest import BLUE, GREEN, RED, colour_images, rgb_blueprint
from tests.methods.cam_training.made_maps import cams_of
from tests.methods.cam_training.nets import Colours, Flattening, colours_subject, drawn

PACE = 0.01


class Slow(Colours):
    """10 ms an image."""

    def forward(self, images):
        time.sleep(PACE * len(images))
        return super().forward(images)


def subject(network, count: int = 60):
    images = colour_images(([RED, GREEN, BLUE] * count)[:count], ([0, 1, 2, -1] * count)[:count])
    return joined(rgb_blueprint(), images, lambda blueprint: Classifier(network, blueprint))


@pytest.mark.parametrize(
    ("settings", "passes"),
    [
        (CamSettings(images=50), 50),
        (CamSettings("hirescam", images=100), 60),
        (CamSettings("hirescam", of="label"), 45),
        (CamSettings(images=10, labels=(1,)), 10),
        (CamSettings(images=10, answers="wrong"), 45 + 10),
        (CamSettings("scorecam", images=20), 20 * 4),
        (CamSettings("ablationcam", images=20, answers="right"), 45 + 20 * 4),
    ],
)
def test_maps_take_the_pace_of_their_rule_times_their_number(settings, passes):
    seconds = estimate.seconds_of_cams(subject(Slow()), settings, None)
    assert 1 < seconds / (passes * PACE) < 2.5


def test_a_selection_is_counted_whole():
    slow = subject(Slow())
    seconds = estimate.seconds_of_cams(slow, CamSettings(images=1), slow.images.ids[:30].tolist())
    assert 1 < seconds / (30 * PACE) < 2.5


def test_hiding_takes_every_share_here_and_elsewhere():
    slow = subject(Slow())
    found = cams(subject(Colours()), CamSettings(images=20), None, Progress())
    settings = HidingSettings(shares=(0.1, 0.3), places=3)
    labelled = int((found.labels >= 0).sum())
    assert 0 < labelled < 20
    seconds = estimate.seconds_of_hiding(slow, settings, found)
    assert 1 < seconds / (labelled * (1 + 2 * 4) * PACE) < 2.5


def test_without_labels_there_is_nothing_to_hide():
    bare = colours_subject([RED, BLUE], [-1, -1])
    found = cams(bare, CamSettings(), None, Progress())
    assert estimate.seconds_of_hiding(bare, HidingSettings(), found) == 0


def test_what_can_not_be_had_is_said():
    with pytest.raises(ValueError, match="no image has the role 'pool'"):
        estimate.seconds_of_cams(subject(Colours()), CamSettings(role="pool"), None)
    with pytest.raises(ValueError, match="the exact CAM needs"):
        estimate.seconds_of_cams(subject(drawn(Flattening())), CamSettings("cam"), None)


def test_a_single_image_can_be_estimated():
    assert np.isfinite(estimate.seconds_of_cams(subject(Colours(), count=1), CamSettings(), None))


def test_grouping_grows_with_maps_and_groups(monkeypatch):
    monkeypatch.setattr(estimate.time, "perf_counter", iter(range(100)).__next__)  # each part takes a second
    maps = cams_of(np.random.default_rng(0).random((512, 4, 4)))
    every = 1 + estimate.CLOUDS
    assert estimate.seconds_of_groups(maps, GroupSettings(most=2)) == pytest.approx(every * (2 + 4))
    assert estimate.seconds_of_groups(maps, GroupSettings(most=4)) == pytest.approx(every * (2 * 4.5 + 3 * 4))
    few = cams_of(np.random.default_rng(0).random((5, 4, 4)))
    assert estimate.seconds_of_groups(few, GroupSettings()) == 0
    assert estimate.seconds_of_groups(maps, GroupSettings(label=2)) == 0
