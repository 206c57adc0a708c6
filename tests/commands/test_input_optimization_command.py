from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from engine.__main__ import main
from engine.methods.input_optimization.export import BREAKPOINT_COLUMNS, PAIR_COLUMNS, SWEEP_COLUMNS
from engine.subject.classifier import Classifier
from engine.toolkit.error_table import COLUMNS
from engine.toolkit.tables import from_csv
from tests.made import colour_folder, colour_weights

NAMES = ["--classes", "red", "green", "blue"]
ALWAYS = {"summary.json", "pairs.csv", "breakpoints.csv", "sweep.csv", "failing.csv", "augmentation.py"}


@pytest.fixture
def made(tmp_path):
    """The command and the options that load a checkpoint and a folder made for it, whose colours can be turned."""
    torch.save(colour_weights(), tmp_path / "colours.pth")
    colour_folder(tmp_path / "photos", each=12)
    what = ["--checkpoint", str(tmp_path / "colours.pth"), "--arch", "mlp", "--data", str(tmp_path / "photos"), *NAMES]
    return ["input-optimization", *what, "--role", "train"]


def summary_of(out: Path) -> dict:
    return json.loads((out / "summary.json").read_text())


def table_of(out: Path, name: str) -> list[dict[str, str]]:
    return from_csv((out / name).read_bytes())


def header_of(out: Path, name: str) -> tuple[str, ...]:
    return tuple((out / name).read_text().splitlines()[0].split(","))


def test_colours_break_where_the_wheel_is_turned_by_a_sixth_and_blur_breaks_none(made, tmp_path, capsys):
    out = tmp_path / "out"
    assert main([*made, "--families", "hue, gaussian_blur", "--levels", "6", "--optimise", "4", "--out", str(out)]) == 0
    assert {file.name for file in out.iterdir()} == ALWAYS
    found = summary_of(out)
    assert (found["role"], found["n"], found["clean_accuracy"], found["clean_accuracy_high"]) == ("train", 36, 1.0, 1.0)
    assert found["clean_accuracy_low"] < 1
    forward, back, blur = found["breakpoints"]
    assert 30 < forward["value"] < 90
    assert -90 < back["value"] < -30
    assert forward["low"] <= forward["value"] <= forward["high"]
    assert forward["reached"] is back["reached"] is back["verified"] is True
    assert (blur["side"], blur["value"], blur["reached"], blur["verified"]) == ("more", None, False, None)
    assert {row["scope"] for row in found["breakpoints_by_label"]} == {"red", "green", "blue"}
    assert found["interactions"] == []
    assert found["pairs"] == found["already_correct"] + found["reached"] + found["not_reached"] == 4 * (12 + 6)
    assert found["reached"] > 0 < found["median_distance"]
    assert found["not_optimised"] is found["not_compared"] is None
    assert found["sweep_evaluations"] == 36 * (1 + 12 + 6)
    assert found["seconds"] == pytest.approx(sum(found["seconds_per_step"].values()))
    assert found["classifier"]["architecture"] == "mlp"
    said = capsys.readouterr().out
    assert "It breaks first under Hue" in said
    assert "brought back" in said


def test_the_tables_fit_the_summary(made, tmp_path):
    out = tmp_path / "out"
    words = ["--families", "hue", "--levels", "4", "--optimise", "3", "--npz", "--out", str(out)]
    assert main([*made, *words]) == 0
    found = summary_of(out)
    assert header_of(out, "pairs.csv") == PAIR_COLUMNS
    assert header_of(out, "sweep.csv") == SWEEP_COLUMNS
    assert header_of(out, "breakpoints.csv") == BREAKPOINT_COLUMNS
    assert header_of(out, "failing.csv") == COLUMNS
    states = [row["state"] for row in table_of(out, "pairs.csv")]
    assert (states.count("already"), states.count("reached")) == (found["already_correct"], found["reached"])
    assert len(table_of(out, "sweep.csv")) == found["sweep_evaluations"]
    assert len(table_of(out, "breakpoints.csv")) == 2 * (1 + 3)
    failing = table_of(out, "failing.csv")
    assert {row["cluster_name"] for row in failing} == {"Hue forward", "Hue back"}
    assert all(row["prediction"] != row["label"] for row in failing)
    assert all(row["note"].startswith("breaks at ") for row in failing)
    augmentation: dict = {}
    exec((out / "augmentation.py").read_text(), augmentation)  # noqa: S102
    changed = augmentation["augmentation"](torch.rand(3, 16, 16))
    assert changed.shape == (3, 16, 16)
    arrays = np.load(out / "pairs.npz", allow_pickle=False)
    assert arrays["optimised"].shape == (found["pairs"], 3, 16, 16)
    assert arrays["logits_optimised"].shape == (found["pairs"], 3)


