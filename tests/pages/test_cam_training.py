"""The page on CAM training, without a browser, on the built-in backgrounds, which give the class away."""

from __future__ import annotations

import numpy as np
import pytest

from engine.methods.cam_training import CAMS, TEACHING
from engine.methods.cam_training.result import ImageMasks
from engine.runs.run import Outcome
from engine.runs.shelf import Selection
from engine.workbench import Opened
from tests.pages.conftest import charts, demo_in, drawn, key_of, labelled, ran, settled, started, words

PAGE = "pages/cam_training.py"


@pytest.fixture
def backgrounds(bench, prepared_demos) -> Opened:
    """The built-in backgrounds, open in this test's data folder."""
    return demo_in(bench, prepared_demos("backgrounds"))


def page(bench):
    """The page once everything it asks by itself is answered."""
    at = settled(ran(started().switch_page(PAGE)), bench)
    assert at.title[0].value == "CAM training"
    return at


def look(at, what: str):
    """The page with another closer look."""
    return ran(next(each for each in at.segmented_control if each.key == "cam closer look").set_value(what))


def runs(bench, step):
    return [entry for entry in bench.store.register.entries() if entry.run.step == step.name]


def gallery(at) -> list[dict]:
    """The tiles of the gallery, in order."""
    return next((rows for key, rows in charts(at).items() if key.startswith("gallery ")), [])


def inside(tile: dict) -> int:
    """The per cent of the evidence inside, by the tile's caption."""
    return int(tile["caption"].split(", ")[1].split("%")[0])


def button(at, label: str):
    return labelled(at.button, label)


def test_at_first_the_images_with_least_evidence_inside_are_shown_and_measured(bench, backgrounds):
    at = page(bench)
    shares = [inside(tile) for tile in gallery(at)]
    assert len(shares) == 21
    assert shares == sorted(shares)
    assert shares[0] == 0
    said = words(at)
    assert "less than by chance" in said
    assert "of the score without the head's bias comes from where it may not look" in said
    assert "exact" in said


def test_another_mask_measures_anew_and_makes_no_maps(bench, backgrounds):
    at = page(bench)
    before = [inside(tile) for tile in gallery(at)]
    at = ran(labelled(at.segmented_control, "It should not look").set_value("inside"))
    after = [inside(tile) for tile in gallery(at)]
    assert min(after) > max(before)
    assert len(runs(bench, CAMS)) == 1


def test_every_closer_look_has_something_to_show(bench, backgrounds):
    at = look(page(bench), "Against the mask")
    assert {metric.label for metric in at.metric} >= {"Energy inside", "Pointing game", "IoU", "From outside"}
    assert (
        sum(row["images"] for row in drawn(at)["Share of the evidence inside, by number of images"] if "low" in row)
        == 200
    )
    at = settled(look(at, "Hide what it looks at"), bench)
    curve = drawn(at)["Accuracy against the share of the image that is hidden"]
    assert {row["with"] for row in curve} == {"the hot area hidden", "an equal area elsewhere"}
    at = settled(look(at, "Groups"), bench)
    assert any(said.endswith("each with its mean map and typical images") for said in drawn(at))
    at = look(at, "Take out")
    assert "python -m engine cam --demo backgrounds" in at.code[0].value


def test_a_click_opens_an_image_and_picks_become_a_selection(bench, backgrounds):
    at = page(bench)
    chosen = gallery(at)[4]["sample_id"]
    at.session_state["picked"], at.session_state["opened image"] = [chosen], chosen
    at = ran(at)
    images = bench.subject(backgrounds).images
    assert str(images.names[images.position[chosen]]) in words(at)
    at = ran(button(at, "Keep as selection").click())
    (kept,) = bench.store.shelf.selections(backgrounds.dataset)
    assert kept.ids == (chosen,)
    at = settled(at, bench)
    assert runs(bench, CAMS)[0].run.inputs  # the selection in hand is looked at now
    assert [tile["sample_id"] for tile in gallery(at)] == [chosen]


def test_an_image_opened_shows_the_maps_of_every_rule(bench, backgrounds):
    at = page(bench)
    assert "Ablation-CAM" not in words(at)
    at.session_state[key_of(at, "by every rule")] = True
    at = ran(at)
    said = words(at)
    for title in ("Grad-CAM++", "LayerCAM", "Score-CAM", "Ablation-CAM", "Eigen-CAM"):
        assert title in said


