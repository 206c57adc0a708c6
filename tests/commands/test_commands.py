from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch

from engine.__main__ import main
from engine.toolkit.tables import from_csv
from tests.made import colour_folder, colour_weights, picture

ROOT = Path(__file__).parents[2]
NAMES = ["--classes", "red", "green", "blue"]


@pytest.fixture
def made(tmp_path):
    """The options that load a checkpoint and a folder made for it."""
    torch.save(colour_weights(), tmp_path / "colours.pth")
    colour_folder(tmp_path / "photos", each=12)
    return ["--checkpoint", str(tmp_path / "colours.pth"), "--arch", "mlp", "--data", str(tmp_path / "photos"), *NAMES]


def summary_of(out: Path) -> dict:
    return json.loads((out / "summary.json").read_text())


def test_evaluate_finds_the_one_image_in_the_wrong_folder(made, tmp_path, capsys):
    out = tmp_path / "out"
    assert main(["evaluate", *made, "--role", "all", "--out", str(out)]) == 0
    blocks = summary_of(out)["roles"]
    held_back = [block for role, block in blocks.items() if role != "train"]
    assert sum(block["n"] for block in held_back) == 36
    assert sum(sum(map(sum, block["confusion"])) for block in held_back) == 36
    assert blocks["train"]["accuracy"] == 1.0
    assert blocks["train"]["accuracy_low"] < 1.0 == blocks["train"]["accuracy_high"]
    wrong = [row for row in from_csv((out / "predictions.csv").read_bytes()) if row["is_error"] == "true"]
    assert [(row["file_name"], row["label"], row["prediction"]) for row in wrong] == [
        ("test/red/green.png", "red", "green")
    ]
    assert float(wrong[0]["margin"]) < 0 < float(wrong[0]["loss"])
    assert "It is right on" in capsys.readouterr().out


def test_one_role_gives_one_block_with_everything_promised(made, tmp_path):
    out = tmp_path / "out"
    assert main(["evaluate", *made, "--out", str(out)]) == 0
    found = summary_of(out)
    for name in ("n", "accuracy", "accuracy_low", "accuracy_high", "per_class", "confusion", "seconds"):
        assert name in found
    assert found["role"] == "test"
    assert found["classes"] == ["red", "green", "blue"]
    rows = from_csv((out / "predictions.csv").read_bytes())
    assert {"file_name", "label", "prediction", "confidence"} <= set(rows[0])
    assert len(rows) == found["n"]


def test_the_same_question_is_answered_from_the_store_the_second_time(made, tmp_path, monkeypatch):
    assert main(["evaluate", *made, "--out", str(tmp_path / "first")]) == 0

    def forbidden(*arguments):
        raise AssertionError("computed twice")

    monkeypatch.setattr("engine.methods.evaluation.evaluate.evaluate", forbidden)
    assert main(["evaluate", *made, "--out", str(tmp_path / "second")]) == 0
    assert summary_of(tmp_path / "first") == summary_of(tmp_path / "second")


def test_class_names_are_matched_to_folders_by_name_not_by_order(made, tmp_path):
    mixed = [*made[:6], "--classes", "blue", "green", "red"]
    assert main(["evaluate", *mixed, "--role", "train", "--out", str(tmp_path / "out")]) == 0
    assert summary_of(tmp_path / "out")["accuracy"] == pytest.approx(1 / 3)  # only green is where it says


def test_predict_needs_no_labels_and_lists_what_is_no_image(tmp_path):
    torch.save(colour_weights(), tmp_path / "colours.pth")
    folder = tmp_path / "loose"
    folder.mkdir()
    for number, colour in enumerate(("red", "blue")):
        picture(colour, number).save(folder / f"{colour}.png")
    (folder / "note.png").write_text("this is no picture")
    words = ["predict", "--checkpoint", str(tmp_path / "colours.pth"), "--arch", "mlp", "--data", str(folder), *NAMES]
    assert main([*words, "--out", str(tmp_path / "out")]) == 0
    rows = from_csv((tmp_path / "out" / "predictions.csv").read_bytes())
    assert {row["file_name"]: row["prediction"] for row in rows} == {"red.png": "red", "blue.png": "blue"}
    assert rows[0]["class_1"] == rows[0]["prediction"]
    assert float(rows[0]["confidence_1"]) > float(rows[0]["confidence_2"])


