from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from engine.__main__ import main
from engine.methods.cam_training.export import CAM_COLUMNS
from engine.runs.shelf import TEST_OPENED
from engine.toolkit.tables import from_csv
from engine.workbench import Workbench

FILES = {"summary.json", "maps.npz", "maps.csv", "sheet.png"}


@pytest.fixture(scope="module")
def one_home(tmp_path_factory):
    return tmp_path_factory.mktemp("home")


@pytest.fixture(autouse=True)
def drawn_once(home, one_home, monkeypatch):
    """The built-in data is drawn once for all of these tests, which takes seconds."""
    monkeypatch.setenv("FAULTLINE_HOME", str(one_home))


def looked(out: Path, words: str) -> dict:
    assert main(["cam", *words.split(), "--out", str(out)]) == 0
    return json.loads((out / "summary.json").read_text())


def test_on_the_planted_backgrounds_it_looks_beside_the_plates(tmp_path, capsys):
    out = tmp_path / "out"
    found = looked(out, "--demo backgrounds --masks planted --of label --images 60")
    assert {file.name for file in out.iterdir()} == FILES
    assert (found["n"], found["method"], found["exact"], found["role"]) == (60, "cam", True, "diagnosis")
    assert found["area"]["mean"] == pytest.approx((18 / 32) ** 2)
    assert found["energy_inside"]["high"] < 0.2
    assert found["corrected"]["high"] < 0
    assert found["pointing"]["mean"] < 0.1
    assert found["outside"]["low"] > 0.8
    assert found["seconds"] > 0
    said = capsys.readouterr().out
    assert "exact" in said
    assert "less than by chance" in said
    with np.load(out / "maps.npz", allow_pickle=False) as maps:
        assert maps["maps"].shape == (60, *found["cells"])
        assert str(maps["method"]) == "cam"
    rows = from_csv((out / "maps.csv").read_bytes())
    assert tuple(rows[0]) == CAM_COLUMNS
    energy = [float(row["energy"]) for row in rows]
    assert energy == sorted(energy)
    assert len(energy) == 60
    assert np.mean(energy) == pytest.approx(found["energy_inside"]["mean"], abs=1e-5)
    assert Image.open(out / "sheet.png").width > 1000


def test_on_the_digits_hiding_what_it_looks_at_costs_accuracy(tmp_path, capsys):
    found = looked(
        tmp_path / "out", "--demo digits --method hirescam --images 80 --mask ellipse --mask-box 0.1 0.1 0.9 0.9"
    )
    assert (found["method"], found["of"], found["against"]) == ("hirescam", "prediction", "rest")
    assert [each["share"] for each in found["hiding"]] == [0.05, 0.1, 0.2, 0.4]
    assert found["hiding"][2]["difference"]["low"] > 0
    assert found["hiding"][2]["hot"]["value"] < found["hiding"][2]["elsewhere"]["mean"]
    assert sum(group["n"] for group in found["groups"]) == 80
    assert "costs more accuracy" in capsys.readouterr().out


def test_a_class_is_named_and_maps_are_kept(tmp_path, monkeypatch):
    words = "--demo backgrounds --images 20 --of 8 --against nothing --mask border --forbidden inside"
    first = looked(tmp_path / "first", words)
    assert (first["of"], first["against"]) == ("1", "")

    def refused(*arguments):
        raise AssertionError("computed twice")

    for name in ("cams.cams", "hiding.hiding", "groups.groups"):
        monkeypatch.setattr(f"engine.methods.cam_training.{name}", refused)
    assert looked(tmp_path / "second", words) == first


