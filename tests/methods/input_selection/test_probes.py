from dataclasses import replace

import numpy as np
import pytest

from engine.methods.input_selection.probes import probed
from engine.methods.input_selection.result import Tap, Taps
from engine.methods.input_selection.settings import ProbeSettings
from engine.runs.progress import Progress
from tests.methods.input_selection.made_taps import made_role
from tests.methods.input_selection.planted_features import blobs


def clear_and_lost(n=240, seed=0):
    """Two taps: the first tells three classes apart, in the second class 2 looks like class 1."""
    features, labels = blobs(n=n, spread=0.3, seed=seed, uneven=False)
    centres = np.stack([features[labels == each].mean(axis=0) for each in range(3)])
    lost = features + (centres[1] - centres[2]) * (labels == 2)[:, None]
    return 50 + 20 * features, 3 * lost.astype(np.float32), labels


def two_taps(train_labels=None, roles=("train", "diagnosis")):
    made = []
    for seed, name in enumerate(roles):
        first, second, labels = clear_and_lost(seed=seed)
        given = labels if name != "train" or train_labels is None else train_labels(labels)
        made.append(replace(made_role(name, given, features=first), features=(first, second)))
    return Taps(("a", "b", "c"), (Tap("first", 8, 1), Tap("second", 8, 1)), tuple(made))


@pytest.mark.parametrize("kind", ["ridge", "softmax"])
def test_what_a_block_loses_is_seen(kind):
    found = probed(two_taps(), ProbeSettings(kind), Progress())
    assert found.kind == kind
    assert found.diagnosis[0].min() > 0.97
    assert found.diagnosis[1, 0] > 0.97
    assert found.diagnosis[1, 1:].sum() < 1.3  # one of two that look alike
    assert found.diagnosis_accuracy[0] > 0.97 > 0.8 > found.diagnosis_accuracy[1]
    assert found.similarity[1, 0] > max(found.similarity[1, 1:])
    assert np.isnan(found.similarity[0]).all()


@pytest.mark.parametrize("kind", ["ridge", "softmax"])
def test_recalls_are_those_of_the_weights_it_gives(kind):
    taps = two_taps()
    found = probed(taps, ProbeSettings(kind), Progress())
    role = taps.role("diagnosis")
    assert found.right.shape == found.gap_right.shape == found.gap_diagnosis.shape == (2, 240)
    for tap in (0, 1):
        features = (role.features[tap] - found.mean[tap]) / found.scale[tap]
        scores = features @ found.weights[tap]
        # the bias isn't told, so what the weights alone answer may differ near the borders
        assert (scores.argmax(axis=1) == role.labels).mean() == pytest.approx(found.diagnosis_accuracy[tap], abs=0.05)
        for label in range(3):
            assert found.diagnosis[tap, label] == pytest.approx(found.right[tap][role.labels == label].mean())


def test_images_without_a_label_are_not_learned_and_never_right():
    half = np.arange(240) % 2 == 0
    hidden = two_taps(lambda labels: np.where(half, labels, -1))
    found = probed(hidden, ProbeSettings(), Progress())
    assert not found.gap_right[:, ~half].any()
    assert found.train_accuracy[0] > 0.97
    lying = two_taps(lambda labels: np.where(half, labels, (labels + 1) % 3))
    assert probed(lying, ProbeSettings(), Progress()).train_accuracy[0] < 0.8


def test_without_labelled_train_images_that_is_said():
    for taps in (two_taps(roles=("diagnosis",)), two_taps(lambda labels: np.full(len(labels), -1))):
        with pytest.raises(ValueError, match="labelled images of the role 'train'"):
            probed(taps, ProbeSettings(), Progress())


def test_without_diagnosis_there_are_no_held_out_figures():
    found = probed(two_taps(roles=("train",)), ProbeSettings(), Progress())
    assert found.right.shape == (2, 0)
    assert np.isnan(found.diagnosis).all()
    assert np.isnan(found.diagnosis_accuracy).all()
    assert found.train_accuracy[0] > 0.97


def noise(n, features, seed, role, units=None):
    random = np.random.default_rng(seed)
    return made_role(
        role, random.integers(0, 3, n), features=random.standard_normal((n, features)), seen=1, units=units
    )


@pytest.mark.parametrize("kind", ["ridge", "softmax"])
def test_noise_is_known_by_heart_but_opens_no_gap(kind):
    roles = noise(200, 150, 0, "train"), noise(400, 150, 1, "diagnosis")
    taps = Taps(("a", "b", "c"), (Tap("block", 150, 1),), roles)
    found = probed(taps, ProbeSettings(kind), Progress())
    if kind == "softmax":
        assert found.train_accuracy[0] > found.diagnosis_accuracy[0] + 0.4  # on what it was fitted on
    assert abs(found.gap_right.mean() - found.gap_diagnosis.mean()) < 0.12
    assert abs(found.gap_right.mean() - 1 / 3) < 0.12


def test_copies_of_an_image_do_not_vouch_for_each_other():
    random = np.random.default_rng(0)
    drawing = np.repeat(np.arange(60), 4)
    train = noise(240, 100, 0, "train", units=drawing)
    scans, labels = random.standard_normal((60, 100)), random.integers(0, 3, 60)
    copies = (scans[drawing] + 0.1 * random.standard_normal((240, 100))).astype(np.float32)
    train = replace(train, features=(copies,), labels=labels[drawing])
    taps = Taps(("a", "b", "c"), (Tap("block", 100, 1),), (train, noise(300, 100, 1, "diagnosis")))
    found = probed(taps, ProbeSettings("ridge"), Progress())
    assert found.gap_right.mean() < 0.55
    apart = replace(taps, roles=(replace(train, units=train.ids), taps.roles[1]))
    assert probed(apart, ProbeSettings("ridge"), Progress()).gap_right.mean() > 0.9


def test_an_image_of_a_unit_in_both_roles_is_judged_without_it():
    train = noise(200, 150, 0, "train")
    leaked = replace(train, role="diagnosis")  # the same images again, of the same units
    taps = Taps(("a", "b", "c"), (Tap("block", 150, 1),), (train, leaked))
    found = probed(taps, ProbeSettings("ridge"), Progress())
    np.testing.assert_array_equal(found.gap_diagnosis, found.gap_right)


@pytest.mark.parametrize("kind", ["ridge", "softmax"])
def test_both_kinds_tell_the_same_gap_and_fill_every_field(kind):
    taps = two_taps()
    found, other = (probed(taps, ProbeSettings(each), Progress()) for each in (kind, "ridge"))
    np.testing.assert_array_equal(found.gap_right, other.gap_right)
    np.testing.assert_array_equal(found.gap_diagnosis, other.gap_diagnosis)
    assert [weights.shape for weights in found.weights] == [(8, 3)] * 2
    assert all(np.isfinite(each).all() for each in (found.train, found.diagnosis, *found.mean, *found.scale))
    assert np.isfinite(found.similarity[1:]).all()
