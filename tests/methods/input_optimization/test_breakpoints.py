from __future__ import annotations

import itertools
import math
import subprocess
import sys
from dataclasses import astuple, replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from sklearn.isotonic import IsotonicRegression

from engine.methods.input_optimization.bootstrap import IMAGINED, drawn_counts, estimates, interval, sums_by_unit
from engine.methods.input_optimization.breakpoints import breakpoints, first_half
from engine.methods.input_optimization.crossing import ROUNDING, crossing, decreasing
from engine.methods.input_optimization.image_breaks import breaks_for_good, returns
from engine.methods.input_optimization.result import Breakpoint, Outcomes, Sweep
from engine.methods.input_optimization.settings import BreakpointSettings, Grid, alone, together
from engine.methods.input_optimization.sides import swept_sides
from tests.methods.input_optimization.planted import planted

BLUR, NOISE, TURN = "gaussian_blur", "gaussian_noise", "rotation"
QUICK = BreakpointSettings(resamples=200)


def spread(n: int, draws: np.random.Generator, middle: float = 0.5) -> np.ndarray:
    """Tolerances of n images around a middle, log-normal."""
    return middle * np.exp(0.6 * draws.normal(size=n))


def rows_of(sweep: Sweep, choices: BreakpointSettings = QUICK, scope: str = "all") -> list[Breakpoint]:
    return [row for row in breakpoints(sweep, choices).rows if row.scope == scope]


def same(ours: Breakpoint, theirs: Breakpoint) -> bool:
    return repr(ours) == repr(theirs)  # NaN is not equal to itself, but written the same


# slow twins


@given(arrays(np.float64, st.tuples(st.integers(1, 8), st.integers(1, 4)), elements=st.floats(0, 1)))
def test_curves_are_made_monotone_as_sklearn_does(curves):
    fit = IsotonicRegression(increasing=False)
    expected = np.stack([fit.fit_transform(np.arange(len(curves)), each) for each in curves.T], axis=1)
    np.testing.assert_allclose(decreasing(curves), expected, atol=1e-9)


def crossing_by_hand(severities: np.ndarray, curve: np.ndarray, threshold: float) -> float:
    if curve[0] < threshold - ROUNDING:
        return 0.0
    fitted = IsotonicRegression(increasing=False).fit_transform(np.arange(len(curve)), curve)
    for before in range(len(curve) - 1):
        above, under = fitted[before], fitted[before + 1]
        if under < threshold - ROUNDING:
            share = min(1.0, max(0.0, (above - threshold) / (above - under)))
            return float(severities[before] + share * (severities[before + 1] - severities[before]))
    return float("inf")


def resampled_by_hand(right, units, times, rule) -> float:
    """Where one resample breaks, image by image; `times` says how often each unit is drawn, the imagined two last."""
    images = [answers for unit in range(len(times) - 2) for _ in range(times[unit]) for answers in right[units == unit]]
    size = len(right) / (len(times) - 2)
    clean = right[:, 0].mean()
    weight = len(images) + size * (times[-2] + times[-1])
    curve = []
    for point in range(right.shape[1]):
        hits = sum(bool(answers[point]) for answers in images) + times[-1] * size * clean
        hits += times[-2] * size * clean if point == 0 else 0
        curve.append(hits / weight)
    threshold = curve[0] - rule.drop if rule.rule == "drop" else rule.level
    return crossing_by_hand(np.linspace(0, 1, right.shape[1]), np.array(curve), threshold)


@pytest.mark.parametrize("rule", ["drop", "level"])
def test_resamples_are_those_of_a_loop_over_units(rule):
    draws = np.random.default_rng(0)
    units = np.repeat(np.arange(9), [1, 2, 3, 1, 2, 3, 1, 2, 3])
    sweep = planted([alone(BLUR, 5)], {(BLUR, 1): spread(18, draws)}, noise=lambda shape: draws.normal(0, 0.4, shape))
    sides = swept_sides(sweep)
    right, choices = sides[0].right(sweep), replace(QUICK, rule=rule)
    counts = drawn_counts(9, 40, draws, IMAGINED)
    found = estimates(sides, [right], units, counts, choices)[0]
    expected = [resampled_by_hand(right, units, times.astype(int), choices) for times in counts]
    np.testing.assert_allclose(found.resampled, expected)
    assert found.severity == pytest.approx(
        resampled_by_hand(right, units, np.r_[np.ones(9, int), 0, 0], choices), nan_ok=True
    )


