from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from engine.methods.error_discovery.oracle import annotated, panel_of, single_labels, verdict
from engine.subject.classifier import Classifier
from tests.conftest import RedGreenBlue, rgb_blueprint
from tests.methods.error_discovery.made_discovery import PLACES, made_tests
from tests.methods.error_discovery.made_errors import made_errors, made_regions


class Fixed(nn.Module):
    """The same logits for every image, times its mean."""

    def __init__(self, logits: list[float]) -> None:
        super().__init__()
        self.logits = nn.Parameter(torch.tensor(logits))

    def forward(self, images):
        return images.mean(dim=(1, 2, 3))[:, None] * self.logits


def fixed(logits, **changed) -> Classifier:
    return Classifier(Fixed(logits), rgb_blueprint(**changed))


CLASSES = ("red", "green", "blue")
IMAGES = torch.ones(2, 3, 8, 8)


@pytest.mark.parametrize(
    ("first", "second", "label"),
    [
        ([9.0, 0, 0], [9.0, 0, 0], 0),
        ([9.0, 0, 0], [0, 9.0, 0], -1),  # disagree
        ([9.0, 0, 0], [1.2, 0.6, 0], -1),  # agree, on average (1 + .52) / 2 sure
        ([9.0, 0, 0], [2.0, 0, 0], 0),  # (1 + .79) / 2
        ([1.9, 0, 0], [1.9, 0, 0], -1),  # .77 both
    ],
)
def test_a_panel_speaks_where_all_agree_and_are_sure_on_average(first, second, label):
    panel = panel_of([fixed(first), fixed(second)], CLASSES)
    assert panel.labels(IMAGES).tolist() == [label, label]


def test_the_classes_of_each_classifier_are_put_in_the_order_of_the_panel():
    turned = fixed([0, 0, 9.0], classes=("blue", "green", "red"))
    panel = panel_of([fixed([9.0, 0, 0]), turned], CLASSES)
    assert panel.labels(IMAGES).tolist() == [0, 0]


def test_a_panel_of_other_classes_is_refused_and_so_is_none():
    with pytest.raises(ValueError, match="tells cat, dog, fox apart, not red, green, blue"):
        panel_of([fixed([1.0, 0, 0], classes=("cat", "dog", "fox"))], CLASSES)
    with pytest.raises(ValueError, match="at least one classifier"):
        panel_of([], CLASSES)


def test_the_answers_do_not_depend_on_how_many_images_come_at_once(monkeypatch):
    images = torch.rand(50, 3, 8, 8, generator=torch.Generator().manual_seed(0))
    images[:20, 1:] *= 0.5  # surely red
    panel = panel_of([Classifier(RedGreenBlue(), rgb_blueprint())], CLASSES)
    whole = panel.labels(images)
    monkeypatch.setattr("engine.methods.error_discovery.oracle.CHUNK", 7)
    assert panel.labels(images).tolist() == whole.tolist()
    assert set(whole.tolist()) == {-1, 0}
    assert panel.labels(images[:0]).shape == (0,)


def test_panels_are_told_apart_by_their_weights():
    one, other = (panel_of([fixed([9.0, 0, 0], weights=name)], CLASSES) for name in "ab")
    assert one.fingerprint != other.fingerprint
    assert one.fingerprint == panel_of([fixed([9.0, 0, 0], weights="a")], CLASSES).fingerprint


@pytest.mark.parametrize(
    ("seen", "kind", "label"),
    [
        ([2] * 10, "class", 2),
        ([2] * 5 + [-1] * 5, "class", 2),
        ([2] * 4 + [-1] * 6, "unreadable", -1),
        ([2] * 8 + [0] * 2, "class", 2),
        ([2] * 7 + [0] * 3, "mixed", -1),
        ([1] * 9 + [-1], "model_right", 1),
        ([-1], "unreadable", -1),
    ],
)
def test_what_a_region_is_said_to_be(seen, kind, label):
    assert verdict(np.array(seen), prediction=1) == (kind, label)


@given(st.lists(st.integers(-1, 3), min_size=1, max_size=16), st.randoms())
def test_the_order_in_which_images_are_seen_says_nothing(seen, random):
    shuffled = seen.copy()
    random.shuffle(shuffled)
    kind, label = verdict(np.array(seen), 1)
    assert verdict(np.array(shuffled), 1) == (kind, label)
    assert (label >= 0) == (kind in ("class", "model_right"))


class Codes:
    """A decoder whose images are the codes' first number, everywhere."""

    def images(self, codes, labels):
        return torch.from_numpy(np.asarray(codes)[:, :1, None, None]).expand(-1, 3, 2, 2).float()


class Rounded:
    """A panel that reads the number, and nothing that lies halfway."""

    classifiers = (None, None)

    def labels(self, images):
        values = images[:, 0, 0, 0].numpy()
        return np.where(np.abs(values - values.round()) < 0.3, np.abs(values.round()), -1).astype(np.int64)


def test_regions_are_judged_by_the_draws_that_count_and_errors_one_by_one():
    errors = made_errors(PLACES)
    regions = made_regions(errors, PLACES)  # around -2 (label 0, prediction 1), 2 (0, 2) and 0 (1, 0)
    tests = made_tests(regions)
    tests.codes[:, ::5] = 7  # those that don't count
    found = annotated(regions, tests, Codes(), Rounded())
    assert found.region.tolist() == [0, 1, 2]
    assert found.kind.tolist() == ["class", "model_right", "model_right"]
    assert found.label.tolist() == [2, 2, 0]
    assert found.excluded.shape == (0, 2)
    assert "2" in found.by
    seen = single_labels(errors, Codes(), Rounded())
    expected = Rounded().labels(Codes().images(errors.codes, errors.labels))
    assert seen.tolist() == expected.tolist()
    assert {-1, 0, 2} <= set(seen.tolist())


def test_dead_regions_and_those_without_a_draw_are_left_out():
    errors = made_errors(PLACES)
    regions = made_regions(errors, PLACES)
    tests = made_tests(regions)
    regions.alive[1] = False
    tests.kept[2] = False
    assert annotated(regions, tests, Codes(), Rounded()).region.tolist() == [0]
