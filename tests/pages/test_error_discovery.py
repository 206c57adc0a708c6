"""The page on error discovery, without a browser, on the built-in digits with a small generator and search."""

from __future__ import annotations

import re

import pytest

from engine.methods.error_discovery import CODE_MAP, CORRECTION, DISTILLATION, GENERATOR, IDENTIFICATION, TESTS
from engine.methods.error_discovery.labelling import Event, LabelState, record, recorded, replayed
from engine.methods.error_discovery.settings import IdentificationSettings
from engine.runs.run import Outcome
from engine.workbench import Workbench
from pages.parts.error_discovery.labelling import changes
from tests.pages.conftest import (
    charts,
    demo_in,
    drawn,
    key_of,
    labelled,
    ran,
    select,
    settled,
    started,
    words,
)
from tests.small_discovery import small_discovery

PAGE = "pages/error_discovery.py"


@pytest.fixture(scope="module")
def prepared_discovery(prepared_demos, tmp_path_factory):
    """A data folder in which the page's first questions are answered, and what they found."""
    home, opened = prepared_demos("digits")
    copy = tmp_path_factory.mktemp("discovery")
    bench = Workbench(copy)
    demo_in(bench, (home, opened))
    found = small_discovery(bench, opened)
    bench.worker.close()
    return copy, opened, found


@pytest.fixture
def found(bench, prepared_discovery):
    """The answered questions, in this test's data folder."""
    demo_in(bench, prepared_discovery[:2])
    return prepared_discovery[2]


def page(bench):
    """The page once everything it asks by itself is answered."""
    at = settled(ran(started().switch_page(PAGE)), bench)
    assert at.title[0].value == "Error discovery"
    return at


def runs(bench, step):
    return [entry for entry in bench.store.register.entries() if entry.run.step == step.name]


def press(at, label: str):
    return ran(labelled(at.button, label).click())


def look(at, key: str, what: str):
    return ran(next(each for each in at.segmented_control if each.key == key).set_value(what))


def set_numbers(at, **values: float):
    """The page with these numbers, by their widgets' keys, all set before it runs again."""
    for name, value in values.items():
        next(each for each in at.number_input if each.key == name.replace("_", " ")).set_value(value)
    return at


def state(bench, found):
    return replayed(recorded(bench.store.shelf, found.about))


def alive(found) -> list[int]:
    return found.inputs["regions"].value.alive.nonzero()[0].tolist()


def opened(at) -> int:
    return next(each for each in at.selectbox if each.label == "Region").value


def images_key(at) -> str:
    return next(key for key in charts(at) if key.startswith("images "))


def progress(at) -> str:
    return re.search(r"\d+ of \d+ labelled[^.]*\.?", " ".join(each.text for each in at.get("progress")) + words(at))


def test_from_the_gate_to_the_regions_without_asking_anything_twice(bench, found):
    at = page(bench)
    said = words(at)
    assert "of their reconstructions" in said
    assert f"{len(found.inputs['errors'].value.ids):,} errors around" in said
    assert f"{len(alive(found))} regions of" in said
    assert "surely errors" in said
    assert re.search(r"(none|hardly any independent ones) of 0\b.* the real errors have to show it", said)
    for step in (GENERATOR, IDENTIFICATION, DISTILLATION, TESTS):
        assert len(runs(bench, step)) == 1, step.name
    gate = drawn(at)["Accuracy of each class on real images and on their reconstructions"]
    assert len(gate) == 2 * 10
    funnel = drawn(at)["How many draws were left after each filter"]
    assert [row["draws"] for row in funnel] == [count for _, count in found.inputs["errors"].value.funnel]


def test_the_generators_other_looks_have_curves_and_images_in_between(bench, found):
    at = look(page(bench), "generator closer look", "Its training")
    assert len(drawn(at)["Loss of the generator by epoch"]) > 3 * 5
    at = look(at, "generator closer look", "In between two images")
    strip = [row for row in drawn(at)["Images in between two"] if "caption" in row]
    assert len(strip) == 9 + 2
    assert [strip[0]["caption"], strip[-1]["caption"]] == ["0, real", "1, real"]