def test_what_is_looked_at_can_be_set(bench, backgrounds):
    at = page(bench)
    at = settled(labelled(at.selectbox, "speaks for").set_value("0"), bench)
    at = settled(labelled(at.selectbox, "against").set_value("1"), bench)
    at = settled(labelled(at.selectbox, "Map").set_value("gradcampp"), bench)
    last = runs(bench, CAMS)[0].run.settings
    assert (last["method"], last["of"], last["against"]) == ("gradcampp", "0", "1")
    at = ran(labelled(at.checkbox, "layer by hand").check())
    layers = labelled(at.selectbox, "Layer")
    at = settled(layers.set_value(layers.options[0].split(":")[0]), bench)
    assert runs(bench, CAMS)[0].run.settings["layer"] == layers.options[0].split(":")[0]
    at = settled(labelled(at.selectbox, "Answers").set_value("wrong"), bench)
    assert runs(bench, CAMS)[0].outcome == Outcome.FAILED  # the demo is right on all of diagnosis
    assert gallery(at) == []


def test_test_images_stay_closed_until_somebody_asks(bench, backgrounds):
    at = page(bench)
    at = settled(labelled(at.selectbox, "Images of").set_value("test"), bench)
    assert gallery(at) == []
    at = settled(button(at, "Open the test images").click(), bench)
    assert gallery(at)
    assert len(bench.store.shelf.events("images of test opened", backgrounds.dataset)) == 1


def quick(at):
    """The page with a training of two epochs set."""
    at = ran(labelled(at.number_input, "Epochs").set_value(2))
    return ran(labelled(at.number_input, "Images a step").set_value(128))


def test_a_training_is_shown_and_kept_as_a_fix(bench, backgrounds):
    at = quick(page(bench))
    at = settled(button(at, "Run training").click(), bench)
    assert {"Unchanged", "Swapped", "Unseen", "Off-centre", "Energy inside"} <= {each.label for each in at.metric}
    assert len(drawn(at)["What it is trained on, by step"]) == 2 * len(drawn(at)["Right answers in training, by step"])
    at = ran(button(at, "Keep as a Fix").click())
    (fix,) = [row for row in bench.store.shelf.models() if row.parent]
    assert fix.parent == backgrounds.model
    assert fix.run == runs(bench, TEACHING)[0].fingerprint
    assert fix.name == "planted backgrounds, CAM-trained"
    at = ran(button(at, "Open it").click())
    assert labelled(at.selectbox, "Classifier").value == fix.fingerprint


def test_a_comparison_shows_arms_parts_and_maps_side_by_side(bench, backgrounds):
    at = quick(page(bench))
    at = ran(labelled(at.segmented_control, "What to do").set_value("Compare over seeds"))
    at = ran(labelled(at.number_input, "Seeds").set_value(1))
    at = settled(button(at, "Compare").click(), bench)
    assert {entry.run.settings["arm"] for entry in runs(bench, TEACHING)} == {"default", "cam", "crop", "decorrelated"}
    rows = drawn(at)["Accuracy of each arm on each part of the test images"]
    assert {(row["arm"], row["part"]) for row in rows} >= {("CAM-trained", "swapped"), ("plain training", "off-centre")}
    assert "one seed, which is too few to say how sure that is" in words(at)
    assert not any("maps of 4 classifiers" in said for said in drawn(at))
    at = ran(button(at, "Open the test images").click())
    assert any("maps of 4 classifiers" in said for said in drawn(at))


def test_plain_training_must_be_among_the_arms(bench, backgrounds):
    at = ran(labelled(page(bench).segmented_control, "What to do").set_value("Compare over seeds"))
    at = ran(labelled(at.multiselect, "Arms").set_value(["cam", "crop"]))
    assert "Choose plain training and at least one arm" in words(at)


def test_boxes_of_a_table_are_taken_and_images_without_one_named(bench, backgrounds, tmp_path):
    images = bench.subject(backgrounds).images
    names = images.names[images.indices("diagnosis")]
    table = tmp_path / "boxes.csv"
    rows = [f"{name},0.2,0.2,0.8,0.8" for name in names[:-1]]
    table.write_text("\n".join(["file_name,top,left,bottom,right", *rows, "stranger.png,0,0,1,1"]))
    at = ran(labelled(page(bench).selectbox, "Shape").set_value("each"))
    assert "none were given" in words(at)
    at = ran(labelled(at.text_input, "or a folder of them, or the CSV, on this machine").set_value(str(table)))
    at = settled(button(at, "Read the masks").click(), bench)
    kept = bench.beside(backgrounds.dataset, "masks", ImageMasks)
    assert len(kept.value.ids) == len(names) - 1
    said = words(at)
    assert f"{len(names) - 1:,} images have a mask" in said
    assert "stranger.png" in str([frame.value for frame in at.dataframe])


