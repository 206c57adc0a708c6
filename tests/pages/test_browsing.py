"""What is clicked, typed and picked narrows the images, and only it does."""

from __future__ import annotations

import pytest
import streamlit as st

from pages.parts import picks
from tests.pages.conftest import (
    LEDGER,
    OVERVIEW,
    charts,
    evaluate,
    grid_key,
    key_of,
    labelled,
    ledger,
    names,
    overview,
    ran,
    select,
    settled,
    started,
    tiles,
    words,
)

WRONG = ["val/red/green.png", "val/blue/unsure.png"]  # highest loss first


@pytest.fixture
def at(bench, colours):
    """The Overview with the colours evaluated."""
    evaluate(bench, colours)
    return started()


def control(at, label):
    return labelled(at.segmented_control, label)


def test_the_wrong_images_come_first_with_what_they_were_taken_for(at):
    assert names(at) == WRONG
    assert [tile["caption"] for tile in tiles(at)] == ["red → green, 100%", "blue → green, 46%"]
    assert all(tile["image"].startswith("data:image/webp;base64,") for tile in tiles(at))
    assert "2 images: wrong." in words(at)


def test_right_and_all_answers_are_shown_on_demand(at):
    assert len(names(ran(control(at, "Answers").set_value("right")))) == 17
    assert len(names(ran(control(at, "Answers").set_value("all")))) == 19


def test_a_cell_of_the_matrix_shows_its_images_right_ones_too(at):
    at = select(at, key_of(at, "confusion"), cell=[{"label": "red", "prediction": "green"}])
    assert names(at) == ["val/red/green.png"]
    assert "1 images: red taken for green." in words(at)
    at = select(at, key_of(at, "confusion"), cell=[{"label": "green", "prediction": "green"}])
    assert len(names(at)) == 5
    assert all(name.startswith("val/green/") for name in names(at))


def test_several_cells_add_up(at):
    cells = [{"label": "red", "prediction": "green"}, {"label": "blue", "prediction": "green"}]
    at = select(at, key_of(at, "confusion"), cell=cells)
    assert names(at) == WRONG
    assert "red taken for green + blue taken for green" in words(at)


def test_a_row_of_the_table_shows_that_label_s_images(at):
    place = at.dataframe[0].value["class"].tolist().index("blue")
    at = select(at, key_of(at, "class table"), rows=[place], columns=[], cells=[])
    assert names(at) == ["val/blue/unsure.png"]
    at = ran(control(at, "Answers").set_value("all"))
    assert len(names(at)) == 7
    assert all(name.startswith("val/blue/") for name in names(at))


def test_a_row_and_another_label_have_no_image_in_common(at):
    place = at.dataframe[0].value["class"].tolist().index("blue")
    at = select(at, key_of(at, "class table"), rows=[place], columns=[], cells=[])
    at = ran(labelled(at.multiselect, "Label").set_value(["red"]))
    assert names(at) == []
    assert "No image fits" in words(at)


def test_a_range_of_confidence_shows_the_answers_in_it(at):
    at = select(at, key_of(at, "confidence wrong"), range={"low": [0.2, 0.6]})
    assert names(at) == ["val/blue/unsure.png"]
    assert "wrong at 0.20 to 0.60" in words(at)


def test_a_range_of_right_answers_shows_right_ones(at):
    at = select(at, key_of(at, "confidence right"), range={"low": [0.9, 1.0]})
    assert len(names(at)) == 17


def test_ranges_of_wrong_and_of_right_answers_from_nought_show_both(at):
    at.session_state[key_of(at, "confidence wrong")] = {"selection": {"range": {"low": [0.0, 1.0]}}}
    at = select(at, key_of(at, "confidence right"), range={"low": [0.0, 1.0]})
    assert len(names(at)) == 19


def test_two_ranges_hold_each_for_its_own_answers(at):
    at.session_state[key_of(at, "confidence wrong")] = {"selection": {"range": {"low": [0.0, 0.6]}}}
    at = select(at, key_of(at, "confidence right"), range={"low": [0.9, 1.0]})
    assert "val/red/green.png" not in names(at)  # wrong and sure
    assert len(names(at)) == 18


