from __future__ import annotations

from math import isnan

import pytest

from engine.methods.error_discovery.comparison import broken_by_seeds, compare
from tests.methods.error_discovery.made_runs import made_run, three_seeds


def test_the_arms_are_laid_side_by_side_and_paired_by_order():
    found = compare(three_seeds())
    assert [(each.arm, each.weight) for each in found.outcomes] == [
        ("before", 0.0),
        ("continued", 0.0),
        ("regions", 0.1),
        ("regions", 1.0),
        ("regions", 10.0),
    ]
    assert found.seeds == (0, 1, 2)
    own = found.at("regions", 1.0)
    assert own.figures["fresh"].values == (0.9, 0.8, 0.9)
    assert own.vs_continued["fresh"].values == pytest.approx((0.2, 0.1, 0.2))
    assert own.vs_before["test"].values == pytest.approx((0.1, 0.0, 0.1))
    assert own.vs_continued["fresh"].low < own.vs_continued["fresh"].mean < own.vs_continued["fresh"].high
    assert own.labels == 30
    assert found.at("before", 0.0).vs_before == {}
    assert found.at("continued", 0.0).vs_continued == {}
    with pytest.raises(KeyError):
        found.at("regions", 0.5)


def test_an_order_that_only_one_arm_has_is_in_no_difference():
    runs = [made_run("continued", 0.0, 0), made_run("continued", 0.0, 1), made_run("regions", 1.0, 1, fresh=9)]
    own = compare(runs).at("regions", 1.0)
    assert own.vs_continued["fresh"].seeds == (1,)
    assert own.vs_before == {}
    assert not own.recall
    assert isnan(own.broken.mean)


def test_recall_by_class_and_newly_broken_images():
    runs = [made_run("before", 0.0, test=8), made_run("regions", 1.0, test=5)]
    own = compare(runs).at("regions", 1.0)
    assert {label: gap.mean for label, gap in own.recall.items()} == pytest.approx({0: -0.2, 1: -0.4})
    assert own.broken.mean == 3
    assert broken_by_seeds(runs, "regions", 1.0) == {"i5": 1, "i6": 1, "i7": 1}
    more = [*runs, made_run("before", 0.0, 1, test=8), made_run("regions", 1.0, 1, test=7)]
    assert next(iter(broken_by_seeds(more, "regions", 1.0).items())) == ("i7", 2)


def test_what_cannot_be_compared_is_one_sentence():
    with pytest.raises(ValueError, match="there are no corrections"):
        compare([])
    with pytest.raises(ValueError, match="regions comes twice with weight 1 and seed 0"):
        compare([made_run("regions", 1.0), made_run("regions", 1.0)])
