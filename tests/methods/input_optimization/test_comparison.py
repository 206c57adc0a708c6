from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.methods.input_optimization.comparison import compare, holm, p_value
from engine.methods.input_optimization.crossing import crossing
from engine.methods.input_optimization.settings import BreakpointSettings, alone
from tests.methods.input_optimization.planted import planted

BLUR, TURN, SHEAR = "gaussian_blur", "rotation", "shear"
SIDES = ((TURN, 1), (TURN, -1), (SHEAR, 1), (SHEAR, -1), (BLUR, 1))
GRIDS = [alone(name, 5) for name in (TURN, SHEAR, BLUR)]
CHOICES = BreakpointSettings(rule="level", level=0.5, resamples=200)


def two(draws, n: int, shift: float = 0.0, **choices):
    """Two classifiers that withstand much the same, the second more by the factor exp(shift)."""
    shared = {side: draws.normal(size=n) for side in SIDES}
    return [
        planted(
            GRIDS,
            {side: 0.5 * np.exp(0.5 * each + 0.2 * draws.normal(size=n) + more) for side, each in shared.items()},
            **choices,
        )
        for more in (0.0, shift)
    ]


def test_a_classifier_does_not_differ_from_itself():
    first, _ = two(np.random.default_rng(0), 60)
    found = compare(first, first, CHOICES)
    assert [(each.family, each.sign) for each in found] == list(SIDES)
    assert all(
        (each.difference, each.low, each.high, each.p, each.significant) == (0, 0, 0, 1, False) for each in found
    )
    assert all((each.n, each.units) == (60, 60) for each in found)


def test_a_planted_difference_is_found():
    found = compare(*two(np.random.default_rng(0), 200, shift=0.4), CHOICES)
    for each in found:
        assert each.first_low <= each.first <= each.first_high
        assert each.second_low <= each.second <= each.second_high
        assert each.first_reached
        assert each.second_reached
        assert each.difference == pytest.approx(each.second - each.first)
        assert 0 < each.low <= each.difference <= each.high
        assert each.significant


def test_the_same_images_are_drawn_for_both():
    each = compare(*two(np.random.default_rng(0), 200), CHOICES)[0]
    apart = (each.first_high - each.first_low) + (each.second_high - each.second_low)
    assert each.high - each.low < 0.5 * apart


def test_exchanging_the_two_turns_the_difference_round():
    first, second = two(np.random.default_rng(0), 100, shift=0.2)
    for there, back in zip(compare(first, second, CHOICES), compare(second, first, CHOICES), strict=True):
        assert (there.difference, there.p) == (-back.difference, back.p)
        assert (there.first, there.first_low, there.first_high) == (back.second, back.second_low, back.second_high)
        assert (there.low, there.high) == pytest.approx((-back.high, -back.low), abs=0.01)


def test_what_never_breaks_is_taken_to_break_at_the_end_and_says_so():
    first = planted([alone(BLUR, 4)], {(BLUR, 1): np.full(60, 0.45)})
    second = planted([alone(BLUR, 4)], {(BLUR, 1): np.full(60, 9.0)})
    (found,) = compare(first, second, CHOICES)
    assert (found.first_reached, found.second_reached) == (True, False)
    assert math.isnan(found.second)
    assert found.second_high == math.inf
    assert found.difference == pytest.approx(1 - found.first)
    assert np.isfinite([found.low, found.high]).all()
    assert found.significant


def test_two_that_never_break_do_not_differ():
    never = planted([alone(BLUR, 4)], {(BLUR, 1): np.full(60, 9.0)})
    (found,) = compare(never, never, CHOICES)
    assert (found.difference, found.significant) == (0, False)


def test_few_units_are_not_compared():
    first, second = two(np.random.default_rng(0), 40, units=np.repeat(["a", "b", "c", "d"], 10), shift=0.5)
    for each in compare(first, second, CHOICES):
        assert np.isnan([each.low, each.high, each.p]).all()
        assert not each.significant
        assert each.difference > 0


