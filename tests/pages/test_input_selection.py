"""The page on input selection, without a browser, on the built-in digits, in which two buggy labels are planted."""

from __future__ import annotations

import pytest

from engine.loading.demos.planted_digits import digits_truth
from engine.methods.input_selection import ISSUES, PROBES, RETRAINING, SELECTION, TAPS
from engine.workbench import Opened
from tests.pages.conftest import charts, demo_in, drawn, labelled, ran, settled, started, words

PAGE = "pages/input_selection.py"


@pytest.fixture
def digits(bench, prepared_demos) -> Opened:
    """The built-in digits, open in this test's data folder."""
    return demo_in(bench, prepared_demos("digits"))


def page(bench):
    """The page once everything it asks by itself is answered."""
    at = settled(ran(started().switch_page(PAGE)), bench)
    assert at.title[0].value == "Input selection"
    return at


def look(at, what: str):
    return ran(next(each for each in at.segmented_control if each.key == "selection closer look").set_value(what))


def runs(bench, step):
    return [entry for entry in bench.store.register.entries() if entry.run.step == step.name]


def grid(at, begins: str) -> list[dict]:
    return next((rows for key, rows in charts(at).items() if key.startswith(begins)), [])


def button(at, label: str):
    return labelled(at.button, label)


def verdicts(at) -> dict[str, str]:
    """What is said of each label."""
    return {row["label"]: row["verdict"] for row in drawn(at)["Recall of each label on train and on diagnosis"]}


@pytest.fixture(scope="module")
def found_digits():
    return digits_truth(0)


def test_both_planted_labels_are_named_with_the_right_verdict(bench, digits, found_digits):
    at = page(bench)
    said = words(at)
    assert f"Under-fitted: {found_digits.under_trained} (" in said
    assert f"Over-fitted: {found_digits.over_fitted} (" in said
    rows = drawn(at)["Recall of each label on train and on diagnosis"]
    assert len(rows) == 2 * 10
    for step in (TAPS, PROBES, ISSUES, SELECTION):
        assert len(runs(bench, step)) == 1, step.name


def test_another_label_is_explained_and_chosen_for(bench, digits, found_digits):
    at = settled(
        labelled(page(bench).selectbox, "Label to explain and mend").set_value(found_digits.over_fitted), bench
    )
    assert "probes get" in words(at) or "no probe of" in words(at)
    assert runs(bench, SELECTION)[0].run.settings["targets"] == [found_digits.over_fitted]
    layers = labelled(at.selectbox, "Layer").options
    assert len(layers) == 5


def test_stricter_thresholds_call_more_labels_buggy_and_make_no_new_pass(bench, digits):
    at = page(bench)
    before = list(verdicts(at).values()).count("under-fitted")
    at = settled(next(each for each in at.slider if each.key == "rule recall").set_value(0.99), bench)
    assert len(runs(bench, TAPS)) == 1
    assert list(verdicts(at).values()).count("under-fitted") > before


def test_every_closer_look_has_something_to_show(bench, digits, found_digits):
    at = page(bench)
    assert any(said.startswith("Six heat maps of") for said in drawn(at))
    at = look(at, "Likely wrong labels")
    assert "labels are likely wrong" in words(at)
    assert len(grid(at, "issues ")) == 24
    at = look(at, "The nine metrics")
    assert any(said.startswith("The nearest and the farthest") for said in drawn(at))
    correlations = [row for row in drawn(at)["Rank correlation of each two metrics"] if "spearman" in row]
    assert len(correlations) == 81
    assert all(row["spearman"] == pytest.approx(1) for row in correlations if row["one"] == row["other"])


def test_the_selection_is_shown_in_order_kept_and_thinned_by_hand(bench, digits, found_digits):
    at = page(bench)
    tiles = grid(at, "picks ")
    assert tiles[0]["caption"].startswith(f"1. {found_digits.under_trained} → ")
    at = ran(button(at, "Keep as selection").click())
    (kept,) = bench.store.shelf.selections(digits.dataset)
    assert len(kept.ids) == 300
    assert kept.ids[0] == tiles[0]["sample_id"]
    at.session_state["picked"] = [tiles[0]["sample_id"]]
    at = ran(at)
    at = settled(button(at, "Leave out the 1 picked").click(), bench)
    assert tiles[0]["sample_id"] not in {tile["sample_id"] for tile in grid(at, "picks ")}
    assert runs(bench, SELECTION)[0].run.settings["excluded"] == [tiles[0]["sample_id"]]


def test_a_map_can_be_set_by_hand(bench, digits):
    at = settled(labelled(page(bench).selectbox, "Strategy").set_value("mode"), bench)
    at = settled(labelled(at.selectbox, "Likeness by").set_value("canberra"), bench)
    last = runs(bench, SELECTION)[0].run.settings
    assert (last["strategy"], last["metric"], last["map"]) == ("mode", "canberra", "dhwi")


def test_strategies_are_compared_and_one_is_kept(bench, digits):
    at = page(bench)
    at = ran(labelled(at.multiselect, "Strategies").set_value(["random", "class_random", "highest_loss"]))
    at = ran(labelled(at.number_input, "Seeds").set_value(1))
    at = ran(labelled(at.number_input, "Rounds").set_value(1))
    at = ran(labelled(at.number_input, "Steps a round").set_value(5))
    at = settled(button(at, "Retrain and compare").click(), bench)
    assert len(runs(bench, RETRAINING)) == 3
    assert "with one seed, which is too few to say how sure that is" in words(at)
    rows = drawn(at)["target recall after each round"]
    assert {(row["arm"], row["round"]) for row in rows} >= {("highest loss", 0), ("highest loss", 1), ("random", 1)}
    at = ran(button(at, "Keep as a Fix").click())
    (fix,) = [row for row in bench.store.shelf.models() if row.parent]
    images = bench.subject(Opened(fix.fingerprint, digits.dataset)).images
    newly = (images.seen == 1) & (images.roles == "pool")
    assert newly.sum() == 300


def test_without_a_control_nothing_is_compared(bench, digits):
    at = ran(labelled(page(bench).multiselect, "Strategies").set_value(["highest_loss"]))
    assert "without them nothing can be said" in words(at)


def test_a_map_of_pixels_is_the_same_at_every_layer_and_is_tried_once(bench, digits):
    at = settled(labelled(page(bench).selectbox, "Strategy").set_value("mode"), bench)
    at = settled(next(each for each in at.selectbox if each.key == "mode of").set_value("pixel"), bench)
    at = ran(labelled(at.multiselect, "Strategies").set_value(["random", "mode"]))
    at = ran(labelled(at.checkbox, "strategies with a map: at the last layer and at the one that explains").check())
    assert "2 trainings" in words(ran(labelled(at.number_input, "Seeds").set_value(1)))
