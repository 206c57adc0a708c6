from __future__ import annotations

import argparse
import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch

from engine import built_in
from engine.__main__ import main
from engine.commands.input_selection_files import LABEL_COLUMNS, RUN_COLUMNS
from engine.commands.input_selection_options import RECOMMENDED, add_options, arms_of, settings_of
from engine.loading import demos
from engine.methods.input_selection.picks_table import PICK_COLUMNS
from engine.methods.input_selection.settings import RetrainingSettings, SelectionSettings, VerdictSettings
from engine.toolkit.tables import from_csv
from tests.made import colour_folder, colour_weights

SHORT = ["--budget", "8", "--rounds", "2", "--steps", "1"]
FILES = {"summary.json", "labels.csv", "selection.csv", "runs.csv"}


def summary_of(out: Path) -> dict:
    return json.loads((out / "summary.json").read_text())


def rows_of(out: Path, name: str) -> list[dict[str, str]]:
    return from_csv((out / name).read_bytes())


@pytest.fixture
def trainings(monkeypatch) -> list[int]:
    """The seeds that a classifier was trained for; the shipped one takes its place, for training takes long."""
    seeds = []

    def train_demo(name, seed, progress):
        seeds.append(seed)
        return demos.open_demo(name)[0]

    built_in.demo_classifier.cache_clear()
    monkeypatch.setattr(demos, "train_demo", train_demo)
    yield seeds
    built_in.demo_classifier.cache_clear()


@pytest.fixture
def own_data(tmp_path) -> list[str]:
    """A checkpoint that takes every image for green or red, and a folder with enough of each colour."""
    state = colour_weights()
    state["fc3.bias"][0] = -20  # blue
    torch.save(state, tmp_path / "net.pth")
    colour_folder(tmp_path / "photos", each=40)
    names = ["--classes", "blue", "green", "red"]
    weights = ["--checkpoint", str(tmp_path / "net.pth"), "--arch", "mlp"]
    return ["input-selection", *weights, "--data", str(tmp_path / "photos"), *names]


def test_the_planted_labels_are_found_and_the_recommended_strategies_compared(tmp_path, capsys):
    out = tmp_path / "out"
    words = ["input-selection", "--demo", "digits", "--seeds", "1", *SHORT]
    assert main([*words, "--out", str(out)]) == 0
    assert {file.name for file in out.iterdir()} == FILES
    found, truth = summary_of(out), demos.planted_digits.digits_truth(0)
    verdicts = {row["label"]: row["verdict"] for row in found["labels"]}
    assert verdicts.pop(str(truth.under_trained)) == "under-fitted"
    assert verdicts.pop(str(truth.over_fitted)) == "over-fitted"
    assert set(verdicts.values()) <= {"healthy", "not sure"}
    worst = found["labels"][0]
    assert worst["label"] == str(truth.under_trained)
    assert worst["train_recall"] < 0.2
    assert worst["diagnosis_low"] <= worst["diagnosis_recall"] <= worst["diagnosis_high"] < 0.2
    taps = [tap["name"] for tap in found["taps"]]
    assert found["layer"] == worst["layer"]
    assert found["layer"] in taps
    assert all(0 < tap["diagnosis"] <= tap["train"] <= 1 for tap in found["taps"])
    assert set(found["taps"][0]["targets"]) == {str(truth.under_trained), str(truth.over_fitted)}
    issues = found["label_issues"]
    assert issues["number"] == issues["train"] + issues["diagnosis"] + issues["pool"] > 0
    assert found["seconds"] > 0
    assert tuple(found["arms"]) == RECOMMENDED
    assert found["arms"]["random"]["vs_random"] is None
    arm, control = found["arms"]["mode_dhwi"], found["arms"]["class_random"]
    assert arm["vs_class_random"]["mean"] == pytest.approx(arm["target_recall"] - control["target_recall"])
    gap = arm["vs_class_random"]["figures"]["accuracy"]
    assert gap["mean"] == pytest.approx(arm["accuracy"] - control["accuracy"])
    assert (gap["n"], gap["low"], gap["p"]) == (1, None, None)
    said = capsys.readouterr().out
    for part in ("Under-fitted: 0 (", "Over-fitted: 3 (", "Layer for 0: ", "labels are likely wrong", "with one seed"):
        assert part in said
    assert said.count("target precision") == len(RECOMMENDED)


