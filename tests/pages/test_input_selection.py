"""The page on input selection, without a browser, on the built-in digits, in which two buggy labels are planted."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest

from engine.commands.input_selection import diagnosed
from engine.commands.input_selection import questions as questions_of_the_command
from engine.loading.demos.planted_digits import digits_truth
from engine.methods.input_selection import ISSUES, PROBES, RETRAINING, SELECTION, TAPS
from engine.methods.input_selection.result import Retrained
from engine.methods.input_selection.seen_ids import CHOSEN_ON
from engine.methods.input_selection.settings import (
    RECOMMENDED,
    IssueSettings,
    ProbeSettings,
    RetrainingSettings,
    TapSettings,
    VerdictSettings,
)
from engine.methods.input_selection.verdicts import label_verdicts
from engine.runs.run import Input
from engine.subject.image_set import Role, Seen
from engine.workbench import Opened, Workbench
from pages.parts.input_selection import arena_charts
from pages.parts.input_selection.arena import Comparison, questions_of
from pages.parts.input_selection.arena_results import notes_of
from pages.parts.input_selection.label_charts import gap_chart, label_chart
from pages.parts.input_selection.scene import Scene
from tests.made import colour_folder
from tests.pages.conftest import (
    WAIT_SECONDS,
    charts,
    demo_in,
    drawn,
    labelled,
    open_folder,
    ran,
    settled,
    started,
    words,
)

PAGE = "pages/input_selection.py"


@pytest.fixture
def fresh_digits(bench, prepared_demos) -> Opened:
    """The built-in digits, open in this test's data folder."""
    return demo_in(bench, prepared_demos("digits"))


@pytest.fixture(scope="module")
def looked_into(prepared_demos, tmp_path_factory) -> tuple[Path, Opened]:
    """The same with all that the page asks by itself before it chooses images, answered once for all tests."""
    home = tmp_path_factory.mktemp("looked into") / "home"
    prepared, opened = prepared_demos("digits")
    shutil.copytree(prepared, home)
    bench = Workbench(home)
    subject = bench.subject(opened)
    bench.ask(TAPS, subject, TapSettings()).future.result(WAIT_SECONDS)
    run_id = bench.question(TAPS, subject, TapSettings()).fingerprint
    inputs = {"taps": Input(run_id, bench.answer(TAPS, subject, TapSettings()))}
    for step, settings in ((PROBES, ProbeSettings()), (ISSUES, IssueSettings())):
        bench.ask(step, subject, settings, inputs).future.result(WAIT_SECONDS)
    bench.worker.close()
    return home, opened


@pytest.fixture
def digits(bench, looked_into) -> Opened:
    """The built-in digits, whose labels and layers are known, open in this test's data folder."""
    return demo_in(bench, looked_into)


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


def test_both_planted_labels_are_named_with_the_right_verdict(bench, fresh_digits, found_digits):
    at = page(bench)
    said = words(at)
    assert f"Under-fitted: {found_digits.under_trained} (" in said
    assert f"Over-fitted: {found_digits.over_fitted} (" in said
    rows = drawn(at)["Recall of each label on train and on diagnosis"]
    assert len(rows) == 2 * 10
    for step in (TAPS, ISSUES, SELECTION):
        assert len(runs(bench, step)) == 1, step.name
    assert sorted(entry.run.settings["kind"] for entry in runs(bench, PROBES)) == ["ridge", "softmax"]
    assert "the features are there, and its head is at fault" in said
    assert "It looks at features.13, which explains it" in said


def test_another_label_is_explained_and_chosen_for(bench, digits, found_digits):
    at = settled(
        labelled(page(bench).selectbox, "Label to explain and mend").set_value(found_digits.over_fitted), bench
    )
    assert "gap" in words(at)
    assert runs(bench, SELECTION)[0].run.settings["targets"] == [found_digits.over_fitted]
    layers = labelled(at.selectbox, "Layer").options
    assert len(layers) == 5
    gaps = drawn(at)["Gap between train and diagnosis of a linear read-out of each layer"]
    assert {row["low"] <= row["gap"] <= row["high"] for row in gaps if "gap" in row} == {True}
    assert {row["tap"] for row in gaps if "gap" in row} == set(layers[1:])
    assert [row["most"] for row in gaps if "most" in row] == [VerdictSettings().gap]


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


