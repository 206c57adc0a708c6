from __future__ import annotations

from engine.methods.error_discovery.comparison import compare
from engine.methods.error_discovery.correction_sentences import (
    what_correction_came_to,
    what_each_did,
    which_classes,
)
from tests.methods.error_discovery.made_runs import made_run, three_seeds


def said(runs) -> str:
    return " ".join(what_correction_came_to(compare(runs)))


def test_a_gain_is_called_one_only_where_its_interval_lies_above_zero():
    # of four that were wrong, one was right after training on, then 3, 2, 3: the interval over three seeds is wide
    text = said(three_seeds())
    assert "Labelled regions (weight 1, chosen on diagnosis) did not help beyond chance" not in text
    assert "helped: of fresh perturbations of test images, +41.7 points more" in text
    assert "(95 % interval +5.8 to +77.5, 3 seeds)" in text
    lost = [made_run("continued", 0.0, order, fresh=9) for order in range(3)]
    lost += [made_run("regions", 1.0, order, fresh=6 + (order == 2)) for order in range(3)]
    assert "hurt: " in said(lost)
    unsure = [made_run("continued", 0.0, order, fresh=7) for order in range(3)]
    unsure += [made_run("regions", 1.0, order, fresh=7 + order) for order in range(3)]
    assert "did not help beyond chance: " in said(unsure)


def test_test_accuracy_regions_and_held_out_ones_are_told_with_what_they_were():
    text = said(three_seeds())
    assert "Accuracy on test went from 73.3% to 80.0%, +6.7 points (95 % interval -7.7 to +21.0, 3 seeds)" in text
    assert "Of new draws of the labelled regions, 90.0% are right (0.0% before)" in text
    assert "of regions held out, 40.0% (0.0% before), +20.0 points more than after training on (3 seeds, which" in text


def test_one_seed_is_too_few_and_what_was_not_run_is_said():
    one = [run for run in three_seeds() if run.order == 0]
    assert "with one seed, which is too few to say how sure that is" in said(one)
    alone = said([made_run("regions", 1.0, held=None)])
    assert "can't be set against training on as before" in alone
    assert "Accuracy on test is 80.0%." in alone
    assert "no region was held out" in alone
    assert "nothing to tell yet" in said([made_run("before")])


def test_the_other_arms_stand_beside_with_what_they_cost():
    runs = [*three_seeds(), *(made_run("identified_mixed", 1.0, order, fresh=10, labels=600) for order in range(3))]
    text = said(runs)
    assert "Single errors with real images: 100.0% of the fresh images that were wrong, against 66.7%" in text
    assert "for 600 labels against 30." in text
    assert "Before:" not in text


def test_a_line_for_each_arm_at_each_weight():
    lines = what_each_did(compare(three_seeds()))
    assert len(lines) == 5
    assert lines[2].startswith("Labelled regions, weight 0.1: test 80.0%, regions 90.0%, held out 40.0%, fresh 80.0%")


def test_the_classes_that_moved_most():
    gained = compare([made_run("before", 0.0, test=5), made_run("regions", 1.0, test=6)]).at("regions", 1.0)
    assert which_classes(gained, ("cat", "dog")) == "Of the classes' recall on test, dog gained most (+20.0 points)."
    lost = compare([made_run("before", 0.0, test=8), made_run("regions", 1.0, test=5)]).at("regions", 1.0)
    assert which_classes(lost, ("cat", "dog")) == "Of the classes' recall on test, dog lost most (-40.0 points)."
    same = compare([made_run("before", 0.0), made_run("regions", 1.0)]).at("regions", 1.0)
    assert which_classes(same, ("cat", "dog")) == ""
