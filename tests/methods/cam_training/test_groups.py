from __future__ import annotations

import numpy as np
import pytest

from engine.methods.cam_training import groups as module
from engine.methods.cam_training.groups import CLOUDS, FEWEST, groups, largest_first
from engine.methods.cam_training.settings import GroupSettings
from engine.runs.progress import Cancelled, Progress
from tests.methods.cam_training.made_maps import blobs, cams_of


def test_two_places_are_two_groups_largest_first():
    places = np.array([[0.2, 0.3]] * 25 + [[0.7, 0.55]] * 40)
    truth = np.array([1] * 25 + [0] * 40)
    order = np.random.default_rng(1).permutation(65)
    found = groups(cams_of(blobs(places[order], 8, noise=0.1)), GroupSettings(), Progress())
    np.testing.assert_array_equal(found.group, truth[order])
    assert found.mean_maps.shape == (2, 8, 8)
    assert [np.unravel_index(each.argmax(), each.shape) for each in found.mean_maps] == [(5, 4), (1, 2)]
    assert (found.mean_maps.max(axis=(1, 2)) > 0.8).all()
    assert found.silhouette.argmax() == 0
    assert len(found.silhouette) == 5


def test_three_places_are_three_groups_however_strong_the_maps():
    places = np.repeat([[0.2, 0.2], [0.2, 0.8], [0.8, 0.5]], [30, 20, 10], axis=0)
    maps = blobs(places, 7, noise=0.1) * np.random.default_rng(0).uniform(0.1, 30, (60, 1, 1))
    found = groups(cams_of(maps), GroupSettings(seed=3), Progress())
    np.testing.assert_array_equal(found.group, np.repeat([0, 1, 2], [30, 20, 10]))


@pytest.mark.parametrize("cells", [4, 8])
@pytest.mark.parametrize(("noise", "wander"), [(0.1, 0), (0.3, 0), (0.1, 0.05), (0.05, 0.08)])
def test_one_place_that_wanders_is_one_group(cells, noise, wander):
    """Its silhouettes reach 0.3, for k-means cuts any cloud in pieces; but so do those of clouds without groups."""
    places = 0.5 + wander * np.random.default_rng(5).standard_normal((100, 2))
    found = groups(cams_of(blobs(places, cells, noise=noise, size=0.2)), GroupSettings(), Progress())
    assert set(found.group) == {0}
    assert len(found.mean_maps) == 1


def test_level_maps_and_maps_without_evidence_are_in_no_group():
    maps = blobs(np.repeat([[0.25, 0.25], [0.75, 0.75]], [20, 10], axis=0), 8, noise=0.1)
    maps[3], maps[7], maps[25] = 0, 1, -1
    found = groups(cams_of(maps), GroupSettings(), Progress())
    assert np.flatnonzero(found.group < 0).tolist() == [3, 7, 25]
    np.testing.assert_array_equal(np.isnan(found.distance), found.group < 0)
    assert np.bincount(found.group[found.group >= 0]).tolist() == [18, 9]


def test_the_most_typical_maps_are_nearest_to_their_group():
    places = np.repeat([[0.25, 0.25], [0.75, 0.75]], [20, 15], axis=0)
    places[4] = 0.35, 0.35
    found = groups(cams_of(blobs(places, 8, noise=0.1)), GroupSettings(), Progress())
    assert found.distance[:20].argmax() == 4
    assert np.bincount(found.group).tolist() == [20, 15]
    evidence = np.maximum(blobs(places, 8, noise=0.1), 0).reshape(35, -1)
    unit = evidence / np.linalg.norm(evidence, axis=1, keepdims=True)
    expected = [np.linalg.norm(unit[row] - unit[found.group == found.group[row]].mean(axis=0)) for row in range(35)]
    np.testing.assert_allclose(found.distance, expected, atol=1e-6)


def test_only_images_of_the_label_are_grouped():
    maps = blobs(np.repeat([[0.25, 0.25], [0.75, 0.75]], 20, axis=0), 8, noise=0.1)
    labels = np.array([0, 1] * 20)
    found = groups(cams_of(maps, labels=labels), GroupSettings(label=1), Progress())
    np.testing.assert_array_equal(found.group >= 0, labels == 1)
    assert len(found.mean_maps) == 2
    nothing = groups(cams_of(maps, labels=labels), GroupSettings(label=7), Progress())
    assert set(nothing.group) == {-1}
    assert nothing.mean_maps.shape == (0, 8, 8)


def test_few_maps_and_equal_maps_are_one_group():
    apart = blobs(np.repeat([[0.25, 0.25], [0.75, 0.75]], 4, axis=0)[: FEWEST - 1], 8)
    found = groups(cams_of(apart), GroupSettings(), Progress())
    assert set(found.group) == {0}
    assert len(found.silhouette) == 0
    equal = groups(cams_of(np.repeat(blobs(np.array([[0.5, 0.5]]), 8), 20, axis=0)), GroupSettings(), Progress())
    assert set(equal.group) == {0}


def test_two_maps_many_times_over_are_two_groups():
    found = groups(
        cams_of(blobs(np.repeat([[0.25, 0.25], [0.75, 0.75]], [12, 8], axis=0), 8)), GroupSettings(), Progress()
    )
    assert np.bincount(found.group).tolist() == [12, 8]


def test_the_same_seed_gives_the_same_groups():
    maps = cams_of(blobs(np.random.default_rng(2).random((60, 2)), 8, noise=0.1))
    first, second = (groups(maps, GroupSettings(seed=4), Progress()) for _ in range(2))
    np.testing.assert_array_equal(first.group, second.group)
    np.testing.assert_array_equal(first.silhouette, second.silhouette)


def test_groups_are_numbered_by_size_then_by_who_comes_first():
    assert largest_first(np.array([2, 0, 0, 1, 2, 1, 0])).tolist() == [1, 0, 0, 2, 1, 2, 0]


def test_a_rare_kind_among_more_maps_than_are_measured_is_found(monkeypatch):
    monkeypatch.setattr(module, "MEASURED", 20)
    places = np.repeat([[0.2, 0.2], [0.8, 0.8]], [297, 3], axis=0)
    found = groups(cams_of(blobs(places, 5)), GroupSettings(), Progress())
    assert np.bincount(found.group).tolist() == [297, 3]
    assert found.silhouette[0] > 0.9


def test_clouds_are_drawn_from_one_decomposition(monkeypatch):
    calls = []
    decompose = np.linalg.svd
    monkeypatch.setattr(np.linalg, "svd", lambda *given, **said: calls.append(1) or decompose(*given, **said))
    groups(cams_of(blobs(np.random.default_rng(2).random((30, 2)), 8, noise=0.1)), GroupSettings(), Progress())
    assert len(calls) == 1


def test_every_grouping_is_reported_and_can_be_stopped():
    heard: list[float] = []

    class Listening(Progress):
        def report(self, fraction, label):
            heard.append(fraction)
            if len(heard) == 40:
                raise Cancelled

    maps = cams_of(blobs(np.random.default_rng(2).random((30, 2)), 8, noise=0.1))
    groups(maps, GroupSettings(), Listening())
    assert len(heard) == (1 + CLOUDS) * 6
    assert heard == sorted(heard)
    assert heard[-1] == pytest.approx(1)
    with pytest.raises(Cancelled):
        groups(maps, GroupSettings(), Listening())