def image_break_by_hand(severities, right, margin) -> tuple[float, bool]:
    returned = any(right[later] and not right[sooner] for sooner, later in itertools.combinations(range(len(right)), 2))
    if not right[0]:
        return 0.0, returned
    place = float("inf")
    for step in range(len(right) - 1):
        if right[step] and not right[step + 1]:
            share = margin[step] / (margin[step] - margin[step + 1])
            place = severities[step] + share * (severities[step + 1] - severities[step])
        elif right[step + 1]:
            place = float("inf")
    return place, returned


@given(arrays(np.float64, st.tuples(st.integers(1, 5), st.integers(2, 7)), elements=st.sampled_from([-2, -1, 0.5, 3])))
def test_an_image_breaks_where_a_loop_along_its_margins_says(margin):
    severities = np.linspace(0, 1, margin.shape[1]) ** 2
    expected = [image_break_by_hand(severities, one > 0, one) for one in margin]
    np.testing.assert_allclose(breaks_for_good(severities, margin > 0, margin), [place for place, _ in expected])
    np.testing.assert_array_equal(returns(margin > 0), [returned for _, returned in expected])


def test_every_unit_is_drawn_as_often_as_every_other():
    counts = drawn_counts(10, 20000, np.random.default_rng(0), IMAGINED)
    assert (counts.sum(axis=1) == 10).all()
    np.testing.assert_allclose(counts.mean(axis=0), 10 / 12, atol=0.03)


def test_units_are_summed_whatever_their_order():
    values = np.arange(10.0).reshape(5, 2)
    np.testing.assert_array_equal(sums_by_unit(values, np.array([2, 0, 2, 1, 0])), [[10, 12], [6, 7], [4, 6]])


def test_an_interval_may_end_in_infinity_and_knows_nothing_of_no_values():
    low, high = interval(np.array([0.1] * 90 + [np.inf] * 10))
    assert (low, high) == (0.1, np.inf)
    assert np.isnan(interval(np.zeros(0))).all()


# what is found


def test_an_image_that_withstands_a_severity_breaks_there():
    draws = np.random.default_rng(1)
    tolerance = draws.uniform(0.2, 1.4, size=60)
    wrong = np.arange(60) < 3
    found = breakpoints(planted([alone(BLUR, 5)], {(BLUR, 1): tolerance}, wrong=wrong), QUICK)
    assert found.image_sides == ((BLUR, 1),)
    assert found.image_breaks.dtype == np.float32
    expected = np.where(wrong, 0, np.where(tolerance > 1, np.inf, tolerance))
    np.testing.assert_allclose(found.image_breaks[:, 0], expected, rtol=1e-5)
    assert not found.image_returns.any()


def test_a_planted_breakpoint_is_found_and_verified():
    tolerance = np.linspace(0.2, 0.8, 400)[np.random.default_rng(0).permutation(400)]
    row = rows_of(planted([alone(BLUR, 10)], {(BLUR, 1): tolerance}), BreakpointSettings(rule="level", level=0.5))[0]
    assert row.severity == pytest.approx(0.5, abs=0.06)
    assert row.low < 0.5 < row.high
    assert row.high - row.low < 0.15
    assert row.reached
    assert row.verified is True
    assert (row.n, row.units, row.threshold) == (400, 400, 0.5)


def test_a_planted_difference_between_the_halves_is_not_verified():
    finding = first_half(np.array([f"image {number}" for number in range(200)]))
    draws = np.random.default_rng(0)
    tolerance = np.where(finding, spread(200, draws, 0.3), spread(200, draws, 0.7))
    row = rows_of(planted([alone(BLUR, 10)], {(BLUR, 1): tolerance}))[0]
    assert row.reached
    assert row.other > row.severity
    assert row.verified is False


