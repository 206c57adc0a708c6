from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from engine.methods.cam_training.localisation import by_label, chosen, localise, summary, worst_first

ALLOWED = np.array([[0.0, 1.0], [1.0, 1.0]])  # the first cell of four is allowed
FIGURES = ("energy", "corrected", "pointing", "iou", "outside", "area")


def slow(cells: np.ndarray, forbidden: np.ndarray) -> dict[str, float]:
    """The definitions, cell by cell; maps that can be measured only."""
    places = [(i, j) for i in range(cells.shape[0]) for j in range(cells.shape[1])]
    positive = sum(max(cells[p], 0) for p in places)
    energy = sum(max(cells[p], 0) * (1 - forbidden[p]) for p in places) / positive
    area = sum(1 - forbidden[p] for p in places) / len(places)
    hottest = max(places, key=lambda p: cells[p])
    hot = {p for p in places if cells[p] > cells[hottest] / 2}
    allowed = {p for p in places if 1 - forbidden[p] >= 0.5}
    return {
        "energy": energy,
        "corrected": (energy - area) / (1 - area),
        "pointing": float(hottest in allowed),
        "iou": len(hot & allowed) / len(hot | allowed),
        "outside": sum(cells[p] * forbidden[p] for p in places) / sum(cells[p] for p in places),
        "area": area,
    }


def test_every_figure_is_as_defined():
    draws = np.random.default_rng(0)
    maps, masks = draws.standard_normal((40, 4, 5)) + 1.0, draws.random((40, 4, 5))
    found = localise(maps, masks)
    for name in FIGURES:
        expected = [slow(*each)[name] for each in zip(maps, masks, strict=True)]
        np.testing.assert_allclose(getattr(found, name), expected, atol=1e-12, err_msg=name)


@pytest.mark.parametrize(
    ("cells", "energy", "corrected", "pointing", "iou", "outside"),
    [
        ([[4, 0], [0, 0]], 1, 1, 1, 1, 0),
        ([[0, 4], [0, 0]], 0, -1 / 3, 0, 0, 1),
        ([[2, 2], [2, 2.0001]], 0.25, 0, 0, 0.25, 0.75),
        ([[3, 1], [0, 0]], 0.75, 2 / 3, 1, 1, 0.25),
        ([[3, -1], [0, 0]], 1, 1, 1, 1, -0.5),  # what is outside speaks against
        ([[-1, 3], [0, 0]], 0, -1 / 3, 0, 0, 1.5),
        ([[3, 2], [0, 0]], 0.6, 7 / 15, 1, 0.5, 0.4),
    ],
)
def test_known_maps_have_known_figures(cells, energy, corrected, pointing, iou, outside):
    found = localise(np.array([cells], dtype=float), ALLOWED[None])
    measured = [getattr(found, name).item() for name in FIGURES]
    assert measured == pytest.approx([energy, corrected, pointing, iou, outside, 0.25], abs=1e-4)


@pytest.mark.parametrize("cells", [[[0, 0], [0, 0]], [[5, 5], [5, 5]], [[-1, -2], [-3, 0]], [[-1, -1], [-1, -1]]])
def test_level_maps_and_maps_without_evidence_have_nothing_to_measure(cells):
    found = localise(np.array([cells, [[1, 0], [0, 0]]], dtype=np.float32), ALLOWED[None])
    for name in ("energy", "corrected", "pointing", "iou"):
        values = getattr(found, name)
        assert np.isnan(values[0]), name
        assert values[1] == 1, name


def test_no_share_is_told_where_for_and_against_cancel():
    maps = np.array([[[1, -1], [0, 0]], [[1.0, -1.01], [0, 0]], [[1, -0.5], [0, 0]], [[-1, -1], [-1, -1]]])
    found = localise(maps, ALLOWED[None]).outside
    assert np.isnan(found[:2]).all()
    np.testing.assert_allclose(found[2:], [-1, 0.75])


def test_where_all_is_allowed_chance_can_t_be_beaten():
    found = localise(np.array([[[1.0, 2], [3, 4]]]), np.zeros((1, 2, 2)))
    assert (found.energy.item(), found.area.item()) == (1, 1)
    assert np.isnan(found.corrected.item())


@given(
    maps=arrays(np.float64, (3, 3, 4), elements=st.floats(-5, 5)),
    mask=arrays(np.float64, (1, 3, 4), elements=st.floats(0, 1)),
    scale=st.floats(0.01, 100),
)
def test_how_strong_the_evidence_is_does_not_matter(maps, mask, scale):
    maps = np.round(maps, 2)
    first, second = localise(maps, mask), localise(scale * maps, mask)
    for name in ("energy", "corrected", "pointing", "outside"):
        np.testing.assert_allclose(getattr(first, name), getattr(second, name), atol=1e-6, err_msg=name)
    for name in ("energy", "pointing", "iou", "area"):
        values = getattr(first, name)
        assert ((values[~np.isnan(values)] >= -1e-12) & (values[~np.isnan(values)] <= 1 + 1e-12)).all()


def test_random_maps_are_as_by_chance():
    draws = np.random.default_rng(0)
    maps, mask = draws.random((600, 8, 8)), np.ones((1, 8, 8))
    mask[:, 2:6, 2:6] = 0
    found = summary(localise(maps, mask), np.arange(600))
    assert found.corrected.low < 0 < found.corrected.high
    assert found.pointing.low < 0.25 < found.pointing.high
    assert found.outside.low < 0.75 < found.outside.high


def test_a_summary_counts_what_could_not_be_measured_and_knows_units():
    maps = np.array([[[1.0, 0], [0, 0]]] * 6 + [[[0.0, 0], [0, 0]]] * 2)
    found = summary(localise(maps, ALLOWED[None]), np.array(list("aabbccdd")))
    assert (found.energy.mean, found.energy.n, found.energy.missing) == (1, 6, 2)
    assert (found.pointing.mean, found.pointing.n, found.pointing.missing) == (1, 6, 2)
    assert found.pointing.low == pytest.approx(3 / (3 + 1.959964**2))  # Wilson's of 3 of 3 units
    assert math.isnan(summary(localise(maps[6:], ALLOWED[None]), np.array(["a", "b"])).pointing.mean)


def test_labels_have_figures_of_their_own():
    maps = np.array([[[1.0, 0], [0, 0]], [[0, 1.0], [0, 0]], [[1.0, 0], [0, 0]]])
    found = by_label(localise(maps, ALLOWED[None]), np.array([2, 0, -1]), np.arange(3))
    assert {label: each.energy.mean for label, each in found.items()} == {2: 1, 0: 0, -1: 1}


def test_the_worst_come_first_and_those_without_evidence_last():
    maps = np.array([[[1.0, 0], [0, 0]], [[0, 0.0], [0, 0]], [[0, 1.0], [0, 0]], [[1.0, 1], [0, 0]]])
    found = localise(maps, ALLOWED[None])
    assert worst_first(found).tolist() == [2, 3, 0, 1]
    np.testing.assert_array_equal(chosen(found, worst_first(found)).energy, [0, 0.5, 1, np.nan])
