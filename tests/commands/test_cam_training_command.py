from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from engine.__main__ import main
from engine.commands.cam_training_files import COLUMNS
from engine.loading.architectures import build
from engine.loading.checkpoints import from_safetensors
from engine.toolkit.seeding import seeded
from engine.toolkit.tables import from_csv
from tests.methods.cam_training.planted import CLASSES, picture

PARTS = ("unchanged", "swapped", "unseen", "off_centre")
SHORT = ["--epochs", "1", "--batch-size", "64"]


def summary_of(out: Path) -> dict:
    return json.loads((out / "summary.json").read_text())


def rows_of(out: Path) -> list[dict[str, str]]:
    return from_csv((out / "runs.csv").read_bytes())


@pytest.fixture
def own_data(tmp_path) -> list[str]:
    """A checkpoint that has learned nothing, and a folder of stripes on the colour of their class."""
    random = np.random.default_rng(0)
    for split, count in (("train", 24), ("test", 12)):
        for label, name in enumerate(CLASSES):
            folder = tmp_path / "photos" / split / name
            folder.mkdir(parents=True)
            for number in range(count):
                Image.fromarray(picture(label, label, random)).resize((32, 32)).save(folder / f"{number}.png")
    with seeded(0):
        torch.save(build("plate_cnn", 2, 3).state_dict(), tmp_path / "net.pth")
    said = [
        "--arch",
        "plate_cnn",
        "--size",
        "32",
        "--mean",
        *["0.5"] * 3,
        "--std",
        *["0.25"] * 3,
        "--classes",
        *CLASSES,
    ]
    return ["cam-training", "--checkpoint", str(tmp_path / "net.pth"), "--data", str(tmp_path / "photos"), *said]


def test_the_built_in_example_is_drawn_anew_for_each_seed_and_every_arm_is_compared(tmp_path, capsys):
    out = tmp_path / "out"
    assert main(["cam-training", "--demo", "backgrounds", "--seeds", "2", *SHORT, "--out", str(out)]) == 0
    assert {file.name for file in out.iterdir()} == {"summary.json", "runs.csv", "cam.safetensors"}
    found = summary_of(out)
    assert list(found["arms"]) == ["default", "cam", "crop", "decorrelated"]
    for name, arm in found["arms"].items():
        assert set(arm) >= {*PARTS, "energy_inside", "flips"}
        assert all(0 <= arm[figure] <= 1 for figure in (*PARTS, "flips"))
        assert (arm["energy_inside"] is None) == (name == "crop")
    difference = found["arms"]["cam"]["swapped"] - found["arms"]["default"]["swapped"]
    assert found["gap"] == pytest.approx(difference)
    assert found["gap_low"] <= found["gap"] <= found["gap_high"]
    assert (found["n"], found["p"], found["left_out"], found["made"]) == (2, None, {}, [])
    assert 0 < found["step_ratio_low"] <= found["step_ratio"] <= found["step_ratio_high"]
    rows = rows_of(out)
    assert tuple(rows[0]) == COLUMNS
    assert len(rows) == 4 * 2 * 4
    assert {row["role"] for row in rows} == {found["role"]} == {"test"}
    assert {row["arm"] for row in rows if not row["energy_inside"]} == {"crop"}
    assert (found["images_shared"], found["image_low"]) == (False, None)
    accuracy = np.mean([float(row["accuracy"]) for row in rows if (row["arm"], row["part"]) == ("cam", "unseen")])
    assert accuracy == pytest.approx(found["arms"]["cam"]["unseen"])
    assert len({row["run"] for row in rows}) == 8
    said = capsys.readouterr().out
    assert "CAM training" in said
    assert "A training step takes" in said
    classifier = from_safetensors((out / "cam.safetensors").read_bytes())
    assert classifier.classes == ("3", "8")
    assert classifier.blueprint.name == "planted backgrounds, CAM-trained"
    # asked again, the same trainings are known
    assert main(["cam-training", "--demo", "backgrounds", "--seeds", "2", *SHORT, "--out", str(tmp_path / "b")]) == 0
    assert summary_of(tmp_path / "b")["arms"] == found["arms"]
    assert [row["run"] for row in rows_of(tmp_path / "b")] == [row["run"] for row in rows]


def test_own_data_have_their_backgrounds_swapped_and_are_told_to(own_data, tmp_path, capsys):
    out = tmp_path / "out"
    words = ["--seeds", "1", "--first-seed", "3", "--arms", "cam,default", *SHORT, "--out", str(out)]
    assert main([*own_data, *words]) == 0
    found = summary_of(out)
    assert found["made"] == ["swapped", "unseen", "off_centre"]
    assert found["seeds"] == [3]
    assert (found["wins"] in (0, 1), found["n"], found["gap_low"]) == (True, 1, None)
    assert list(found["arms"]) == ["default", "cam"]
    said = capsys.readouterr().out
    assert "with one seed, which is too few" in said
    assert "pasted together with the mask" in said


def test_arms_that_make_no_sense_are_left_out_and_said_unless_they_were_named(own_data, tmp_path, capsys):
    words = ["--seeds", "1", "--mask", "border", "--forbidden", "inside", *SHORT, "--out", str(tmp_path / "out")]
    assert main([*own_data, *words]) == 0
    found = summary_of(tmp_path / "out")
    assert list(found["arms"]) == ["default", "cam", "decorrelated"]
    assert list(found["left_out"]) == ["crop"]
    assert "reaches to all four edges" in found["left_out"]["crop"]
    assert main([*own_data, *words, "--arms", "default,crop"]) == 2
    assert "reaches to all four edges" in capsys.readouterr().err


def test_planted_masks_follow_the_data_of_each_seed(tmp_path):
    out = tmp_path / "out"
    words = ["--first-seed", "1", "--seeds", "1", "--masks", "planted", "--arms", "default,cam", *SHORT]
    assert main(["cam-training", "--demo", "backgrounds", *words, "--out", str(out)]) == 0
    assert summary_of(out)["seeds"] == [1]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--seeds", "0"], "--seeds must be at least 1"),
        (["--arms", "cam,best"], "there is no arm 'best'; there are default, cam, crop, decorrelated"),
        (["--weight", "-1"], "weight must be at least 0"),
        (["--begin", "0.5", "--end", "0.5"], "from one share of the steps to a later"),
        (["--mask-size", "1"], "the mask allows the whole image"),
    ],
)
def test_what_cannot_be_is_one_sentence(words, message, tmp_path, capsys):
    assert main(["cam-training", "--demo", "backgrounds", *SHORT, *words, "--out", str(tmp_path / "out")]) == 2
    assert message in capsys.readouterr().err
    assert not (tmp_path / "out").exists()