def test_the_planted_plates_can_be_taken(bench, backgrounds):
    at = ran(labelled(page(bench).selectbox, "Shape").set_value("each"))
    at = settled(button(at, "Take the plates that were planted").click(), bench)
    at = settled(at, bench)
    kept = bench.beside(backgrounds.dataset, "masks", ImageMasks)
    assert len(kept.value.ids) == len(bench.images(backgrounds.dataset))
    np.testing.assert_allclose(kept.value.inside.mean() / 255, (18 / 32) ** 2, atol=0.01)
    assert gallery(at)


def test_what_is_no_table_is_said_to_be_none_and_masks_kept_before_stay(bench, backgrounds, tmp_path):
    at = ran(labelled(page(bench).selectbox, "Shape").set_value("each"))
    at = settled(button(at, "Take the plates that were planted").click(), bench)
    (tmp_path / "bad.csv").write_text("what,ever\n1,2\n")
    at = ran(
        labelled(at.text_input, "or a folder of them, or the CSV, on this machine").set_value(str(tmp_path / "bad.csv"))
    )
    at = settled(button(at, "Read the masks").click(), bench)
    assert "a table of boxes has the columns" in words(at)
    assert bench.beside(backgrounds.dataset, "masks", ImageMasks) is not None


def test_a_mask_that_tells_nothing_is_said_so_and_nothing_is_taught(bench, backgrounds):
    at = ran(next(each for each in page(bench).slider if each.key == "mask size box").set_value(1.0))
    said = words(at)
    assert "the mask allows the whole image" in said
    assert "Say above where it should look" in said
    assert gallery(at)  # the maps are there all the same


def test_a_network_without_a_map_is_told_what_it_needs(bench, colours):
    at = page(bench)
    (entry,) = runs(bench, CAMS)
    assert entry.outcome == Outcome.FAILED
    assert "grid" in words(at)


def test_planted_plates_are_drawn_with_the_data_of_every_seed(bench, backgrounds):
    at = ran(labelled(page(bench).selectbox, "Shape").set_value("each"))
    at = quick(settled(button(at, "Take the plates that were planted").click(), bench))
    at = ran(labelled(at.segmented_control, "What to do").set_value("Compare over seeds"))
    at = ran(labelled(at.multiselect, "Arms").set_value(["default", "cam"]))
    at = ran(labelled(at.number_input, "Seeds").set_value(2))
    at = settled(button(at, "Compare").click(), bench)
    assert [entry.outcome for entry in runs(bench, TEACHING)] == [Outcome.FINISHED] * 4
    assert len({entry.run.inputs["masks"] for entry in runs(bench, TEACHING)}) == 2


def test_an_arm_that_makes_no_sense_is_said_to_and_the_others_are_compared(bench, backgrounds):
    at = quick(page(bench))
    at = ran(labelled(at.segmented_control, "It should not look").set_value("inside"))
    at = ran(labelled(at.segmented_control, "What to do").set_value("Compare over seeds"))
    at = ran(labelled(at.multiselect, "Arms").set_value(["default", "cam", "crop"]))
    at = ran(labelled(at.number_input, "Seeds").set_value(1))
    at = settled(button(at, "Compare").click(), bench)
    assert "tight crop, seed 0: " in words(at)
    assert "Compare" not in [each.label for each in at.button]
    rows = drawn(at)["Accuracy of each arm on each part of the test images"]
    assert {row["arm"] for row in rows} == {"CAM-trained", "plain training"}


def test_a_single_training_is_not_looked_at_on_test(bench, backgrounds):
    at = quick(page(bench))
    at = settled(button(at, "Run training").click(), bench)
    assert runs(bench, TEACHING)[0].run.settings["report"] == "diagnosis"
    assert "Open the test images" not in [each.label for each in at.button]
    assert any(said.endswith("maps of 2 classifiers") for said in drawn(at))
    assert "pasted together from images of diagnosis" in words(at)


def test_a_selection_with_test_images_shows_only_when_they_are_opened(bench, backgrounds):
    images = bench.subject(backgrounds).images
    ids = tuple(images.ids[images.indices("test")[:3]].tolist())
    bench.store.shelf.keep_selection(Selection("of test", backgrounds.dataset, "by hand", ids))
    at = page(bench)
    at = settled(labelled(at.selectbox, "Selection in hand").set_value("of test"), bench)
    assert gallery(at) == []
    at = settled(button(at, "Open the test images").click(), bench)
    assert {tile["sample_id"] for tile in gallery(at)} == set(ids)


def test_the_comparison_is_had_again_as_a_command(bench, backgrounds):
    at = ran(labelled(page(bench).segmented_control, "What to do").set_value("Compare over seeds"))
    command = next(each.value for each in at.code if "cam-training" in each.value)
    assert "--demo backgrounds --seeds 3 --arms default,cam,crop,decorrelated --loss mse" in command
