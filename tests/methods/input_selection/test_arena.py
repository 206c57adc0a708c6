from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from engine.methods.input_selection.arena import SEEDS_ALONE, SEEDS_AND_IMAGES, compare, t_test
from engine.methods.input_selection.resampling import drawn_units, over_seeds_and_images, resampled_figures
from tests.methods.input_selection.made_arms import HELPS, NOTHING, RANDOM, SAME, retrained, runs_of

RUNS = runs_of({"highest_loss": HELPS, "gini": NOTHING, "random": RANDOM, "class_random": SAME})


def test_means_and_paired_differences_are_scipys():
    found = compare(RUNS)
    assert [arm.name for arm in found.arms] == ["random", "class_random", "highest_loss", "gini"]
    arm = found.arm("highest_loss")
    assert arm.seeds == tuple(range(8))
    expected = stats.ttest_1samp(HELPS, 0).confidence_interval(0.95)
    final = arm.final["target_recall"]
    assert final.values == pytest.approx(tuple(HELPS))
    assert (final.low, final.high) == pytest.approx((expected.low, min(1, expected.high)))
    gap = arm.vs_class_random["target_recall"]
    paired = stats.ttest_rel(HELPS, SAME)
    interval = paired.confidence_interval(0.95)
    assert gap.difference.mean == pytest.approx(np.mean(np.subtract(HELPS, SAME)))
    assert (gap.difference.low, gap.difference.high) == pytest.approx((interval.low, interval.high))
    assert gap.p == pytest.approx(paired.pvalue)
    assert arm.vs_random["target_recall"].p == pytest.approx(stats.ttest_rel(HELPS, RANDOM).pvalue)


def test_holm_goes_over_the_arms_and_leaves_the_other_control_out():
    found = compare(RUNS)
    loss, gini = (found.arm(name).vs_class_random["target_recall"] for name in ("highest_loss", "gini"))
    assert loss.p < gini.p
    assert loss.adjusted == pytest.approx(2 * loss.p)
    assert gini.adjusted == pytest.approx(max(gini.p, loss.adjusted))
    control = found.arm("class_random").vs_random["target_recall"]
    assert control.adjusted == control.p
    assert found.arm("class_random").vs_class_random == {}
    assert found.arm("random").vs_random == {}


def test_curves_go_over_the_rounds():
    curve = compare(RUNS).arm("highest_loss").curves["target_recall"]
    assert len(curve) == 3
    assert curve[0].mean == pytest.approx(0.2)
    assert curve[-1].mean == pytest.approx(np.mean(HELPS))


def test_only_seeds_that_both_have_are_paired():
    some = [run for run in RUNS if (run.strategy, run.seed) not in (("class_random", 0), ("highest_loss", 7))]
    gap = compare(some).arm("highest_loss").vs_class_random["accuracy"]
    assert gap.difference.seeds == (1, 2, 3, 4, 5, 6)
    alone = compare([run for run in RUNS if run.strategy == "gini"]).arm("gini")
    assert alone.vs_random == alone.vs_class_random == {}


def test_one_seed_and_equal_differences_have_no_p():
    one = compare([run for run in RUNS if run.seed == 0]).arm("gini").vs_random["target_recall"]
    assert np.isnan([one.p, one.adjusted, one.difference.low]).all()
    assert np.isnan(t_test(np.full(5, 0.25)))
    assert t_test(np.array([0.1, -0.1])) == pytest.approx(1)


def test_what_is_missing_in_a_seed_is_left_out():
    nothing = replace(RUNS[0], target_recall=np.full(3, np.nan))
    found = compare([nothing, *RUNS[1:]])
    assert found.arm("highest_loss").final["target_recall"].seeds == tuple(range(1, 8))


def test_what_can_not_be_compared_is_said():
    with pytest.raises(ValueError, match="no retrainings"):
        compare([])
    with pytest.raises(ValueError, match="gini comes twice with the seed 3"):
        compare([*RUNS, next(run for run in RUNS if (run.strategy, run.seed) == ("gini", 3))])
    with pytest.raises(ValueError, match="different numbers of rounds"):
        compare([replace(RUNS[0], accuracy=np.zeros(2)), *RUNS[1:]])


def on_the_same_images(helps=0.9, n=90, seeds=4):
    """Runs on the same test images, of which each arm gets a share right, the target's by `helps` or by 0.5."""
    random = np.random.default_rng(3)
    labels, lucky = np.arange(n) % 3, random.random(n)
    runs = []
    for name, share in (("class_random", 0.5), ("highest_loss", helps)):
        for seed in range(seeds):
            right = lucky + 0.2 * np.random.default_rng([seed, len(name)]).random(n) < np.where(labels == 1, share, 0.7)
            answers = np.where(right, labels, (labels + 1) % 3)
            recall, accuracy = right[labels == 1].mean(), right.mean()
            run = retrained(name, seed, recall, accuracy)
            runs.append(
                replace(
                    run, ids=np.arange(n).astype(str), units=np.array([f"u{each // 3}" for each in range(n)]),
                    labels=labels, answers=answers, right_before=np.zeros(n, bool),
                )
            )  # fmt: skip
    return runs


def test_where_seeds_share_the_test_images_these_count_too():
    runs = on_the_same_images()
    found = compare(runs)
    gap = found.arm("highest_loss").vs_class_random["target_recall"]
    assert gap.over == found.over == SEEDS_AND_IMAGES
    ours, theirs = runs[4:], runs[:4]
    figures = [[resampled_figures(run, drawn_units(30))["target_recall"] for run in both] for both in (ours, theirs)]
    drawn = [one - two for one, two in zip(*figures, strict=True)]
    expected = over_seeds_and_images(drawn, 30)
    assert (gap.difference.low, gap.difference.high, gap.p) == (expected.low, expected.high, expected.p)
    assert gap.difference.mean == pytest.approx(np.mean([each[0] for each in drawn]))
    alone = compare([replace(run, ids=np.array([f"{run.seed} {each}" for each in run.ids])) for run in runs])
    by_seeds = alone.arm("highest_loss").vs_class_random["target_recall"]
    assert by_seeds.over == alone.over == SEEDS_ALONE
    assert by_seeds.difference.mean == gap.difference.mean
    assert by_seeds.difference.high - by_seeds.difference.low < gap.difference.high - gap.difference.low


def test_one_seed_or_one_unit_says_nothing_of_images():
    one_seed = compare([run for run in on_the_same_images() if run.seed == 0])
    gap = one_seed.arm("highest_loss").vs_class_random["accuracy"]
    assert gap.over == SEEDS_ALONE
    assert np.isnan([gap.p, gap.difference.low]).all()
    one_unit = compare([replace(run, units=np.full(len(run.ids), "u")) for run in on_the_same_images()])
    assert one_unit.over == SEEDS_ALONE