def test_a_half_that_never_breaks_does_not_verify():
    finding = first_half(np.array([f"image {number}" for number in range(200)]))
    row = rows_of(planted([alone(BLUR, 10)], {(BLUR, 1): np.where(finding, 0.4, 5.0)}))[0]
    assert row.reached
    assert math.isnan(row.other)
    assert row.other_high == math.inf
    assert row.verified is False


def test_not_reached_is_an_answer():
    row = rows_of(planted([alone(BLUR, 5)], {(BLUR, 1): np.full(100, 9.0)}))[0]
    assert math.isnan(row.severity)
    assert (row.reached, row.verified) == (False, None)
    assert row.reached_share < 0.02
    assert (row.low, row.high) == (math.inf, math.inf)


def test_what_breaks_in_most_resamples_but_not_in_all_is_not_reached():
    finding = first_half(np.array([f"image {number}" for number in range(200)]))
    tolerance = np.full(200, 9.0)
    tolerance[np.flatnonzero(finding)[: round(finding.sum() * 0.13)]] = 0.5
    row = rows_of(planted([alone(BLUR, 5)], {(BLUR, 1): tolerance}))[0]
    assert 0.7 < row.reached_share < 0.94
    assert row.severity < 1
    assert not row.reached
    assert row.low < 1
    assert row.high == math.inf


def test_no_accuracy_falls_by_more_than_there_is():
    wrong = np.arange(100) >= 5
    row = rows_of(planted([alone(BLUR, 5)], {(BLUR, 1): np.full(100, 0.1)}, wrong=wrong))[0]
    assert math.isnan(row.severity)
    assert row.threshold < 0


def test_what_lies_below_the_level_unchanged_breaks_at_0():
    wrong = np.arange(100) % 4 > 0
    row = rows_of(planted([alone(BLUR, 5)], {(BLUR, 1): np.full(100, 9.0)}, wrong=wrong), replace(QUICK, rule="level"))[
        0
    ]
    assert (row.severity, row.low, row.reached) == (0.0, 0.0, True)


def test_an_accuracy_of_exactly_the_threshold_is_not_below_it():
    curve = np.array([[20], [18], [18], [17]]) / 20
    assert crossing(np.array([0, 0.2, 0.4, 0.6]), curve, curve[0] - 0.1)[0] == pytest.approx(0.4)


def test_a_dip_that_the_rest_of_the_curve_belies_is_no_breakpoint():
    curve = np.array([0.95, 0.84, 0.95, 0.95, 0.5])
    assert crossing(np.linspace(0, 1, 5), curve, np.array(0.85)) > 0.75


def test_both_sides_are_alike_where_the_data_are():
    tolerance = spread(80, np.random.default_rng(0))
    found = breakpoints(planted([alone(TURN, 5)], {(TURN, 1): tolerance, (TURN, -1): tolerance}), QUICK)
    there, back = (row for row in found.rows if row.scope == "all")
    assert (there.sign, back.sign) == (1, -1)
    assert same(replace(there, sign=-1), back)
    np.testing.assert_array_equal(found.image_breaks[:, 0], found.image_breaks[:, 1])


def test_every_class_that_has_images_has_rows_of_its_own():
    tolerance, labels = np.r_[np.full(60, 0.25), np.full(60, 0.65)], np.repeat([0, 2], 60)
    sweep = planted([alone(BLUR, 10)], {(BLUR, 1): tolerance}, labels=labels, classes=("cat", "cow", "dog"))
    rows = breakpoints(sweep, QUICK).rows
    assert [(row.scope, row.n, row.verified) for row in rows] == [
        ("all", 120, True),
        ("cat", 60, True),
        ("dog", 60, True),
    ]
    assert 0.2 < rows[1].severity < 0.3
    assert 0.6 < rows[2].severity < 0.7