def test_a_region_is_labelled_the_next_one_opens_and_all_can_be_undone(bench, found):
    at = page(bench)
    numbers, regions = alive(found), found.inputs["regions"].value
    assert opened(at) == numbers[0]
    other = next(label for label in range(10) if label != regions.prediction[numbers[0]])
    at = press(at, str(other))
    assert opened(at) == numbers[1]
    at = press(at, "Not recognisable")
    at = press(at, "Skip")
    kinds = {region: event.kind for region, event in state(bench, found).decisions.items()}
    assert kinds == {numbers[0]: "class", numbers[1]: "unreadable", numbers[2]: "skipped"}
    assert state(bench, found).decisions[numbers[0]].label == other
    at = press(at, "Undo")
    assert opened(at) == numbers[2]
    at = press(press(at, "Undo"), "Redo")
    assert set(state(bench, found).decisions) == {numbers[0], numbers[1]}
    at = press(press(at, "Back"), "The model is right")
    assert state(bench, found).decisions[numbers[0]].kind == "model_right"
    later = page(bench)
    assert "2 of " in progress(later).group()
    assert opened(later) == numbers[2]


def test_to_say_what_the_classifier_says_is_to_say_that_it_is_right(bench, found):
    answer = int(found.inputs["regions"].value.prediction[alive(found)[0]])
    press(page(bench), str(answer))
    decided = state(bench, found).decisions[alive(found)[0]]
    assert (decided.kind, decided.label) == ("model_right", answer)


def test_the_classifiers_numbers_are_hidden_until_they_are_wanted(bench, found):
    at = page(bench)
    tiles = charts(at)[images_key(at)]
    assert {tile["caption"] for tile in tiles} == {""}
    assert not re.search(r"taken for \d: \d+ errors", words(at))
    at = ran(labelled(at.toggle, "Show what the classifier says").set_value(True))
    assert all("%" in tile["caption"] for tile in charts(at)[images_key(at)])
    assert re.search(r"taken for \d: \d+ errors", words(at))


def test_an_image_that_was_left_out_is_marked(bench, found):
    at = page(bench)
    region, number = opened(at), charts(at)[images_key(at)][2]["sample_id"]
    record(bench.store.shelf, found.about, Event("exclude", region, draw=int(number)))
    at = page(bench)
    assert [tile["sample_id"] for tile in charts(at)[images_key(at)] if tile["picked"]] == [number]
    assert "1 left out" in words(at)


def test_a_click_leaves_an_image_out_and_another_takes_it_in():
    points = [{"sample_id": "7"}, {"elsewhere": 1}]
    assert changes(points, 3, LabelState()) == [Event("exclude", 3, draw=7)]
    assert changes(points, 3, LabelState(excluded=frozenset({(3, 7)}))) == [Event("include", 3, draw=7)]
    assert changes(points, 4, LabelState(excluded=frozenset({(3, 7)}))) == [Event("exclude", 4, draw=7)]
    assert changes([], 3, LabelState()) == []


def test_a_note_is_kept(bench, found):
    at = page(bench)
    region = opened(at)
    ran(labelled(at.text_input, "Note").set_value("  blurred "))
    assert state(bench, found).notes == {region: "blurred"}


def test_a_split_region_has_two_heirs_which_are_tried_again_and_undo_brings_it_back(bench, found):
    before = len(alive(found))
    at = settled(labelled(page(bench).button, "Split in two").click(), bench)
    assert f"{before + 1} regions of" in words(at)
    assert opened(at) == len(found.inputs["regions"].value.alive)
    assert len(runs(bench, TESTS)) == 2
    at = settled(labelled(at.button, "Undo").click(), bench)
    assert f"{before} regions of" in words(at)
    assert len(runs(bench, TESTS)) == 2


def test_a_row_of_the_table_opens_its_region(bench, found):
    at = page(bench)
    key = key_of(at, "regions table")
    at = select(at, key, rows=[2], columns=[], cells=[])
    assert opened(at) == alive(found)[2]


