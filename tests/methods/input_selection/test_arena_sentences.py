from engine.methods.input_selection.arena import compare
from engine.methods.input_selection.arena_sentences import what_each_did, what_varies, what_won
from tests.methods.input_selection.made_arms import HELPS, NOTHING, RANDOM, SAME, retrained, runs_of
from tests.methods.input_selection.test_arena import on_the_same_images

CONTROLS = {"random": RANDOM, "class_random": SAME}


def said(recalls, accuracy=None):
    return what_won(compare(runs_of(recalls, accuracy)))


def test_a_winner_is_named_with_its_gain_its_interval_and_its_cost():
    found = said({**CONTROLS, "highest_loss": HELPS, "gini": NOTHING})
    assert found.startswith(
        "Highest loss won: 8.1 points of target recall (95 % interval over 8 seeds +6.8 to +9.5, p = "
    )
    assert " over all arms) more than random choice of the same labels, and overall accuracy did not suffer." in found
    costly = said({**CONTROLS, "highest_loss": HELPS}, {"highest_loss": 0.85})
    assert "at the cost of 5.0 points of overall accuracy" in costly


def test_others_that_help_are_counted():
    assert said({**CONTROLS, "highest_loss": HELPS, "margin": [each - 0.01 for each in HELPS]}).endswith(
        " 1 other does too."
    )


def test_nothing_won_is_said_and_what_helps_instead():
    found = said({**CONTROLS, "gini": NOTHING})
    assert found.startswith("No strategy helped the target labels significantly more")
    assert "the best, least certain (Gini), changed nothing (95 % interval" in found
    assert "Taking more of those labels is what helps: 27.2 points of target recall" in found


def test_doing_worse_is_no_win():
    found = said({**CONTROLS, "mode_published": [each - 0.1 for each in HELPS]})
    assert found.startswith("No strategy helped")
    assert "MODE as published, lost 1.9 points" in found


def test_what_can_not_be_told_is_said():
    assert "nothing to compare" in said(CONTROLS)
    assert "random choice of the same labels was not run" in said({"random": RANDOM, "gini": NOTHING})
    one = what_won(compare([retrained("class_random", 0, 0.5), retrained("gini", 0, 0.7)]))
    assert "20.0 points of target recall more" in one
    assert "one seed, which is too few" in one
    apart = what_won(compare([retrained("class_random", 0, 0.5), retrained("gini", 1, 0.7)]))
    assert "not run with the same seeds" in apart


def test_every_arm_has_its_sentence_and_its_name():
    lines = what_each_did(compare(runs_of({**CONTROLS, "gini": NOTHING})))
    assert len(lines) == 3
    assert "target recall 20.0% to 82.5%" in lines[2]
    assert "10 images newly wrong (n = 8 seeds)." in lines[2]
    assert lines[2].startswith("Least certain (Gini): ")


def test_what_the_intervals_are_over_is_said():
    anew, shared = compare(runs_of({**CONTROLS, "gini": NOTHING})), compare(on_the_same_images())
    assert what_varies(anew).startswith("The intervals are over the seeds")
    assert "over seeds and images of test" in what_varies(shared)
    assert "(95 % interval over 4 seeds and the images of test " in what_won(shared)


def test_a_small_but_sure_loss_of_accuracy_is_no_absence_of_one():
    found = said({**CONTROLS, "highest_loss": HELPS}, {"highest_loss": 0.89})
    assert "did not suffer" not in found
    assert "at the cost of 1.0 points of overall accuracy" in found
