import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.methods.input_selection.heat_maps import contributions, heat_maps
from engine.methods.input_selection.result import Probes
from tests.conftest import BLUE, GREEN, RED, colour_images
from tests.methods.input_selection.made_taps import made_probes, made_role, made_taps


def by_name(*arguments):
    return {each.name: each for each in heat_maps(*arguments)}


def many(seed=0, n=300):
    random = np.random.default_rng(seed)
    labels = random.integers(0, 3, n)
    predictions = np.where(random.random(n) < 0.6, labels, random.integers(0, 3, n))
    return made_taps(made_role("diagnosis", labels, predictions, random.standard_normal((n, 4))))


def test_maps_are_the_means_written_out():
    taps = many()
    weights = np.random.default_rng(1).standard_normal((4, 3))
    found = by_name(taps, made_probes(taps, weights), 0, 1)
    role = taps.roles[0]
    groups = {"hci": [], "hmi": [], "hwi": []}
    wrong = {0: 0, 2: 0}
    for number, (label, prediction) in enumerate(zip(role.labels, role.predictions, strict=True)):
        cell = [role.features[0][number, j] * weights[j, 1] for j in range(4)]
        if label == 1 and prediction == 1:
            groups["hci"].append(cell)
        if label != 1 and prediction == 1:
            groups["hmi"].append(cell)
        if label == 1 and prediction != 1:
            groups["hwi"].append(cell)
            wrong[prediction] += 1
    partner = max(wrong, key=wrong.get)
    theirs = np.mean([
        role.features[0][number] * weights[:, partner]
        for number in range(300) if role.labels[number] == partner == role.predictions[number]
    ], axis=0)  # fmt: skip
    means = {name: np.mean(cells, axis=0) for name, cells in groups.items()}
    for name, cells in groups.items():
        np.testing.assert_allclose(found[name].values, means[name], atol=1e-6)
        assert (found[name].group, found[name].note) == (len(cells), "")
    np.testing.assert_allclose(found["dhwi"].values, means["hwi"] - means["hci"], atol=1e-6)
    np.testing.assert_allclose(found["dhmi"].values, means["hmi"] - means["hci"], atol=1e-6)
    np.testing.assert_allclose(found["dhci"].values, means["hci"] - theirs, atol=1e-6)
    assert (found["dhwi"].group, found["dhwi"].against) == (len(groups["hwi"]), len(groups["hci"]))
    assert f"against {'abc'[partner]}, its main confusion" in found["dhci"].note
    assert found["hci"].shape == (4, 1, 1)


def test_the_feature_that_lost_images_lack_is_found():
    random = np.random.default_rng(0)
    labels, predictions = np.repeat([0, 0, 1], 50), np.repeat([0, 1, 1], 50)
    features = random.standard_normal((150, 4))
    features[:50, 2] += 3  # what recognised images of label 0 have
    taps = made_taps(made_role("diagnosis", labels, predictions, features))
    found = by_name(taps, made_probes(taps), 0, 0)
    assert np.abs(found["dhwi"].values).argmax() == 2
    assert found["dhwi"].values[2] < -2


def test_contributions_add_up_to_the_probes_logit():
    random = np.random.default_rng(3)
    features, weights, mean, scale = (random.random(size) for size in ((5, 6), (6, 3), 6, 6))
    probes = Probes("ridge", *[np.zeros((1, 3))] * 2, *[np.zeros(1)] * 2, *[np.zeros((1, 0), bool)] * 3,
                    (weights,), (mean,), (scale,), np.zeros((1, 3)))  # fmt: skip
    for label in range(3):
        logit = ((features - mean) / scale) @ weights[:, label]
        np.testing.assert_allclose(contributions(features, probes, 0, label).sum(axis=1), logit)


def test_train_fills_up_small_groups_but_only_with_what_was_seen():
    features = np.ones((20, 4))
    diagnosis = made_role("diagnosis", [0] * 20, [0] * 17 + [1] * 3, features)
    train = made_role("train", [0] * 10, [1] * 10, 5 * np.ones((10, 4)), seen=1)
    taps = made_taps(diagnosis, train)
    found = by_name(taps, made_probes(taps), 0, 0)
    assert (found["hwi"].group, found["hwi"].note) == (13, "10 of them from train")
    np.testing.assert_allclose(found["hwi"].values, (3 * 1 + 10 * 5) / 13)
    unseen = made_taps(diagnosis, made_role("train", [0] * 10, [1] * 10, 5 * np.ones((10, 4)), seen=0))
    found = by_name(unseen, made_probes(unseen), 0, 0)
    assert found["hwi"].group == 3
    assert "only 3 images of the label taken for another" in found["hwi"].note


def test_a_small_group_is_drawn_towards_hci():
    features = np.ones((24, 4))
    features[20:] = 6
    taps = made_taps(made_role("diagnosis", [0] * 24, [0] * 20 + [1] * 4, features))
    found = by_name(taps, made_probes(taps), 0, 0)
    np.testing.assert_allclose(found["hwi"].values, (4 * 6 + 6 * 1) / 10)
    np.testing.assert_allclose(found["hmi"].values, found["hci"].values)
    assert "no images of other labels taken for it, so it is HCI alone" in found["dhmi"].note


@settings(max_examples=60, deadline=None)
@given(labels=st.lists(st.integers(-1, 2), min_size=1, max_size=12), seed=st.integers(0, 100), label=st.integers(0, 2))
def test_there_is_never_a_nan_however_few_there_are(labels, seed, label):
    predictions = np.random.default_rng(seed).integers(0, 3, len(labels))
    taps = made_taps(made_role("diagnosis", labels, predictions))
    for each in heat_maps(taps, made_probes(taps), 0, label):
        assert np.isfinite(each.values).all()
        assert each.group >= 10 or each.note


def test_pixel_maps_are_mean_images():
    images = colour_images([RED] * 30 + [GREEN] * 30 + [BLUE] * 30, [0] * 30 + [1] * 30 + [2] * 30)
    role = made_role("diagnosis", images.labels, np.where(np.arange(90) < 15, 1, images.labels))
    role = type(role)(**{**vars(role), "ids": images.ids})
    taps = made_taps(role)
    found = by_name(taps, made_probes(taps), 0, 0, "pixel", images)
    assert found["hci"].shape == (3, 8, 8)
    expected = images.read(np.arange(15, 30)).mean(axis=0) / 255
    np.testing.assert_allclose(found["hci"].values, expected.ravel(), atol=1e-6)
    np.testing.assert_allclose(found["hmi"].values, found["hci"].values)
    with pytest.raises(ValueError, match="need the images"):
        heat_maps(taps, made_probes(taps), 0, 0, "pixel")


def test_without_probes_there_are_maps_of_pixels_alone_and_that_is_said():
    with pytest.raises(ValueError, match="without labelled images of train there is none"):
        heat_maps(made_taps(made_role("diagnosis", [0] * 12)), None, 0, 0)