def test_the_map_shows_errors_among_images_and_what_is_brushed(bench, found):
    at = settled(look(page(bench), "regions closer look", "Map"), bench)
    (key,) = [key for key in charts(at) if key.startswith("error map")]
    points = [row for row in charts(at)[key] if "image" in row]
    assert len(points) == 900 + min(900, len(found.inputs["errors"].value.ids))
    assert all(row["image"].startswith("data:image") for row in points)
    at = select(at, key, brush={"x": [-100, 100], "y": [-100, 100]})
    assert "real images are brushed" in words(at)
    brushed = [row for row in drawn(at)["36 brushed images"] if "key" in row]
    assert len(brushed) == 36
    region = next(each for each in at.button if each.label.startswith("Open "))
    at = ran(region.click())
    assert str(opened(at)) == re.match(r"Open (\d+):", region.label).group(1)
    assert len(runs(bench, CODE_MAP)) == 1


def test_generated_and_real_errors_stand_side_by_side_and_real_ones_have_regions_of_their_own(bench, found):
    at = settled(look(page(bench), "regions closer look", "Generated and real"), bench)
    rows = drawn(at)["Share of each kind of error, generated and real"]
    assert {row["of"] for row in rows} == {"generated errors", "real errors"}
    at = settled(look(at, "error source", "real"), bench)
    assert "A correction trains on new draws" in words(at)
    assert len(runs(bench, DISTILLATION)) == 2


def test_a_correction_needs_a_snapshot_of_labels(bench, found):
    at = page(bench)
    assert "then take a snapshot" in words(at)
    at = press(at, "Take a snapshot of the labels")
    assert "Nothing is labelled yet" in words(at)
    record(bench.store.shelf, found.about, Event("unreadable", alive(found)[0]))
    at = press(at, "Take a snapshot of the labels")
    assert "nothing to correct" in words(at)
    assert not runs(bench, CORRECTION)


def test_a_correction_is_told_looked_at_and_kept_while_labelling_goes_on(bench, found):
    regions = found.inputs["regions"].value
    for region in alive(found)[:4]:
        record(bench.store.shelf, found.about, Event("class", region, int((regions.prediction[region] + 1) % 10)))
    at = press(page(bench), "Take a snapshot of the labels")
    set_numbers(at, correction_steps=5, correction_seeds=1, correction_fresh=1, correction_rate=0.01)
    labelled(at.multiselect, "Weights of generated images").set_value([10.0])
    labelled(at.multiselect, "Arms").set_value(["before", "continued", "regions"])
    at = ran(at)
    at = settled(labelled(at.button, "Correct and compare").click(), bench)
    assert [entry.outcome for entry in runs(bench, CORRECTION)] == [Outcome.FINISHED] * 3
    assert "Accuracy on test went from" in words(at)
    assert "test images: share that is right, over the weight" in drawn(at)
    at = look(at, "correction closer look", "By class")
    assert len([row for row in drawn(at)["Change of each class's recall on test"] if "class" in row]) == 10
    at = look(at, "correction closer look", "Newly broken images")
    assert "stay closed" in words(at)
    at = press(at, "Open the test images")
    assert any(said.endswith("newly broken images of test") for said in drawn(at))
    at = look(at, "correction closer look", "All numbers")
    assert len([each for each in at.dataframe if "vs before mean" in each.value.columns]) == 1
    before = len(bench.store.shelf.models())
    at = press(at, "Keep as a Fix")
    assert len(bench.store.shelf.models()) == before + 1
    at = press(at, "Not recognisable")
    assert "Accuracy on test went from" in words(at)
    assert labelled(at.selectbox, "Labels").options[0].startswith("4 regions")


def test_a_search_that_finds_nothing_says_what_that_rules_out(bench, found):
    at = settled(set_numbers(page(bench), search_images=40, search_draws=1, search_scale=0.01), bench)
    assert "No errors were found" in words(at)
    assert "rules out, at 95 %" in words(at)
    assert "What they really are" not in words(at)


def test_too_few_images_to_learn_from_are_told(bench, colours):
    at = page(bench)
    assert "a generator needs at least 50" in words(at)


def test_the_noise_can_be_calibrated_and_looked_at(bench, found):
    at = page(bench)
    at = ran(next(each for each in at.number_input if each.key == "search images").set_value(60))
    assert IdentificationSettings().images != 60
    at = settled(labelled(at.button, "Run calibration of the noise").click(), bench)
    assert "Yield and preservation of the label by the scale of the noise" in drawn(at)