def test_one_image_is_enough_to_predict(tmp_path):
    torch.save(colour_weights(), tmp_path / "colours.pth")
    picture("green", 0).save(tmp_path / "one.png")
    words = ["predict", "--checkpoint", str(tmp_path / "colours.pth"), "--arch", "mlp", *NAMES]
    assert main([*words, "--data", str(tmp_path / "one.png"), "--out", str(tmp_path / "out")]) == 0
    assert from_csv((tmp_path / "out" / "predictions.csv").read_bytes())[0]["prediction"] == "green"


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"--arch": "resnet18"}, "the weights of colours.pth don't fit resnet18"),
        ({"--arch": "resnet81"}, "there is no architecture called 'resnet81'; did you mean resnet18"),
        ({"--data": "nowhere"}, "there is nothing at"),
        ({"--checkpoint": "nothing.pth"}, "there is no file nothing.pth"),
        ({"--classes": "red"}, "tells 3 classes apart, but 1 name was given"),
        ({"--size": "0"}, "the input size must lie in 1 to 4096 pixels"),
        ({"--mean": "0.5"}, "mean needs 3 numbers"),
        ({"--rename": "red"}, "--rename takes OLD=NEW, got 'red'"),
        ({"--demo": "digits"}, "give --demo, or --checkpoint and --data, not both"),
    ],
)
def test_bad_input_is_one_sentence_and_exit_code_2(made, tmp_path, capsys, change, said):
    words = [word for word in made if word not in NAMES]
    options = dict(zip(words[::2], words[1::2], strict=True)) | {"--classes": "red green blue"} | change
    words = [word for name, value in options.items() for word in (name, *value.split(" "))]
    assert main(["evaluate", *words, "--out", str(tmp_path / "out")]) == 2
    error = capsys.readouterr().err
    assert said in error
    assert "Traceback" not in error
    assert not (tmp_path / "out").exists()


def test_a_role_without_images_says_what_there_is(tmp_path, capsys):
    torch.save(colour_weights(), tmp_path / "colours.pth")
    colour_folder(tmp_path / "photos", splits=("train",))
    words = ["--checkpoint", str(tmp_path / "colours.pth"), "--arch", "mlp", "--data", str(tmp_path / "photos"), *NAMES]
    assert main(["evaluate", *words, "--out", str(tmp_path / "out")]) == 2
    assert "no image has the role 'test'; photos has 18 train" in capsys.readouterr().err


def test_the_help_has_examples_and_every_command(capsys):
    with pytest.raises(SystemExit) as stopped:
        main(["--help"])
    said = capsys.readouterr().out
    assert stopped.value.code == 0
    for word in ("evaluate", "predict", "train-demo", "examples:", "--role all"):
        assert word in said


def test_as_a_program_it_shows_a_bar_and_ends_with_the_code(made, tmp_path):
    command = [sys.executable, "-m", "engine", "evaluate", *made, "--out", str(tmp_path / "out")]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "100%" in done.stderr
    command[command.index("mlp")] = "nonsense"
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert done.stderr.splitlines()[-1].startswith("error: there is no architecture called 'nonsense'")


def test_ctrl_c_stops_the_job_and_says_that_it_can_be_resumed(made, tmp_path, capsys, home, monkeypatch):
    from engine.commands import waiting
    from engine.runs.run import Outcome
    from engine.runs.store import Store

    def slow(subject, settings, progress):
        for _ in progress.steps(10_000, "waiting"):
            time.sleep(0.01)

    class Interrupted(waiting.Bar):
        def report(self, fraction, label):
            if 0 < fraction < 1 and label == "waiting" and not self.bar.disable:
                self.bar.disable = True
                raise KeyboardInterrupt

    monkeypatch.setattr("engine.methods.evaluation.evaluate.evaluate", slow)
    monkeypatch.setattr(waiting, "Bar", Interrupted)
    assert main(["evaluate", *made, "--out", str(tmp_path / "out")]) == 130
    assert "the same command resumes" in capsys.readouterr().err
    (entry,) = Store(home).register.entries()
    assert entry.outcome == Outcome.CANCELLED


def test_help_does_not_wait_for_pytorch():
    asked = "import sys, engine.__main__; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", asked], cwd=ROOT, check=False).returncode == 0