def test_a_minkowski_has_its_power(bench, digits):
    at = settled(labelled(page(bench).selectbox, "Strategy").set_value("mode"), bench)
    assert [each.label for each in at.number_input if each.label == "p"] == []
    at = settled(labelled(at.selectbox, "Likeness by").set_value("minkowski"), bench)
    settled(labelled(at.number_input, "p").set_value(1.5), bench)
    assert runs(bench, SELECTION)[0].run.settings["power"] == 1.5


def test_what_was_left_out_can_be_taken_back(bench, digits):
    at = page(bench)
    first = [tile["sample_id"] for tile in grid(at, "picks ")][:2]
    at.session_state["picked"] = list(first)
    at = settled(button(ran(at), "Leave out the 2 picked").click(), bench)
    assert "Left out by hand (2)" in words(at).replace("*", "")
    undo = next(each for each in at.button if (each.key or "").startswith(f"take back {first[0]} "))
    at = settled(undo.click(), bench)
    assert runs(bench, SELECTION)[0].run.settings["excluded"] == [first[1]]
    at = settled(button(at, "Take all back").click(), bench)
    assert [tile["sample_id"] for tile in grid(at, "picks ")][:2] == first
    assert "Left out by hand" not in words(at)


def test_a_layer_chosen_by_hand_is_looked_at(bench, digits):
    at = settled(labelled(page(bench).selectbox, "Layer").set_value("features.7"), bench)
    assert runs(bench, SELECTION)[0].run.settings["layer"] == "features.7"
    assert "It looks at features.7, chosen above" in words(at)
    assert "highest loss and DHWI together, at features.7" in arms(at)


def test_the_rule_reaches_the_selection_and_the_retraining(bench, digits):
    at = page(bench)
    at = settled(next(each for each in at.slider if each.key == "rule gap").set_value(0.3), bench)
    assert runs(bench, SELECTION)[0].run.settings["rule"]["gap"] == 0.3
    assert "--gap 0.3" in command(at)


def arms(at) -> list[str]:
    """The arms that can be compared."""
    field = labelled(at.multiselect, "Strategies")
    return [*field.options, *field.value]


def command(at) -> str:
    """The command line that the page shows, "" where there is none."""
    return next((each.value for each in at.code if "input-selection" in each.value), "")


def quickly(at, **numbers: int):
    """The comparison's fields, set to little work."""
    for label, number in {"Seeds": 1, "Rounds": 1, "Steps a round": 5, **numbers}.items():
        at = ran(labelled(at.number_input, label).set_value(number))
    return at


def test_strategies_are_compared_and_one_is_kept(bench, digits, found_digits):
    at = page(bench)
    assert labelled(at.multiselect, "Strategies").value == list(RECOMMENDED)
    at = quickly(ran(labelled(at.multiselect, "Strategies").set_value(["random", "class_random", "highest_loss"])))
    at = settled(button(at, "Retrain and compare").click(), bench)
    assert len(runs(bench, RETRAINING)) == 3
    targets = sorted([found_digits.under_trained, found_digits.over_fitted])
    assert all(entry.run.settings["selection"]["targets"] == targets for entry in runs(bench, RETRAINING))
    assert "with one seed, which is too few to say how sure that is" in words(at)
    rows = drawn(at)["target recall after each round"]
    assert {(row["arm"], row["round"]) for row in rows} >= {("highest loss", 0), ("highest loss", 1)}
    before = answer_of(bench, digits, runs(bench, RETRAINING)[0])
    at = settled(button(at, "Train it once more").click(), bench)
    again = answer_of(bench, digits, runs(bench, RETRAINING)[0])
    assert (again.strategy, len(before.weights)) == ("highest_loss", 0)
    assert (again.answers == before.answers).all()
    at = ran(button(at, "Keep as a Fix").click())
    (fix,) = [row for row in bench.store.shelf.models() if row.parent]
    assert CHOSEN_ON in fix.origin
    images = bench.subject(Opened(fix.fingerprint, digits.dataset)).images
    newly = images.ids[(images.seen == Seen.YES) & (images.roles == Role.POOL)]
    assert set(newly.tolist()) == set(again.picks.ids.tolist())


def answer_of(bench, opened: Opened, entry) -> Retrained:
    """What a training found."""
    found = bench.store.result(entry.run, Retrained)
    assert found is not None, opened
    return found


def test_without_a_control_nothing_is_compared(bench, digits):
    at = ran(labelled(page(bench).multiselect, "Strategies").set_value(["highest_loss"]))
    assert "without them nothing can be said" in words(at)