def test_labels_predictions_and_names_narrow_together(at):
    at = ran(control(at, "Answers").set_value("all"))
    at = ran(labelled(at.multiselect, "Label").set_value(["red", "blue"]))
    assert len(names(at)) == 14
    at = ran(labelled(at.multiselect, "Prediction").set_value(["green"]))
    assert names(at) == WRONG
    at = ran(labelled(at.text_input, "File name has").set_value("UNSURE"))
    assert names(at) == ["val/blue/unsure.png"]
    at = ran(labelled(at.text_input, "File name has").set_value("nowhere"))
    assert "No image fits: all, label red, blue, predicted green, name has nowhere." in words(at)


@pytest.mark.parametrize(
    ("order", "first"),
    [
        ("highest loss", "val/red/green.png"),
        ("least confident", "val/blue/unsure.png"),
        ("file name", "val/blue/0.png"),
    ],
)
def test_images_are_sorted(at, order, first):
    at = ran(control(at, "Answers").set_value("all"))
    at = ran(labelled(at.selectbox, "First").set_value(order))
    assert names(at)[0] == first


def test_the_most_confident_come_first_on_demand(at):
    at = ran(labelled(at.selectbox, "First").set_value("most confident"))
    assert names(at) == WRONG


def test_reset_takes_back_every_condition(at):
    at = select(at, key_of(at, "confusion"), cell=[{"label": "green", "prediction": "green"}])
    at = ran(labelled(at.multiselect, "Label").set_value(["red"]))
    assert names(at) == []
    at = ran(labelled(at.button, "Reset").click())
    assert names(at) == WRONG
    assert labelled(at.multiselect, "Label").value == []


def test_conditions_don_t_follow_to_another_role(at, bench):
    at = select(at, key_of(at, "confusion"), cell=[{"label": "green", "prediction": "green"}])
    at = settled(control(at, "Images").set_value("train"), bench)
    assert "No image fits: wrong." in words(at)


# Picking and keeping


def picked(at, *places):
    """The app after these tiles were picked."""
    at.session_state["picked"] = [tiles(at)[place]["sample_id"] for place in places]
    return ran(at)


def test_picked_images_are_what_is_taken_out(at):
    at = picked(at, 1)
    assert "1 picked images" in words(at)
    at = ran(labelled(at.button, "Clear picks").click())
    assert "All 2 images shown: wrong" in words(at)


def test_the_opened_image_is_described(at):
    assert "**red → green**, 100.0% sure" in words(at)
    at.session_state["opened image"] = tiles(at)[1]["sample_id"]
    at = ran(at)
    assert "**blue → green**, 4" in words(at)
    assert "val/blue/unsure.png · diagnosis · not seen in training · loss" in words(at)
    assert len(at.image) == 1


def test_the_nearest_training_images_are_shown_once_their_features_are_known(at, bench):
    at = settled(labelled(at.button, "Show the nearest training images").click(), bench)
    assert "Nearest training images by the last layer's input" in words(at)
    assert len(at.image) == 7
    assert sum(caption.value.startswith("green ") for caption in at.caption) >= 5


def test_features_that_can_t_be_computed_say_why(at, bench, monkeypatch):
    def broken(*arguments):
        raise ValueError("the network has no last layer")

    monkeypatch.setattr("engine.methods.evaluation.features.features", broken)
    at = settled(labelled(at.button, "Show the nearest training images").click(), bench)
    assert "the network has no last layer" in words(at)


def test_a_selection_is_kept_carried_to_the_other_page_and_forgotten(at, bench, colours):
    at = ran(labelled(at.text_input, "Name").set_value("two *odd* ones"))
    at = ran(labelled(at.button, "Keep as selection").click())
    (kept,) = bench.store.shelf.selections(colours.dataset)
    assert (kept.name, kept.origin, len(kept.ids)) == ("two *odd* ones", "wrong", 2)
    assert labelled(at.selectbox, "Selection in hand").value == "two *odd* ones"
    at = ledger(at)
    assert labelled(at.selectbox, "Selection in hand").value == "two *odd* ones"
    at = ran(at.switch_page(OVERVIEW))
    assert names(at) == WRONG
    assert "2 images: all, in two *odd* ones." in words(at)
    at = ran(labelled(at.button, "Forget it").click())
    assert bench.store.shelf.selections(colours.dataset) == []
    assert "Selection in hand" not in [each.label for each in at.selectbox]


