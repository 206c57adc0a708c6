from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from engine.methods.input_selection.resampling import RESAMPLES, drawn_units, over_seeds_and_images, resampled_figures
from engine.methods.input_selection.standing import Standing
from tests.methods.input_selection.made_arms import retrained


def run_of(seed, n=60, classes=4, targets=(1, 3)):
    random = np.random.default_rng(seed)
    labels = random.integers(0, classes, n)
    answers = np.where(random.random(n) < 0.7, labels, random.integers(0, classes, n))
    units = np.array([f"scan {number}" for number in random.integers(0, n // 3, n)])
    return replace(
        retrained("gini", seed, 0.5), targets=targets, ids=np.arange(n).astype(str), units=units, labels=labels,
        answers=answers, right_before=random.random(n) < 0.6,
    )  # fmt: skip


def by_hand(run, rows):
    """The figures of these images, some of which come several times, as for a test of their own."""
    before = Standing(run.ids, run.units, run.labels, np.where(run.right_before, run.labels, -2), 0.0)
    now = Standing(run.ids, run.units, run.labels, run.answers, 0.0)
    one, other = (
        replace(each, ids=each.ids[rows], labels=each.labels[rows], predictions=each.predictions[rows])
        for each in (now, before)
    )
    return one.figures(run.targets, other)


@pytest.mark.parametrize("seed", range(3))
def test_each_resample_is_a_test_of_its_own(seed):
    run = run_of(seed)
    names, members = np.unique(run.units, return_inverse=True)
    drawn = drawn_units(len(names))
    assert drawn[0].tolist() == [1] * len(names)
    assert (drawn.sum(axis=1) == len(names)).all()
    found = resampled_figures(run, drawn)
    for place in (0, 1, 2, 777, RESAMPLES):
        expected = by_hand(run, np.repeat(np.arange(len(run.labels)), drawn[place].astype(int)[members]))
        for figure, values in found.items():
            assert values[place] == pytest.approx(expected[figure], nan_ok=True), figure


def test_a_label_that_nothing_is_taken_for_or_that_a_resample_lacks():
    run = run_of(0, n=9, targets=(2,))
    run = replace(run, labels=np.array([2] + [0] * 8), answers=np.zeros(9, int), units=np.arange(9).astype(str))
    found = resampled_figures(run, drawn_units(9))
    assert found["target_precision"][0] == 0
    assert found["target_recall"][0] == 0
    assert 0.2 < np.isnan(found["target_recall"]).mean() < 0.5  # (8/9) ** 9 lack it
    assert np.isfinite(found["worst_recall"]).all()


def made(seeds, images, effect=0.0, units=60, count=3, seed=0):
    """Differences of each seed with a spread over seeds and a spread over units that all seeds share."""
    random = np.random.default_rng([seed, 4])
    of_units = images * random.standard_normal(units)
    of_seeds = seeds * random.standard_normal(count)
    return [effect + shift + drawn_units(units) @ of_units / units for shift in of_seeds]


def test_where_only_seeds_matter_it_is_students_t():
    differences = made(0.02, 0.0, 0.01, count=5)
    found = over_seeds_and_images(differences, 60)
    expected = stats.ttest_1samp([each[0] for each in differences], 0)
    interval = expected.confidence_interval()
    assert found.low == pytest.approx(interval.low, abs=0.05 * (interval.high - interval.low))
    assert found.high == pytest.approx(interval.high, abs=0.05 * (interval.high - interval.low))
    assert found.p == pytest.approx(expected.pvalue, rel=0.1)


def test_where_only_images_matter_more_seeds_make_nothing_surer():
    few, many = (over_seeds_and_images(made(0.0, 0.2, count=count), 60) for count in (2, 20))
    assert few.high - few.low == pytest.approx(many.high - many.low)
    own = 0.2 * np.random.default_rng([0, 4]).standard_normal(60)
    interval = stats.ttest_1samp(own, 0).confidence_interval()
    assert many.high - many.low == pytest.approx(interval.high - interval.low, rel=0.08)


def test_nothing_that_varies_gives_nothing():
    found = over_seeds_and_images([np.full(2001, 0.1)] * 3, 60)
    assert np.isnan([found.low, found.high, found.p]).all()


def test_chance_is_called_a_difference_hardly_ever_though_seeds_alone_would():
    """All seeds share the images, of which some happen to suit one arm: that is no difference between the arms."""
    chances, alone = [], []
    for seed in range(80):
        differences = made(0.01, 0.15, seed=seed)
        chances.append(over_seeds_and_images(differences, 60).p)
        alone.append(stats.ttest_1samp([each[0] for each in differences], 0).pvalue)
    assert np.mean(np.array(alone) < 0.05) > 0.25
    assert np.mean(np.array(chances) < 0.05) < 0.1
    sure = [over_seeds_and_images(made(0.01, 0.15, 0.12, seed=seed), 60).p for seed in range(80)]
    assert np.mean(np.array(sure) < 0.05) > 0.9
