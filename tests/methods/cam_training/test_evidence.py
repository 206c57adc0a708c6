from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from engine.methods.cam_training.evidence import compare, flipped, on_test_images
from engine.methods.cam_training.signed_rank import signed_rank
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
    columns = ("ids", "labels", "predictions", "units")
    turned = replace(swapped, **{name: getattr(swapped, name)[backwards] for name in columns})
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


def test_nothing_and_the_same_training_twice_are_refused():
    with pytest.raises(ValueError, match="there are no trainings to compare"):
        compare([])
    with pytest.raises(ValueError, match="the arm cam comes twice with the seed 3"):
        compare([taught("cam", 3, {}), taught("cam", 3, {})])


def test_differences_that_are_equal_but_for_rounding_share_a_rank():
    found = compare(runs((20, 60, 30, 20, 80, 10), (30, 70, 20, 10, 90, 50))).gap("cam", "swapped")
    assert found.p == signed_rank(np.array([10, 10, -10, -10, 10, 40]) / 100)


def test_seeds_that_all_agree_have_no_interval():
    found = compare(runs((10, 20, 30), (20, 30, 40)))
    assert np.isnan([found.gap("cam", "swapped").difference.low, found.gap("cam", "swapped").difference.high]).all()
    assert np.isnan(found.arm("cam").accuracy["unchanged"].low)
    assert found.arm("cam").accuracy["swapped"].low < 0.3


def test_intervals_end_where_no_share_can_lie():
    found = compare(runs((0, 0, 10), (100, 90, 100)))
    assert found.arm("default").accuracy["swapped"].low == 0
    assert found.arm("cam").accuracy["swapped"].high == 1
    assert found.gap("cam", "swapped").difference.high == 1
    worse = compare(runs((100, 90, 100), (0, 0, 10))).gap("cam", "swapped")
    assert worse.difference.low == -1
    assert -1 < worse.difference.high < 0


def test_where_seeds_share_the_images_there_is_an_interval_over_them():
    found = compare(runs()).gap("cam", "swapped")
    assert (found.images, found.shared) == (100, True)
    ours, theirs = (np.mean([np.arange(100) < rate for rate in rates], axis=0) for rates in (CAM, PLAIN))
    expected = stats.ttest_1samp(ours - theirs, 0).confidence_interval(0.95)
    assert (found.image_low, found.image_high) == pytest.approx((expected.low, expected.high))


def test_it_goes_by_units_and_by_ids_whatever_the_order():
    def shuffled(run):
        order = np.random.default_rng(run.seed).permutation(100)
        parts = [
            replace(each, **{name: getattr(each, name)[order] for name in ("ids", "labels", "predictions", "units")})
            for each in run.parts
        ]
        return replace(run, parts=tuple(parts))

    def in_units(run):
        units = np.repeat([f"unit {number}" for number in range(20)], 5)
        return replace(run, parts=tuple(replace(each, units=units) for each in run.parts))

    plain = compare(runs()).gap("cam", "swapped")
    mixed = compare([shuffled(run) for run in runs()]).gap("cam", "swapped")
    assert (mixed.image_low, mixed.image_high) == pytest.approx((plain.image_low, plain.image_high))
    units = compare([shuffled(in_units(run)) for run in runs()]).gap("cam", "swapped")
    ours, theirs = (np.mean([np.arange(100) < rate for rate in rates], axis=0) for rates in (CAM, PLAIN))
    means = (ours - theirs).reshape(20, 5).mean(axis=1)
    expected = stats.ttest_1samp(means, 0).confidence_interval(0.95)
    assert (units.image_low, units.image_high) == pytest.approx((expected.low, expected.high))


def test_images_drawn_anew_for_each_seed_are_counted_and_have_no_interval_of_their_own():
    rows = [
        taught(arm, seed, {"swapped": rate}, draw=f"{seed} ")
        for arm, rates in (("default", PLAIN), ("cam", CAM))
        for seed, rate in enumerate(rates)
    ]
    found = compare(rows).gap("cam", "swapped")
    assert (found.images, found.shared) == (700, False)
    assert np.isnan([found.image_low, found.image_high]).all()


def test_the_role_is_one():
    assert compare(runs()).role == "test"
    assert compare([taught("cam", 0, {})]).role == ""
    assert compare([taught("cam", 0, {"swapped": 3}, role="diagnosis")]).role == "diagnosis"
    with pytest.raises(ValueError, match="trainings that report on diagnosis and on test images can't be compared"):
        compare([taught("cam", 0, {"swapped": 3}), taught("default", 0, {"swapped": 3}, role="diagnosis")])


def test_without_images_to_compare_on_there_are_no_figures():
    found = compare([taught("cam", 0, {}), taught("default", 0, {})])
    assert (found.parts, found.gaps) == ((), ())
    assert found.arm("cam").accuracy == {}