def test_few_units_give_a_breakpoint_without_an_interval():
    units = np.repeat([f"group {number}" for number in range(4)], 10)
    row = rows_of(planted([alone(BLUR, 5)], {(BLUR, 1): np.full(40, 0.5)}, units=units))[0]
    assert np.isnan([row.low, row.high, row.reached_share]).all()
    assert (row.reached, row.verified, row.units) == (False, None, 4)


def test_one_image_is_not_too_few_to_answer():
    found = breakpoints(planted([alone(BLUR, 5)], {(BLUR, 1): np.array([0.5])}), QUICK)
    assert len(found.rows) == 2
    assert found.image_breaks[0, 0] == pytest.approx(0.5)


# which images, which grids


def test_a_unit_s_half_depends_on_its_name_alone():
    names = np.array([f"image {number}" for number in range(1000)])
    finding = first_half(names)
    assert 430 < finding.sum() < 570
    np.testing.assert_array_equal(first_half(names[::-7]), finding[::-7])


@settings(max_examples=15, deadline=None)
@given(st.permutations(range(40)))
def test_the_order_of_images_does_not_matter(order):
    draws = np.random.default_rng(2)
    units = np.array([f"group {number // 2}" for number in range(40)])
    sweep = planted([together((BLUR, NOISE), 2)], {(BLUR, 1): spread(40, draws), (NOISE, 1): spread(40, draws)})
    sweep = replace(sweep, units=units, labels=np.arange(40) % 2)
    shuffled = breakpoints(rearranged(sweep, np.array(order)), replace(QUICK, resamples=100))
    found = breakpoints(sweep, replace(QUICK, resamples=100))
    assert all(same(*pair) for pair in zip(found.rows, shuffled.rows, strict=True))
    assert repr(found.interactions) == repr(shuffled.interactions)
    np.testing.assert_array_equal(found.image_breaks[list(order)], shuffled.image_breaks)


def rearranged(sweep: Sweep, order: np.ndarray) -> Sweep:
    """The same images in another order."""

    def of(outcomes: Outcomes) -> Outcomes:
        return Outcomes(*(each[order] for each in astuple(outcomes)))

    return replace(
        sweep,
        ids=sweep.ids[order],
        labels=sweep.labels[order],
        units=sweep.units[order],
        clean=of(sweep.clean),
        grids=tuple(replace(grid, outcomes=of(grid.outcomes)) for grid in sweep.grids),
    )


@settings(max_examples=25, deadline=None)
@given(st.floats(0.02, 0.9), st.floats(0.02, 0.9), st.integers(0, 10))
def test_a_larger_drop_is_never_reached_sooner(one, other, seed):
    draws = np.random.default_rng(seed)
    sweep = planted([alone(BLUR, 4)], {(BLUR, 1): spread(30, draws)}, noise=lambda shape: draws.normal(0, 0.3, shape))
    small, large = (rows_of(sweep, BreakpointSettings(drop=drop, resamples=100))[0] for drop in sorted((one, other)))
    for name in ("severity", "other", "low", "high"):
        sooner, later = (np.nan_to_num(getattr(row, name), nan=np.inf) for row in (small, large))
        assert sooner <= later + 1e-9


def test_other_families_change_nothing():
    draws = np.random.default_rng(0)
    tolerances = {(BLUR, 1): spread(60, draws), (TURN, 1): spread(60, draws), (TURN, -1): spread(60, draws)}
    labels = np.arange(60) % 2
    by_itself = breakpoints(planted([alone(BLUR, 4)], tolerances, labels=labels), QUICK).rows
    among = breakpoints(planted([alone(TURN, 4), alone(BLUR, 4)], tolerances, labels=labels), QUICK).rows
    ours = [row for row in among if row.family == BLUR]
    assert len(among) == 9
    assert all(same(*pair) for pair in zip(by_itself, ours, strict=True))


def test_a_grid_of_several_families_holds_each_one_s_curve():
    draws = np.random.default_rng(0)
    tolerances = {key: spread(60, draws) for key in ((BLUR, 1), (TURN, 1), (TURN, -1))}
    joint = rows_of(planted([together((TURN, BLUR), 3)], tolerances))
    single = rows_of(planted([alone(TURN, 3), alone(BLUR, 3)], tolerances))
    assert all(same(*pair) for pair in zip(joint, single, strict=True))


