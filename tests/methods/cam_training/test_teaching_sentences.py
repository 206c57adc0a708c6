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
        "CAM training raised accuracy on swapped backgrounds by 68 points (95 % interval over seeds +64 to +72, over "
        "images +59 to +77), better in 3 of 3 seeds; on unchanged images it lost 1 point. n = 100 test images, the "
        "same for all seeds, so the interval over seeds says how much training varies."
    )
    assert "Plain training: 98% of the answers change when only the background is swapped." in said


def test_no_significant_gain_can_be_said():
    said = compared(((10, 30, 20), (30, 20, 25)), unchanged=((99,) * 3, (99,) * 3))
    assert said[0].startswith(
        "CAM training brought no significant gain on swapped backgrounds: it gained 5 points (95 %"
    )
    assert "better in 2 of 3 seeds; on unchanged images it changed nothing. n = 100 test images" in said[0]


def test_a_loss_is_told_as_one():
    said = compared(((60, 61, 62), (20, 22, 21)), arm="crop")
    assert said[0].startswith("The tight crop lowered accuracy on swapped backgrounds by 40 points")


def test_from_six_seeds_on_there_is_a_p():
    six = compared((tuple(range(6)), tuple(range(60, 72, 2))), unchanged=((99,) * 6, (98,) * 6))
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
    assert said.startswith("CAM training has 100.0% of its training images right; of the test images 90.0% (")
    assert said.endswith("Of the evidence for the label 85% lies in the allowed part (n = 2).")
    assert "allowed part" not in how_it_went(taught("crop", 0, {"swapped": 90}))


def test_a_training_that_never_learned_is_called_that():
    said = how_it_went(taught("cam", 0, {"swapped": 50}, learned=False))
    assert said.startswith("CAM training never learned: 50.0% of its own training images are right after it.")


def test_a_steps_cost_is_told():
    assert what_a_step_costs(1.041, 1.0, 1.08) == (
        "A training step takes 1.04 times as long with the CAM term (95 % interval 1.00 to 1.08)."
    )


def test_seeds_that_share_few_images_can_agree_on_what_is_chance():
    """Each seed gains on the same few of 100 images, so that they agree; other images might say something else."""
    said = compared(((50, 50, 51), (52, 52, 54)), unchanged=((99,) * 3, (99,) * 3))
    assert said[0].startswith("CAM training brought no significant gain on swapped backgrounds: it gained 2 points (")
    assert "over seeds +1 to +4, over images +0 to +5)" in said[0]
    down = compared(((52, 52, 54), (50, 50, 51)), unchanged=((99,) * 3, (99,) * 3))
    assert down[0].startswith("CAM training brought no significant gain on swapped backgrounds: it lost 2 points")


def test_images_of_their_own_for_every_seed_are_told():
    rows = [
        taught(arm, seed, {"swapped": 50 * (arm == "cam") + seed % 2 + seed}, draw=f"{seed} ")
        for arm in ("default", "cam")
        for seed in range(3)
    ]
    rows[3] = taught("cam", 0, {"swapped": 54}, draw="0 ")
    said = what_it_shows(compare(rows))[0]
    assert said.startswith("CAM training raised accuracy on swapped backgrounds by 51 points (95 % interval over seeds")
    assert "over images" not in said
    assert said.endswith(
        "n = 300 test images in all, not the same for every seed, so the interval over seeds is of training and images "
        "together."
    )


def test_seeds_that_all_agree_are_no_proof():
    said = compared(((10, 10), (60, 60)), unchanged=((99,) * 2, (99,) * 2))[0]
    assert said.startswith(
        "CAM training gained 50 points on swapped backgrounds, the same in each seed, so there is no interval over "
        "seeds, better in 2 of 2 seeds"
    )


def test_diagnosis_images_are_never_called_test_images():
    rows = [taught(arm, seed, {"swapped": 9 * seed}, role="diagnosis") for arm in ("default", "cam") for seed in (0, 1)]
    said = " ".join([*what_it_shows(compare(rows)), how_it_went(rows[0])])
    assert "n = 100 diagnosis images" in said
    assert "; of the diagnosis images 0.0% (" in said
    assert "test" not in said


def test_without_images_to_compare_on_that_is_said():
    rows = [taught("default", 0, {}), taught("cam", 0, {}, learned=False)]
    assert what_it_shows(compare(rows)) == [
        "There are no labelled test or diagnosis images to compare on.",
        "CAM training never learned in 1 of 1 seeds (seed 0), which are in the figures.",
    ]
    assert "right. There are no labelled test or diagnosis images to compare on. Of the" in how_it_went(rows[0])


def test_what_was_pasted_proves_little_of_who_was_shown_such_or_sees_nothing_of_it():
    def said(*arms):
        return what_it_shows(compare([taught(arm, 0, {"swapped": 3}, made=True) for arm in ("default", *arms)]))[-1]

    assert said("crop") == "The tight crop never sees what is pasted: these images prove little of that arm."
    assert said("cam", "crop", "decorrelated") == (
        "Training on other classes' backgrounds has seen such pasted images and the tight crop never sees what is "
        "pasted: these images prove little of those arms."
    )
    assert "prove little" not in said("cam")
