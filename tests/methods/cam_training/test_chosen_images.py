from __future__ import annotations

import numpy as np
import pytest

from engine.methods.cam_training.chosen_images import chosen_images
from engine.methods.cam_training.settings import CamSettings
from engine.runs.progress import Progress
from tests.conftest import BLUE, GREEN, RED, colour_images
from tests.methods.cam_training.nets import colours_subject, of_images

COLOURS = [RED, GREEN, BLUE] * 10
ANSWERS = [0, 1, 2] * 10  # what the network says
LABELS = [0, 1, 2] * 8 + [1, 1, 1, -1, -1, -1]  # two wrong, three without
ROLES = np.array(["diagnosis"] * 20 + ["train"] * 5 + ["test"] * 5)


class Noted(Progress):
    def __init__(self) -> None:
        self.notes: list[str] = []

    def note(self, sentence):
        self.notes.append(sentence)


@pytest.fixture(scope="module")
def subject():
    return colours_subject(COLOURS, LABELS, roles=ROLES)


def chosen(subject, selection=None, progress=None, **settings):
    return chosen_images(subject, CamSettings(**settings), selection, progress or Progress())


def test_the_role_s_images_come_in_an_order_that_their_ids_decide(subject):
    found = chosen(subject)
    assert sorted(found) == list(range(20))
    assert list(found) != list(range(20))
    turned = of_images(subject.images.take(np.arange(30)[::-1]))
    assert turned.images.ids[chosen(turned)].tolist() == subject.images.ids[found].tolist()


@pytest.mark.parametrize("count", [1, 7, 19])
def test_of_the_role_the_first_few_are_drawn(subject, count):
    assert chosen(subject, images=count).tolist() == chosen(subject)[:count].tolist()


def test_labels_and_answers_narrow_it(subject):
    everything = np.arange(30)
    labels, answers = np.array(LABELS), np.array(ANSWERS)
    assert sorted(chosen(subject, role="train", labels=(1,))) == [22, 24]
    ids = subject.images.ids.tolist()
    wrong = chosen(subject, ids, answers="wrong")
    assert sorted(wrong) == everything[(labels >= 0) & (labels != answers)].tolist() == [24, 26]
    right = chosen(subject, ids, answers="right", labels=(0, 2))
    assert sorted(right) == everything[(labels == answers) & np.isin(labels, (0, 2))].tolist()


def test_only_where_answers_are_asked_for_is_the_network_asked(subject, monkeypatch):
    asked = []
    monkeypatch.setattr(
        type(subject.classifier), "forward", lambda self, images: asked.append(len(images)) or self.network(images)
    )
    chosen(subject)
    assert asked == []
    chosen(subject, answers="right", labels=(1,))
    assert sum(asked) == 7  # those of the label alone


def test_a_selection_is_taken_whole_with_test_images_and_without_strangers(subject):
    ids = subject.images.ids
    given = [*ids[[25, 3, 3, 7]].tolist(), "of another data set"]
    assert sorted(chosen(subject, given, images=1)) == [3, 7, 25]


@pytest.mark.parametrize("asked", [{"of": "label"}, {"against": "label"}, {"answers": "right"}])
def test_where_a_label_is_needed_those_without_are_left_out_and_counted(subject, asked):
    noted = Noted()
    found = chosen(subject, subject.images.ids.tolist(), noted, **asked)
    assert not set(found) & {27, 28, 29}
    assert noted.notes == ["3 images were left out: they have no label"]
    assert len(chosen(subject, subject.images.ids.tolist(), noted)) == 30
    assert len(noted.notes) == 1


@pytest.mark.parametrize(
    ("settings", "selection", "said"),
    [
        ({"role": "pool"}, None, "no image has the role 'pool', so there is nothing to look at"),
        ({}, ["gone"], "none of the selection's images is in this data set"),
        ({}, [], "none of the selection's images is in this data set"),
        ({"labels": (2,), "role": "test"}, None, "none of the images has the label blue"),
        ({"labels": (-1,)}, None, "there is no class -1; they are numbered 0 to 2"),
        ({"labels": (0, 3)}, None, "there is no class 3; they are numbered 0 to 2"),
        ({"answers": "wrong"}, None, "the classifier gets none of the 20 images wrong"),
    ],
)
def test_where_nothing_is_left_it_is_said(subject, settings, selection, said):
    with pytest.raises(ValueError, match=said):
        chosen(subject, selection, **settings)


def test_where_no_image_has_a_label_it_is_said():
    bare = of_images(colour_images([RED, BLUE], [-1, -1]))
    assert len(chosen(bare)) == 2
    for asked in ({"of": "label"}, {"answers": "right"}):
        with pytest.raises(ValueError, match="none of the images has a label; ask for the map of the prediction"):
            chosen(bare, **asked)
