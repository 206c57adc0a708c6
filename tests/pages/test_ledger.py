from __future__ import annotations

import pytest

from engine.subject.image_set import Role
from tests.pages.conftest import evaluate, labelled, ledger, open_folder, overview, ran, settled, started, words


@pytest.fixture
def at(bench, colours):
    """The Ledger with one finished run."""
    evaluate(bench, colours)
    return ledger(started())


def test_an_empty_ledger_says_what_to_do(bench, colours, monkeypatch):
    monkeypatch.setattr("engine.methods.evaluation.estimate.seconds", lambda *arguments: 300.0)
    at = ledger(started())
    assert "Nothing has been run yet. Open the Overview." in words(at)
    assert not at.dataframe
    assert "are used in" in at.markdown[0].value


def test_runs_are_listed_with_what_became_of_them(at):
    (row,) = at.dataframe[0].value.to_dict("records")
    assert row["outcome"] == "✓ finished"
    assert (row["step"], row["settings"], row["classifier"], row["data"]) == (
        "Evaluation",
        "role diagnosis",
        "colours",
        "photos",
    )


def test_a_failed_run_is_listed_with_its_message(bench, colours, monkeypatch):
    def broken(*arguments):
        raise ValueError("the disk is on fire")

    monkeypatch.setattr("engine.methods.evaluation.evaluate.predict", broken)
    at = ledger(overview(bench))
    (row,) = at.dataframe[0].value.to_dict("records")
    assert (row["outcome"], row["message"]) == ("✗ failed", "the disk is on fire")


def test_models_and_data_are_listed_with_where_they_came_from(at, prepared):
    said = words(at)
    assert "mlp, 3 classes, loaded from colours.pth" in said
    assert str(prepared.photos) in said


def test_what_is_open_can_t_be_forgotten(at):
    popovers = [each.proto.popover for each in at.main.get("popover") if each.proto.popover.label == "Forget"]
    assert [(each.label, each.disabled) for each in popovers] == [("Forget", True)] * 2


def test_a_model_and_data_are_forgotten_with_their_runs_and_files(at, bench, colours, home):
    digits = bench.open_demo("digits")
    bench.remember_opened(digits)
    at = ledger(started())
    forget = {each.key: each for each in at.button if each.label == "Forget it for good"}
    assert len(forget) == 4
    at = ran(forget[f"forget model {colours.model}"].click())
    assert colours.model not in [row.fingerprint for row in bench.store.shelf.models()]
    assert colours.model not in [entry.model for entry in bench.store.register.entries()]
    forget = {each.key: each for each in at.button if each.label == "Forget it for good"}
    at = ran(forget[f"forget data {colours.dataset}"].click())
    assert [row.source for row in bench.store.shelf.datasets()] == [{"demo": "digits"}]
    assert all(entry.model == digits.model for entry in bench.store.register.entries())


def test_a_forgotten_data_set_is_loaded_anew_and_examined_again(bench, colours, photos):
    at = overview(bench)
    digits = bench.open_demo("digits")
    at = settled(at, bench)
    at = settled(labelled(at.button, "Planted digits").click(), bench)
    at = ledger(at)
    at = ran(at.button(key=f"forget data {colours.dataset}").click())
    assert digits.dataset in [row.fingerprint for row in bench.store.shelf.datasets()]
    again = open_folder(bench, photos)
    assert again == colours
    at = overview(bench)
    assert labelled(at.metric, "Accuracy").value == "89.5%"


def test_a_tab_whose_data_another_tab_forgot_falls_back_to_the_built_in_ones(at, bench, colours):
    bench.forget_dataset(colours.dataset)
    at = settled(at, bench)
    assert at.title[0].value == "Ledger"
    assert [row.source for row in bench.store.shelf.datasets()] == [{"demo": "digits"}]
    assert len(bench.subject(at.session_state["opened"]).images.indices(Role.DIAGNOSIS)) > 0


@pytest.mark.usefixtures("automatic_pages")
def test_every_page_has_the_sidebar_even_if_its_address_is_the_first_that_is_opened(bench, colours):
    at = ledger(started())
    assert "Load your own" in words(at.sidebar)