@pytest.mark.parametrize(
    ("what", "changed"),
    [
        ("images", lambda sweep: replace(sweep, ids=sweep.ids[::-1])),
        ("classes", lambda sweep: replace(sweep, classes=("dog", "cat"))),
        ("labels", lambda sweep: replace(sweep, labels=1 - sweep.labels)),
        ("groups", lambda sweep: replace(sweep, units=np.repeat("one", len(sweep.units)))),
        ("transforms", lambda sweep: replace(sweep, grids=sweep.grids[:1])),
        (
            "transforms",
            lambda sweep: replace(
                sweep, grids=tuple(replace(each, severities=each.severities / 2) for each in sweep.grids)
            ),
        ),
        ("seeds", lambda sweep: replace(sweep, seed=7)),
        ("images and seeds", lambda sweep: replace(sweep, seed=7, ids=sweep.ids[::-1])),
    ],
)
def test_sweeps_that_are_not_alike_are_not_compared(what, changed):
    first, second = two(np.random.default_rng(0), 20)
    with pytest.raises(ValueError, match=f"the two sweeps can't be compared, because their {what} differ$"):
        compare(first, changed(second), CHOICES)


@pytest.mark.parametrize("shift", [0.0, 0.4])
@pytest.mark.parametrize(("groups", "size"), [(100, 1), (30, 4)], ids=["100 alone", "30 of 4"])
def test_the_interval_covers_the_difference_and_chance_is_rarely_taken_for_one(groups, size, shift):
    draws, severities, covered, mistaken = np.random.default_rng(0), np.linspace(0, 1, 6), [], 0

    def tolerances(shared, more):
        return 0.5 * np.exp(0.5 * shared + 0.3 * draws.normal(size=len(shared)) + more)

    def truth(more):
        whole = tolerances(draws.normal(size=200_000), more)
        return crossing(severities, np.array([(whole > each).mean() for each in severities]), np.array(0.5))

    difference = truth(shift) - truth(0)
    for _ in range(60):
        shared = {side: np.repeat(draws.normal(size=groups), size) for side in SIDES}
        units = np.repeat(np.arange(groups), size).astype(str)
        sweeps = [
            planted(GRIDS, {side: tolerances(each, more) for side, each in shared.items()}, units=units)
            for more in (0, shift)
        ]
        found = compare(*sweeps, CHOICES)
        covered += [each.low <= difference <= each.high for each in found]
        mistaken += any(each.significant for each in found)
    assert np.mean(covered) >= 0.92
    assert (mistaken / 60 <= 0.12) if shift == 0 else (mistaken / 60 >= 0.9)


def test_the_most_sides_there_can_be_still_have_a_p_value_that_holm_lets_pass():
    first, second = two(np.random.default_rng(0), 60, shift=2.0)
    assert all(each.p < 0.05 / len(SIDES) / 2 for each in compare(first, second, CHOICES))


def test_the_p_value_is_twice_the_share_on_the_rarer_side():
    assert p_value(np.array([-1.0] * 10 + [1.0] * 89)) == pytest.approx(2 * 11 / 100)
    assert p_value(np.array([0.0] * 99)) == 1
    assert math.isnan(p_value(np.zeros(0)))


def holm_by_hand(chances: list[float]) -> list[bool]:
    """Each p-value is raised to what it would have to be below by itself, never below a smaller one's."""
    order, least, passed = sorted(range(len(chances)), key=lambda which: chances[which]), 0.0, [False] * len(chances)
    for step, which in enumerate(order):
        least = max(least, chances[which] * (len(chances) - step))
        passed[which] = least <= 0.05
    return passed


@given(st.lists(st.sampled_from([0.0001, 0.001, 0.004, 0.009, 0.012, 0.02, 0.04, 0.3, 1.0]), max_size=12))
def test_holm_agrees_with_his_adjusted_p_values(chances):
    assert holm(chances) == holm_by_hand(chances)


def test_holm_lets_nothing_pass_that_is_not_known():
    assert holm([math.nan, math.nan]) == [False, False]