def test_the_tables_hold_every_label_every_round_and_one_selection(own_data, tmp_path):
    out = tmp_path / "out"
    words = [
        "--strategies",
        "highest_loss,class_random,mode_dhwi",
        "--seeds",
        "2",
        "--first-seed",
        "4",
        "--seen",
        "yes",
    ]
    assert main([*own_data, *words, *SHORT, "--out", str(out)]) == 0
    found = summary_of(out)
    labels, runs, picks = (rows_of(out, f"{name}.csv") for name in ("labels", "runs", "selection"))
    assert [tuple(rows[0]) for rows in (labels, runs, picks)] == [LABEL_COLUMNS, RUN_COLUMNS, PICK_COLUMNS]
    assert (labels[0]["label"], labels[0]["verdict"]) == ("blue", "under-fitted")
    assert [bool(row["layer"]) for row in labels] == [True, False, False]
    assert found["seeds"] == [4, 5]
    assert found["targets"] == {"4": ["blue"], "5": ["blue"]}
    assert len(runs) == 3 * 2 * 3
    assert {row["targets"] for row in runs} == {"blue"}
    ends = [float(row["accuracy"]) for row in runs if (row["strategy"], row["round"]) == ("highest_loss", "2")]
    assert np.mean(ends) == pytest.approx(found["arms"]["highest_loss"]["accuracy"])
    own = {row["run"] for row in runs if (row["strategy"], row["seed"]) == ("mode_dhwi", "4")}
    assert {row["run"] for row in picks} == own  # the recommended one, though it was named last
    assert len({row["id"] for row in picks}) == 8
    assert found["arms"]["mode_dhwi"]["vs_random"] is None
    assert set(found["arms"]["mode_dhwi"]["vs_class_random"]) >= {"mean", "low", "high"}


def test_each_seed_but_0_of_a_built_in_example_draws_data_and_classifier_anew(trainings, tmp_path):
    words = ["input-selection", "--demo", "digits", "--strategies", "class_random,random", "--targets", "3", *SHORT]
    out = tmp_path / "out"
    assert main([*words, "--seeds", "2", "--out", str(out)]) == 0
    assert trainings == [1]  # once for both
    found, runs = summary_of(out), rows_of(out, "runs.csv")
    assert found["targets"] == {"0": ["3"], "1": ["3"]}
    before = {row["seed"]: row["accuracy"] for row in runs if row["round"] == "0"}
    assert before["0"] != before["1"]
    # asked again they are known, and nothing is trained; alone, the drawn one's images are named in its selection
    assert main([*words, "--seeds", "1", "--first-seed", "1", "--out", str(tmp_path / "b")]) == 0
    assert trainings == [1]
    again = rows_of(tmp_path / "b", "runs.csv")
    assert [row for row in runs if row["seed"] == "1"] == again
    drawn = demos.make_demo("digits", 1)
    for row in rows_of(tmp_path / "b", "selection.csv"):
        assert drawn.names[drawn.position[row["id"]]] == row["file_name"]


def test_where_no_label_is_buggy_the_diagnosis_is_written_all_the_same(own_data, tmp_path, capsys):
    out = tmp_path / "out"
    assert main([*own_data, "--recall", "0.001", "--gap", "0.999", *SHORT, "--out", str(out)]) == 0
    assert {file.name for file in out.iterdir()} == FILES
    found = summary_of(out)
    assert (found["arms"], found["layer"], found["seeds"]) == ({}, None, [])
    assert rows_of(out, "selection.csv") == rows_of(out, "runs.csv") == []
    assert "No retraining: no label is buggy beyond chance" in capsys.readouterr().out


def test_every_option_reaches_the_settings():
    parser = argparse.ArgumentParser()
    add_options(parser)
    assert settings_of(parser.parse_args([])) == RetrainingSettings()
    words = "--budget 50 --scored 0.5 --no-filter --how batch --rounds 2 --steps 7 --recall 0.7 --gap 0.2"
    arguments = parser.parse_args([*words.split(), "--strategies", "gini,mode_dhwi@auto,gini"])
    choice = SelectionSettings(budget=50, scored=0.5, filtered=False, rule=VerdictSettings(recall=0.7, gap=0.2))
    assert settings_of(arguments) == RetrainingSettings(choice, how="batch", rounds=2, steps=7)
    assert arms_of(arguments) == ("gini", "mode_dhwi@auto")