def test_a_map_of_pixels_has_no_layer_to_choose(bench, digits):
    at = settled(labelled(page(bench).selectbox, "Strategy").set_value("mode"), bench)
    assert "MODE by a heat map, at the chosen layer" in arms(at)
    at = settled(labelled(at.selectbox, "of").set_value("pixel"), bench)
    assert "MODE by a heat map, at the chosen layer" not in arms(at)
    assert "MODE by a heat map" in arms(at)


def scene_of(bench, opened: Opened, rule: VerdictSettings) -> Scene:
    """What the page shows of what was asked before."""
    subject = bench.subject(opened)
    taps = bench.answer(TAPS, subject, TapSettings())
    inputs = {"taps": Input(bench.question(TAPS, subject, TapSettings()).fingerprint, taps)}
    probes = bench.answer(PROBES, subject, ProbeSettings(), inputs)
    verdicts = label_verdicts(taps, rule)
    return Scene(bench, subject, taps, rule, verdicts, verdicts[0].label, probes)


@pytest.mark.parametrize("rule", [VerdictSettings(), VerdictSettings(recall=0.7)])
def test_page_and_command_ask_the_very_same(bench, digits, rule):
    page(bench)
    scene, subject = scene_of(bench, digits, rule), bench.subject(digits)
    usual = RetrainingSettings()
    usual = replace(usual, selection=replace(usual.selection, rule=rule))
    found = diagnosed(bench, subject, rule, ())
    wanted = questions_of_the_command(usual, RECOMMENDED, range(3), found, "digits", False)
    those = {bench.question(RETRAINING, subject, settings, inputs).fingerprint for settings, inputs in wanted}
    issues = found.inputs["issues"].value
    asked = questions_of(
        scene,
        Comparison(usual, RECOMMENDED, 3, "digits"),
        {**scene.tapped, **scene.judged(issues)},
    )
    ours = [bench.question(RETRAINING, subject, each.settings, each.inputs).fingerprint for each in asked]
    assert len(ours) == 3 * len(RECOMMENDED)
    assert set(ours) == those


def test_own_data_is_the_same_for_all_seeds(bench, digits):
    page(bench)
    scene = scene_of(bench, digits, VerdictSettings())
    usual = RetrainingSettings()
    usual = replace(usual, selection=replace(usual.selection, targets=(7,), excluded=("x",)))
    asked = questions_of(scene, Comparison(usual, ("random",), 3, ""), scene.tapped)
    assert [each.settings.selection.seed for each in asked] == [0, 1, 2]
    assert all(each.settings.selection.targets == (7,) for each in asked)
    assert all(each.inputs == scene.tapped and each.settings.selection.excluded == ("x",) for each in asked)


def test_an_arm_changes_only_by_what_it_reads(bench, digits):
    page(bench)
    scene = scene_of(bench, digits, VerdictSettings())

    def asked(**changes) -> dict[str, RetrainingSettings]:
        usual = RetrainingSettings()
        usual = replace(usual, selection=replace(usual.selection, targets=(0,), **changes))
        found = questions_of(scene, Comparison(usual, ("random", "highest_loss", "mode", "mode_dhwi"), 1, ""), {})
        return {each.settings.selection.strategy: each.settings for each in found}

    plain, by_canberra = asked(), asked(metric="canberra")
    assert {name for name in plain if plain[name] != by_canberra[name]} == {"mode"}


def test_the_command_is_the_comparison(bench, digits, found_digits):
    at = page(bench)
    said = command(at)
    assert "--demo digits --strategies random,class_random,mode_dhwi,mode_dhwi@auto,highest_loss" in said
    assert "--targets" not in said
    at = ran(next(each for each in at.checkbox if each.key == "arena anew").uncheck())
    assert command(at) == ""
    at = ran(labelled(at.number_input, "Seeds").set_value(1))
    assert f"--targets {found_digits.under_trained} " in command(at)


def test_notes_of_arms_are_shown_once_with_their_seeds(bench):
    def run(strategy: str, seed: int, *notes: str):
        return SimpleNamespace(strategy=strategy, seed=seed, picks=SimpleNamespace(notes=notes))

    said = notes_of([run("random", 0, "few"), run("random", 1, "few", "none"), run("mode_dhwi@auto", 0)])
    assert said == ["random choice, seeds 0, 1: few", "random choice, seed 1: none"]