def test_the_same_question_is_answered_from_the_store_the_second_time(made, tmp_path, monkeypatch):
    words = ["--families", "hue,gaussian_blur", "--levels", "2", "--optimise", "2"]
    assert main([*made, *words, "--out", str(tmp_path / "first")]) == 0

    def forbidden(*arguments):
        raise AssertionError("computed twice")

    for name in ("sweep.sweep", "breakpoints.breakpoints", "bring_back.bring_back", "differences.differences"):
        monkeypatch.setattr(f"engine.methods.input_optimization.{name}", forbidden)
    assert main([*made, *words, "--out", str(tmp_path / "second")]) == 0
    for name in ALWAYS:
        assert (tmp_path / "first" / name).read_bytes() == (tmp_path / "second" / name).read_bytes()


def test_families_together_tell_how_they_act(made, tmp_path, capsys):
    out = tmp_path / "out"
    words = ["--families", "gaussian_noise,hue", "--together", "--levels", "2", "--optimise", "1", "--out", str(out)]
    assert main([*made, *words]) == 0
    found = summary_of(out)
    assert found["pairs"] == 5 * 3 - 1
    (interaction,) = found["interactions"]
    assert interaction["families"] == ["hue", "gaussian_noise"]
    assert interaction["low"] <= interaction["excess"] <= interaction["high"]
    assert {row["family"] for row in table_of(out, "pairs.csv")} == {"hue+gaussian_noise"}
    assert "Hue and Gaussian noise" in capsys.readouterr().out


def test_the_published_grid_is_one_of_449_changes(made, tmp_path):
    words = ["--published", "--images", "2", "--optimise", "1", "--success", "margin", "--out", str(tmp_path / "out")]
    assert main([*made, *words]) == 0
    found = summary_of(tmp_path / "out")
    assert found["pairs"] == 449
    assert found["rule"] == "margin at least 0"


def test_left_out_families_are_all_that_fit_and_the_worst_are_brought_back(made, tmp_path):
    words = ["--images", "6", "--levels", "1", "--optimise", "1", "--worst", "2", "--rule", "level", "--level", "0.5"]
    assert main([*made, *words, "--out", str(tmp_path / "out")]) == 0
    found = summary_of(tmp_path / "out")
    assert len({row["family"] for row in found["breakpoints"]}) == 24
    assert len({row["family"] for row in table_of(tmp_path / "out", "pairs.csv")}) == 2
    assert {row["threshold"] for row in found["breakpoints"]} == {0.5}


def test_a_network_without_input_gradients_still_has_breakpoints(made, tmp_path, capsys, monkeypatch):
    preprocess = Classifier.preprocess
    monkeypatch.setattr(Classifier, "preprocess", lambda self, images: preprocess(self, images).detach())
    out = tmp_path / "out"
    assert main([*made, "--families", "hue", "--levels", "4", "--npz", "--out", str(out)]) == 0
    assert {file.name for file in out.iterdir()} == ALWAYS
    found = summary_of(out)
    assert found["breakpoints"][0]["reached"] is True
    assert "the network lets no gradient through to its input" in found["not_optimised"]
    for name in ("pairs", "already_correct", "reached", "not_reached", "model_evaluations", "rule", "median_distance"):
        assert found[name] is None
    assert found["seconds_per_step"]["optimisation"] is found["seconds_per_step"]["differences"] is None
    assert header_of(out, "pairs.csv") == PAIR_COLUMNS
    assert len(table_of(out, "failing.csv")) > 0
    assert "No image was brought back: the network lets no gradient through" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("--families hue,rotatoin", "there is no transform called 'rotatoin'; there are rotation, translation_x,"),
        ("--together", "--together needs two or more --families"),
        ("--together --families hue", "--together needs two or more --families"),
        ("--together --families hue,scale,rotation --levels 20", "68,921 combinations are too many"),
        ("--published --levels 3", "--published has its own families and levels"),
        ("--levels 0", "levels must be at least 1, got 0"),
        ("--images 0", "images must be at least 1, got 0"),
        ("--optimise 0", "images, most_steps and worst must be at least 1"),
        ("--rule drop --drop 1.5", "drop and level must lie between 0 and 1, got 1.5 and 0.5"),
        ("--role pool", "there is no labelled image with the role 'pool'"),
    ],
)
def test_bad_input_is_one_sentence_and_exit_code_2(made, tmp_path, capsys, words, said):
    colour_folder(tmp_path / "only train", splits=("train",))
    made[made.index(str(tmp_path / "photos"))] = str(tmp_path / "only train")
    assert main([*made, *words.split(), "--out", str(tmp_path / "out")]) == 2
    error = capsys.readouterr().err
    assert said in error
    assert "Traceback" not in error
    assert not (tmp_path / "out").exists()


def test_on_the_demo_every_failing_pair_is_brought_back(tmp_path):
    out = tmp_path / "out"
    words = ["--demo", "digits", "--families", "rotation,gaussian_blur", "--images", "60", "--levels", "4"]
    assert main(["input-optimization", *words, "--optimise", "5", "--npz", "--out", str(out)]) == 0
    found = summary_of(out)
    assert found["n"] == 60
    assert found["pairs"] == 5 * (8 + 4)
    assert found["reached"] > 0
    assert found["not_reached"] == 0
    assert any(row["reached"] for row in found["breakpoints"])
    assert len(np.load(out / "pairs.npz", allow_pickle=False)["state"]) == 60