def test_of_several_grids_the_finest_counts_for_each_side():
    coarse, fine = alone(TURN, 2), Grid((TURN,), ((-1.0, 0.0, 0.2, 0.4, 0.6, 0.8, 1.0),))
    tolerances = {(TURN, 1): np.full(40, 0.5), (TURN, -1): np.full(40, 0.5)}
    there, back = swept_sides(planted([coarse, fine], tolerances))
    assert (there.grid, back.grid) == (1, 0)
    np.testing.assert_array_equal(there.severities, [0, 0.2, 0.4, 0.6, 0.8, 1])
    np.testing.assert_array_equal(back.severities, [0, 0.5, 1])


def test_the_same_seed_gives_the_same_and_another_does_not():
    sweep = planted([alone(BLUR, 5)], {(BLUR, 1): spread(60, np.random.default_rng(0))})
    first, again, other = (rows_of(sweep, replace(QUICK, seed=seed))[0] for seed in (0, 0, 1))
    assert same(first, again)
    assert first.severity == other.severity
    assert (first.low, first.high) != (other.low, other.high)


# coverage


def population(draws, groups: int, size: int, within: float) -> np.ndarray:
    """Tolerances of so many groups of so many images, alike within a group where `within` is small."""
    shared = np.repeat(draws.normal(0, math.sqrt(1 - within**2), groups), size)
    return 0.5 * np.exp(0.6 * (shared + within * draws.normal(size=groups * size)))


@pytest.mark.parametrize("rule", ["drop", "level"])
@pytest.mark.parametrize(
    ("groups", "size", "widest"),
    [(200, 1, 0.2), (24, 1, 0.7), (100, 4, 0.25)],
    ids=["200 alone", "24 alone", "100 of 4"],
)
def test_the_interval_covers_the_truth_as_often_as_it_says(groups, size, widest, rule):
    draws, choices = np.random.default_rng(0), BreakpointSettings(rule=rule, resamples=200)
    whole = population(draws, 100_000, size, 0.3)
    severities = np.linspace(0, 1, 9)
    curve = 0.95 * np.array([(whole > severity).mean() for severity in severities])
    truth = crossing(severities, curve, np.array(curve[0] - 0.1 if rule == "drop" else 0.5))
    covered, widths = 0, []
    for number in range(200):
        n = groups * size
        sweep = planted(
            [alone(BLUR, 8)],
            {(BLUR, 1): population(draws, groups, size, 0.3)},
            wrong=draws.random(n) < 0.05,
            units=np.repeat([f"group {number} {group}" for group in range(groups)], size),
        )
        row = rows_of(sweep, choices)[0]
        covered += row.low <= truth <= row.high
        widths.append(min(row.high, 1.0) - row.low)
    assert covered / 200 >= 0.92
    assert np.median(widths) < widest


def test_halves_that_are_alike_are_verified_as_often_as_chance_says():
    draws, seen = np.random.default_rng(1), []
    for number in range(150):
        sweep = planted(
            [alone(BLUR, 8)],
            {(BLUR, 1): spread(100, draws)},
            units=np.array([f"image {number} {image}" for image in range(100)]),
        )
        seen.append(rows_of(sweep)[0].verified)
    assert np.mean([each is True for each in seen]) >= 0.9


# interactions


def joint(draws, n: int = 300, **choices) -> Sweep:
    return planted([together((BLUR, NOISE), 4)], {(BLUR, 1): spread(n, draws), (NOISE, 1): spread(n, draws)}, **choices)


def test_families_that_break_images_independently_have_no_interaction():
    draws = np.random.default_rng(0)
    covered, found = 0, []
    for _ in range(60):
        (ours,) = breakpoints(joint(draws, wrong=draws.random(300) < 0.1), QUICK).interactions
        covered += ours.low <= 0 <= ours.high
        found.append(ours.excess)
    assert covered / 60 >= 0.88
    assert abs(np.mean(found)) < 0.005


