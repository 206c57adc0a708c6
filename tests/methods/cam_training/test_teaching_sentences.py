from engine.methods.cam_training.evidence import compare
from engine.methods.cam_training.teaching_sentences import how_it_went, what_a_step_costs, what_it_shows
from tests.methods.cam_training.made_runs import taught


def compared(swapped, unchanged=((99, 99, 99), (98, 98, 98)), arm="cam", **said):
    rows = [
        taught(name, seed, {"unchanged": same, "swapped": other}, **said)
        for name, others, own in zip(("default", arm), swapped, unchanged, strict=True)
        for seed, (other, same) in enumerate(zip(others, own, strict=True))
    ]
    return what_it_shows(compare(rows))


def test_a_gain_is_told_with_its_interval_and_its_wins_and_what_was_lost():
    said = compared(((1, 2, 0), (70, 68, 69)))
    assert said[0] == (
        "CAM training raised accuracy on swapped backgrounds by 68 points (95 % interval +64 to +72), better in 3 of 3 "
        "seeds; on unchanged images it lost 1 point."
    )
    assert "Plain training: 98% of the answers change when only the background is swapped." in said


def test_no_significant_gain_can_be_said():
    said = compared(((10, 30, 20), (30, 20, 25)), unchanged=((99,) * 3, (99,) * 3))
    assert said[0].startswith(
        "CAM training brought no significant gain on swapped backgrounds: it gained 5 points (95 %"
    )
    assert said[0].endswith("better in 2 of 3 seeds; on unchanged images it changed nothing.")


def test_a_loss_is_told_as_one():
    said = compared(((60, 61, 62), (20, 22, 21)), arm="crop")
    assert said[0].startswith("The tight crop lowered accuracy on swapped backgrounds by 40 points")


def test_from_six_seeds_on_there_is_a_p():
    six = compared((tuple(range(6)), tuple(range(60, 66))), unchanged=((99,) * 6, (98,) * 6))
    assert "p = 0.031" in six[0]
    assert "p =" not in compared(((1, 2, 0), (70, 68, 69)))[0]


def test_one_seed_is_too_few_and_one_arm_is_nothing_to_compare():
    assert "with one seed, which is too few to say how sure that is" in compared(((1,), (70,)), ((99,), (98,)))[0]
    assert what_it_shows(compare([taught("default", 0, {"swapped": 3})])) == [
        "Only plain training was run, so there is nothing to compare."
    ]
    assert "can't be compared" in what_it_shows(compare([taught("cam", 0, {"swapped": 3})]))[0]


def test_seeds_that_never_learned_are_named():
    rows = [taught("default", seed, {"swapped": 1}) for seed in range(3)]
    rows += [taught("cam", seed, {"swapped": 50 * seed}, learned=seed > 1) for seed in range(3)]
    said = what_it_shows(compare(rows))
    assert "CAM training never learned in 2 of 3 seeds (seeds 0 and 1), which are in the figures." in said


def test_parts_that_were_pasted_together_are_called_so():
    said = what_it_shows(compare([taught("default", 0, {"swapped": 3, "unseen": 50}, made=True)]))[-1]
    assert said.startswith("The images on swapped backgrounds and on unseen backgrounds were pasted together with the")


def test_one_training_tells_its_accuracies_and_where_the_evidence_lies():
    said = how_it_went(taught("cam", 0, {"swapped": 90}, energy=(0.8, 0.9)))
    assert said.startswith("CAM training has 100.0% of its training images right, 90.0% (")
    assert said.endswith("Of the evidence for the label 85% lies in the allowed part (n = 2).")
    assert "allowed part" not in how_it_went(taught("crop", 0, {"swapped": 90}))


def test_a_training_that_never_learned_is_called_that():
    said = how_it_went(taught("cam", 0, {"swapped": 50}, learned=False))
    assert said.startswith("CAM training never learned: 50.0% of its own training images are right after it.")


def test_a_steps_cost_is_told():
    assert what_a_step_costs(1.041, 1.0, 1.08) == (
        "A training step takes 1.04 times as long with the CAM term (95 % interval 1.00 to 1.08)."
    )