def test_masks_of_single_images_come_from_a_table_or_a_folder(tmp_path, capsys):
    words = "--demo backgrounds --role pool --images 5000"
    whole = looked(tmp_path / "whole", f"{words} --mask box --mask-size 0.5")
    names = [row["file_name"] for row in from_csv((tmp_path / "whole" / "maps.csv").read_bytes())]
    table = "file_name,top,left,bottom,right\nstrange.png,0,0,1,1\n" + "".join(f"{name},8,8,24,24\n" for name in names)
    (tmp_path / "boxes.csv").write_text(table)
    box = np.zeros((32, 32), np.uint8)
    box[8:24, 8:24] = 255
    for name in names:
        (tmp_path / "masks" / name).parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(box).save(tmp_path / "masks" / name)
    capsys.readouterr()
    tabled = looked(tmp_path / "tabled", f"{words} --masks {tmp_path / 'boxes.csv'}")
    assert "1 masks were skipped: strange.png: line 2: no image has this name" in capsys.readouterr().err
    folded = looked(tmp_path / "folded", f"{words} --masks {tmp_path / 'masks'}")
    one = looked(tmp_path / "one", f"{words} --masks {tmp_path / 'masks' / names[0]}")
    assert tabled["energy_inside"] == folded["energy_inside"] == one["energy_inside"] == whole["energy_inside"]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("--masks planted", "only --demo backgrounds has planted masks"),
        ("--masks nowhere", "there is no folder nowhere"),
        ("--masks nowhere.csv", "No such file"),
        ("--masks planted --mask box", "give --masks, or --mask with its size or box, not both"),
        ("--mask box --mask-box 0 0 1 1", "--mask-box is for --mask rectangle and ellipse"),
        ("--mask ellipse --mask-size 0.3", "takes --mask-box, not --mask-size"),
        ("--mask rectangle --mask-box 0.5 0 0.2 1", "the box must lie in the image"),
        ("--mask-size 1", "the mask allows the whole image"),
        ("--mask border --mask-size 0.5", "the mask forbids the whole image"),
        ("--mask-size 2", "size must lie in 0 to 1"),
        ("--of cat", "there is no class 'cat'; there are 0, 1, 2"),
        ("--of label --against label", "the contrast of label against itself is nothing"),
        ("--images 0", "images must be at least 1"),
    ],
)
def test_bad_input_is_one_sentence_and_exit_code_2(words, said, tmp_path, capsys):
    assert main(["cam", "--demo", "digits", "--images", "20", *words.split(), "--out", str(tmp_path / "out")]) == 2
    error = capsys.readouterr().err
    assert said in error
    assert "Traceback" not in error
    assert not (tmp_path / "out").exists()


def test_images_without_a_mask_are_counted(tmp_path, capsys):
    (tmp_path / "boxes.csv").write_text("file_name,top,left,bottom,right\ndiagnosis/3_0961_0.png,8,8,24,24\n")
    words = ["--demo", "backgrounds", "--masks", str(tmp_path / "boxes.csv"), "--images", "20"]
    assert main(["cam", *words, "--out", str(tmp_path / "out")]) == 2
    assert "of 20 images have no mask of their own" in capsys.readouterr().err


def test_test_images_on_a_sheet_count_as_opened(tmp_path):
    looked(tmp_path / "out", "--demo backgrounds --role test --images 8")
    bench = Workbench()
    dataset = bench.open_demo("backgrounds").dataset
    assert len(bench.store.shelf.events(TEST_OPENED, dataset)) == 1
    looked(tmp_path / "other", "--demo backgrounds --images 8")
    assert len(bench.store.shelf.events(TEST_OPENED, dataset)) == 1


def test_by_a_rule_that_adds_up_to_nothing_no_share_from_outside_is_told(tmp_path, capsys):
    found = looked(tmp_path / "out", "--demo backgrounds --images 10 --method layercam")
    assert "outside" not in found
    assert found["unit"] == "logits"
    said = capsys.readouterr().out
    assert "by this rule a map doesn't add up to the score" in said
    assert "comes from where it may not look" not in said
    with (tmp_path / "out" / "maps.csv").open() as file:
        assert {row["outside"] for row in csv.DictReader(file)} == {""}