def test_families_that_break_the_same_images_leave_more_than_the_product():
    tolerance = spread(300, np.random.default_rng(0))
    sweep = planted([together((BLUR, NOISE), 4)], {(BLUR, 1): tolerance, (NOISE, 1): tolerance})
    (ours,) = breakpoints(sweep, QUICK).interactions
    assert ours.low > 0.05


def test_families_that_add_up_leave_less_than_the_product():
    (ours,) = breakpoints(joint(np.random.default_rng(0), together=np.sum), QUICK).interactions
    assert ours.high < -0.05


def test_an_interaction_is_the_mean_over_all_combinations_of_both():
    sweep = joint(np.random.default_rng(3), together=np.sum, wrong=np.arange(300) < 30)
    (ours,) = breakpoints(sweep, QUICK).interactions
    assert (ours.grid, ours.families) == (0, (BLUR, NOISE))
    np.testing.assert_array_equal(ours.first, [0, 0.25, 0.5, 0.75, 1])
    right, severities = sweep.right(0), sweep.grids[0].severities.tolist()
    accuracy = {(0.0, 0.0): 0.9} | {tuple(pair): right[:, row].mean() for row, pair in enumerate(severities)}
    over = [accuracy[a, b] - accuracy[a, 0] * accuracy[0, b] / 0.9 for a, b in accuracy if a and b]
    assert ours.excess == pytest.approx(np.mean(over))
    for (row, a), (column, b) in itertools.product(enumerate(ours.first), enumerate(ours.second)):
        assert ours.accuracy[row, column] == accuracy[a, b]


def test_the_line_goes_round_between_what_breaks_and_what_does_not():
    tolerances = {(TURN, 1): np.full(100, 0.7), (TURN, -1): np.full(100, 0.45), (BLUR, 1): np.full(100, 0.3)}
    (ours,) = breakpoints(planted([together((TURN, BLUR), 5)], tolerances), QUICK).interactions
    assert ours.line[:, 0].tolist() == sorted(ours.line[:, 0])
    left, *middle, right = ours.line.tolist()
    assert -0.6 < left[0] <= -0.4
    assert 0.6 <= right[0] < 0.8
    assert left[1] == right[1] == 0
    assert len(middle) == 6
    assert all(0.2 <= blur < 0.4 for _, blur in middle)


def test_two_sided_families_have_a_line_on_all_four_sides():
    far = {(name, sign): np.full(100, 0.5) for name in (TURN, "shear") for sign in (1, -1)}
    (ours,) = breakpoints(planted([together((TURN, "shear"), 4)], far), QUICK).interactions
    signs = {tuple(np.sign(point)) for point in ours.line.tolist()}
    assert {(1, 1), (1, -1), (-1, 1), (-1, -1), (1, 0), (-1, 0), (0, 1), (0, -1)} <= signs


def test_three_families_interact_two_by_two_the_third_at_its_identity():
    draws = np.random.default_rng(0)
    tolerances = {key: spread(100, draws) for key in ((TURN, 1), (TURN, -1), (BLUR, 1), (NOISE, 1))}
    three = breakpoints(planted([together((TURN, BLUR, NOISE), 2)], tolerances), QUICK).interactions
    assert [each.families for each in three] == [(TURN, BLUR), (TURN, NOISE), (BLUR, NOISE)]
    (two,) = breakpoints(planted([together((BLUR, NOISE), 2)], tolerances), QUICK).interactions
    assert repr(three[2]) == repr(two)


def test_where_nothing_is_right_nothing_can_be_said_of_an_interaction():
    (ours,) = breakpoints(joint(np.random.default_rng(0), wrong=np.ones(300, bool)), QUICK).interactions
    assert np.isnan([ours.excess, ours.low, ours.high]).all()


def test_neither_torch_nor_scipy_stats_is_loaded():
    names = ("breakpoints", "comparison", "curves", "sentences")
    code = "import sys; " + "; ".join(f"import engine.methods.input_optimization.{name}" for name in names)
    code += "; print([name for name in ('torch', 'scipy.stats') if name in sys.modules])"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout.strip() == "[]"
