from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from engine.methods.cam_training.evidence import compare, flipped, on_test_images, signed_rank
from tests.methods.cam_training.made_runs import part, taught

PLAIN, CAM = (0, 2, 1, 3, 0, 1, 2), (60, 71, 80, 66, 75, 58, 90)


def runs(plain=PLAIN, cam=CAM, unchanged=(99, 97)):
    return [
        *(taught("default", seed, {"unchanged": unchanged[0], "swapped": rate}) for seed, rate in enumerate(plain)),
        *(taught("cam", seed, {"unchanged": unchanged[1], "swapped": rate}) for seed, rate in enumerate(cam)),
    ]


def test_means_intervals_and_paired_differences_agree_with_scipy():
    found = compare(runs())
    accuracy = found.arm("cam").accuracy["swapped"]
    values = np.array(CAM) / 100
    assert accuracy.seeds == tuple(range(7))
    assert accuracy.values == pytest.approx(tuple(values))
    expected = stats.ttest_1samp(values, 0).confidence_interval(0.95)
    assert (accuracy.low, accuracy.high) == pytest.approx((expected.low, expected.high))
    gap = found.gap("cam", "swapped")
    differences = (np.array(CAM) - np.array(PLAIN)) / 100
    expected = stats.ttest_rel(np.array(CAM) / 100, np.array(PLAIN) / 100).confidence_interval(0.95)
    assert gap.difference.mean == pytest.approx(differences.mean())
    assert (gap.difference.low, gap.difference.high) == pytest.approx((expected.low, expected.high))
    assert (gap.wins, gap.n) == (7, 7)
    assert gap.p == pytest.approx(stats.wilcoxon(differences, method="exact").pvalue)
    assert found.gap("cam", "unchanged").wins == 0
    assert (found.parts, found.made) == (("unchanged", "swapped"), ())


def test_there_is_no_p_below_six_seeds_and_no_interval_of_one():
    five = compare(runs(PLAIN[:5], CAM[:5])).gap("cam", "swapped")
    assert five.p is None
    assert five.wins == 5
    one = compare(runs(PLAIN[:1], CAM[:1])).gap("cam", "swapped")
    assert one.difference.mean == pytest.approx(0.6)
    assert np.isnan(one.difference.low)


def test_only_seeds_that_both_arms_have_are_paired():
    some = [run for run in runs() if (run.arm, run.seed) not in (("default", 0), ("cam", 6))]
    gap = compare(some).gap("cam", "swapped")
    assert gap.difference.seeds == (1, 2, 3, 4, 5)
    assert gap.n == 5
    assert compare([run for run in some if run.arm == "cam"]).gaps == ()


def test_what_never_learned_is_named_and_stays_in_the_figures():
    bad = [*runs(), taught("cam", 7, {"swapped": 0}, learned=False), taught("default", 7, {"swapped": 0})]
    found = compare(bad)
    assert found.arm("cam").failed == (7,)
    assert found.arm("default").failed == ()
    assert found.arm("cam").accuracy["swapped"].values[-1] == 0
    assert found.gap("cam", "swapped").n == 8


def test_flips_are_counted_by_the_same_object_whatever_the_order():
    run = taught("default", 0, {"unchanged": 100})
    swapped = part("swapped", 100, 0, flipped=30)
    backwards = slice(None, None, -1)
    turned = type(swapped)(
        "swapped", False, *(getattr(swapped, name)[backwards] for name in ("ids", "labels", "predictions", "units")),
        swapped.looks, swapped.pictures,
    )  # fmt: skip
    both = type(run)(**{**vars(run), "parts": (*run.parts, turned)})
    assert flipped(both) == pytest.approx(0.3)
    assert flipped(run) is None
    assert compare([run]).arm("default").flips is None
    assert compare([both]).arm("default").flips.mean == pytest.approx(0.3)


def test_energy_is_the_mean_of_what_could_be_measured():
    found = compare([taught("cam", 0, {}, energy=(0.2, np.nan, 0.6)), taught("cam", 1, {}, energy=(np.nan,))])
    assert found.arm("cam").energy_inside.seeds == (0,)
    assert found.arm("cam").energy_inside.mean == pytest.approx(0.4)


def test_the_interval_of_one_run_counts_units_not_images():
    own = part("swapped", 80, 20)
    wide = type(own)(**{**vars(own), "units": np.repeat([f"group {number}" for number in range(10)], 10)})
    assert on_test_images(own).value == on_test_images(wide).value == 0.8
    assert on_test_images(wide).groups == 10
    assert on_test_images(wide).high - on_test_images(wide).low > on_test_images(own).high - on_test_images(own).low


def by_all_signs(differences: np.ndarray) -> float:
    """Slow twin: every way to put signs before the ranks."""
    left = differences[differences != 0]
    ranks = stats.rankdata(np.abs(left))
    observed = ranks[left > 0].sum()
    signs = np.array(list(product((0, 1), repeat=len(left))))
    sums = signs @ ranks
    return min(1.0, 2 * min((sums <= observed + 1e-9).mean(), (sums >= observed - 1e-9).mean()))


@settings(deadline=None, max_examples=40)
@given(st.lists(st.integers(-4, 4), min_size=1, max_size=9))
def test_the_signed_rank_test_is_exact_with_ties_and_zeros(differences):
    values = np.array(differences, dtype=np.float64) / 10
    expected = by_all_signs(values) if values.any() else 1.0
    assert signed_rank(values) == pytest.approx(expected)
    assert signed_rank(-values) == pytest.approx(expected)


def test_ten_wins_of_ten_cannot_be_chance():
    assert signed_rank(np.arange(1, 11) / 10) == pytest.approx(2 / 2**10)


def test_nothing_and_the_same_training_twice_are_refused():
    with pytest.raises(ValueError, match="there are no trainings to compare"):
        compare([])
    with pytest.raises(ValueError, match="the arm cam comes twice with the seed 3"):
        compare([taught("cam", 3, {}), taught("cam", 3, {})])