def test_the_layer_is_looked_at_that_was_named(own_data, tmp_path):
    out = tmp_path / "out"
    words = ["--strategies", "mode_dhwi,random,mode_dhwi@auto,mode_dhwi@fc1", "--seeds", "1"]
    assert main([*own_data, *words, *SHORT, "--out", str(out)]) == 0
    found = summary_of(out)
    assert list(found["arms"]) == ["random", "mode_dhwi", "mode_dhwi@auto", "mode_dhwi@fc1"]
    layers = {(row["strategy"], row["layer"]) for row in rows_of(out, "runs.csv") if row["round"] == "1"}
    last, chosen = found["taps"][-1]["name"], found["layer"]
    assert layers == {("random", ""), ("mode_dhwi", last), ("mode_dhwi@auto", chosen), ("mode_dhwi@fc1", "fc1")}
    assert len(rows_of(out, "selection.csv")) == 8


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--seeds", "0"], "--seeds must be at least 1"),
        (["--strategies", "random,best"], "there is no strategy 'best'; there are random, class_random"),
        (["--targets", "12"], "there is no label '12'; there are 0, 1"),
        (["--budget", "2"], "--budget must be at least --rounds, got 2 and 3"),
        (["--scored", "2"], "scored must lie above 0 and at most 1"),
        (["--recall", "1.5"], "recall, gap and alpha must lie between 0 and 1"),
        (["--strategies", "random@auto"], "only strategies that look at a layer"),
    ],
)
def test_what_cannot_be_is_one_sentence(words, message, tmp_path, capsys):
    assert main(["input-selection", "--demo", "digits", *words, "--out", str(tmp_path / "out")]) == 2
    assert message in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_a_layer_that_is_not_there_is_said_before_anything_is_retrained(own_data, tmp_path, capsys):
    assert main([*own_data, "--strategies", "mode_dhwi@conv9", "--out", str(tmp_path / "out")]) == 2
    assert "there is no layer 'conv9'; there are auto, " in capsys.readouterr().err


def test_seeds_on_ones_own_data_share_the_test_images_and_the_intervals_say_so(own_data, tmp_path, capsys):
    out = tmp_path / "out"
    words = ["--strategies", "class_random,highest_loss", "--seeds", "2"]
    assert main([*own_data, *words, *SHORT, "--out", str(out)]) == 0
    figures = summary_of(out)["arms"]["highest_loss"]["vs_class_random"]["figures"]
    assert {each["over"] for each in figures.values()} == {"seeds and images"}
    assert "over seeds and images of test" in capsys.readouterr().out


def test_the_thresholds_reach_the_data_that_is_drawn_anew(trainings, tmp_path, capsys):
    words = ["input-selection", "--demo", "digits", "--strategies", "class_random,random", "--seeds", "2", *SHORT]
    assert main([*words, "--recall", "0.001", "--gap", "0.999", "--out", str(tmp_path / "out")]) == 2
    assert "finds no buggy label; name the labels" in capsys.readouterr().err
    out = tmp_path / "b"
    assert main([*words, "--recall", "0.001", "--gap", "0.999", "--seeds", "1", "--out", str(out)]) == 0
    assert summary_of(out)["arms"] == {}


def test_without_train_what_looks_at_no_layer_is_compared_all_the_same(own_data, tmp_path, capsys):
    folder = next(Path(own_data[position + 1]) for position, word in enumerate(own_data) if word == "--data")
    held = tmp_path / "held"
    shutil.copytree(folder / "test", held / "test")  # alone, it is dealt out to diagnosis, pool and test
    words = [str(held) if word == str(folder) else word for word in own_data]
    out = tmp_path / "out"
    short = ["--how", "batch", "--seeds", "1", *SHORT, "--targets", "blue"]
    assert main([*words, "--strategies", "class_random,gini", *short, "--out", str(out)]) == 0
    found = summary_of(out)
    assert list(found["arms"]) == ["class_random", "gini"]
    assert found["layer"] is None
    assert all(tap["train"] is None for tap in found["taps"])
    assert "No layer: probes are fitted on labelled images of train" in capsys.readouterr().out
    assert main([*words, *short, "--out", str(tmp_path / "b")]) == 2
    assert "mode_dhwi looks at layers by probes, which need labelled images of train" in capsys.readouterr().err