def test_the_chart_of_labels_tells_how_many_images_and_its_shapes_can_be_seen_on_black():
    row = {"label": "cat", "verdict": "healthy", "n train": 40, "n diagnosis": 0}
    row |= {f"{role}{end}": 0.5 for role in ("train", "diagnosis") for end in ("", "_low", "_high")}
    spec = label_chart([row]).to_dict()
    points = next(each for each in spec["layer"] if each["mark"]["type"] == "point")
    assert [each["n"] for each in points.get("data", spec.get("data"))["values"]] == [40, 0]
    assert points["encoding"]["shape"]["legend"]["symbolFillColor"] == "#888888"
    assert "n" in {each["field"] for each in points["encoding"]["tooltip"]}


@pytest.mark.parametrize(("share", "axis", "hover"), [(True, ".3~p", ".1%"), (False, "~g", ".1f")])
def test_shares_of_the_comparison_are_in_per_cent_and_counts_are_not(share, axis, hover):
    span = {"arm": "one", "mean": 0.5, "low": 0.25, "high": 0.75}
    gaps = arena_charts.gap_chart([{**span, "control": "random", "p": 0.5, "seeds": 3}], "it", share).to_dict()
    points = gaps["layer"][1]["layer"][1]["encoding"]
    assert points["x"]["axis"]["format"] == f"+{axis}"
    assert [each["format"] for each in points["tooltip"][2:5]] == [f"+{hover}"] * 3
    lines = arena_charts.curve_chart([{**span, "round": 1}], "it", share).to_dict()["layer"][1]["encoding"]
    assert lines["y"]["axis"]["format"] == axis
    assert [each["format"] for each in lines["tooltip"][2:5]] == [hover] * 3


def test_the_gap_chart_is_what_it_should_be():
    rows = [{"tap": "one", "gap": 0.1, "low": float("nan"), "high": 0.3}]
    spec = gap_chart(rows, "one", 0.15).to_dict()
    assert spec["layer"][2]["data"]["values"] == [{"tap": "one", "gap": 0.1, "low": None, "high": 0.3}]


@pytest.fixture
def lone(bench, tmp_path) -> Opened:
    """A lone set of colours that the classifier was not trained on: no train, but a pool."""
    return open_folder(bench, colour_folder(tmp_path / "lone", each=60, splits=("test",)), seen="no")


def test_without_train_it_goes_on_after_the_verdicts(bench, lone):
    at = page(bench)
    said = words(at)
    assert "no labelled images of train to fit probes on" in said.replace("`", "")
    assert runs(bench, PROBES) == []
    strategy = labelled(at.selectbox, "Strategy")
    assert strategy.value == "highest_loss"
    assert "highest loss and DHWI together" not in strategy.options
    assert runs(bench, SELECTION)[0].run.settings["strategy"] == "highest_loss"
    assert any(what.endswith("of pixels") for what in drawn(at))
    assert "retrained on the chosen images alone" in said
    assert labelled(at.selectbox, "With").options == ["the batch alone, as published"]
    assert not any("@" in arm for arm in arms(at))
    at = ran(labelled(at.number_input, "Images").set_value(6))
    at = quickly(ran(labelled(at.multiselect, "Strategies").set_value(["random", "mode"])), Seeds=2)
    at = settled(button(at, "Retrain and compare").click(), bench)
    assert {entry.outcome for entry in runs(bench, RETRAINING)} == {"finished"}
    assert "over seeds and images of test" in words(at)
    assert labelled(at.selectbox, "Seed").options == ["0", "1"]
    at = settled(ran(labelled(at.selectbox, "Seed").set_value(1)), bench)
    at = settled(button(at, "Train it once more").click(), bench)
    ran(button(at, "Keep as a Fix").click())
    (fix,) = [row for row in bench.store.shelf.models() if row.parent]
    images = bench.subject(Opened(fix.fingerprint, lone.dataset)).images
    assert (images.seen == Seen.YES).sum() == 6


def test_without_a_pool_it_says_what_to_load(bench, colours):
    at = page(bench)
    assert "no images of pool to choose from. Load data with a pool" in words(at).replace("`", "")
    assert runs(bench, SELECTION) == []


def test_images_of_one_label_are_no_failure(bench, tmp_path):
    folder = colour_folder(tmp_path / "one", each=30, splits=("train", "test"))
    for split in ("train", "test"):
        for colour in ("blue", "green"):
            shutil.rmtree(folder / split / colour)
    open_folder(bench, folder)
    at = page(bench)
    assert [each.value for each in at.error] == []
    assert "red" in words(at)