def test_a_selection_is_found_by_the_next_tab(at, bench, colours):
    ran(labelled(at.button, "Keep as selection").click())
    fresh = overview(bench)
    chooser = labelled(fresh.selectbox, "Selection in hand")
    assert chooser.value == "no selection"
    fresh = ran(chooser.set_value("wrong"))
    assert names(fresh) == WRONG


def test_a_name_left_empty_is_the_description_of_what_is_shown(at, bench, colours):
    at = ran(labelled(at.text_input, "Name").set_value("   "))
    ran(labelled(at.button, "Keep as selection").click())
    assert [each.name for each in bench.store.shelf.selections(colours.dataset)] == ["wrong"]


def test_a_selection_of_one_role_leaves_nothing_of_another(at, bench):
    at = ran(labelled(at.button, "Keep as selection").click())
    at = settled(control(at, "Images").set_value("train"), bench)
    assert "No image fits: all, in wrong." in words(at)


# The grid's own bookkeeping


@pytest.fixture
def session(monkeypatch):
    """A session without an app."""
    state: dict = {}
    monkeypatch.setattr(st, "session_state", state)
    return state


def click(session, chart, *ids):
    """The browser says that these are selected in the chart."""
    session[chart] = {"selection": {"pick": [{"sample_id": each} for each in ids]}}
    picks.turn_over(chart)


def test_a_click_picks_and_another_takes_it_back(session):
    click(session, "grid", "a")
    click(session, "grid", "a", "b")
    assert picks.picked() == ["a", "b"]
    assert session["opened image"] == "b"
    click(session, "grid", "b")
    assert picks.picked() == ["b"]


def test_an_image_picked_before_the_chart_appeared_is_taken_back_by_a_click(session):
    first, before = picks.appearing("page 1")
    assert before == frozenset()
    click(session, first, "a")
    assert picks.appearing("page 1") == (first, before)  # a rerun is no new appearance
    second, before = picks.appearing("page 2")
    assert before == {"a"}
    click(session, second, "a")
    assert picks.picked() == []


def test_clearing_forgets_all_and_gives_charts_new_names(session):
    chart, _ = picks.appearing("grid")
    click(session, chart, "a")
    picks.clear()
    assert picks.picked() == []
    again, before = picks.appearing("grid")
    assert again != chart
    assert before == frozenset()


def test_picks_are_shown_when_their_page_comes_back(bench):
    at = overview(bench)  # the digits fill more than one page
    first = grid_key(at)
    sample_id = tiles(at)[0]["sample_id"]
    at.session_state[first] = {"selection": {"pick": [{"sample_id": sample_id}]}}
    at.session_state["picked"], at.session_state[f"{first} last"] = [sample_id], [sample_id]
    at = ran(at)
    at = ran(at.pagination[0].set_value(2))
    assert sample_id not in [tile["sample_id"] for tile in tiles(at)]
    at = ran(at.pagination[0].set_value(1))
    assert tiles(at)[0]["sample_id"] == sample_id
    assert tiles(at)[0]["picked"]
    assert not tiles(at)[1]["picked"]


# Charts on the page


def test_the_charts_count_every_image(at):
    shown = charts(at)
    matrix = next(rows for key, rows in shown.items() if key.startswith("confusion "))
    assert sum(row["images"] for row in matrix) == 19
    for answer, count in (("wrong", 2), ("right", 17)):
        rows = next(rows for key, rows in shown.items() if key.startswith(f"confidence {answer} "))
        assert sum(row["images"] for row in rows) == count


def test_the_other_page_and_back_shows_the_same_images(at):
    at = ran(control(at, "Answers").set_value("all"))
    at = ran(at.switch_page(LEDGER))
    at = ran(at.switch_page(OVERVIEW))
    assert at.title[0].value == "Overview"
    assert names(at)
