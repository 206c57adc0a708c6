from __future__ import annotations

import argparse
import json
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from engine.__main__ import main
from engine.commands.error_discovery_files import CORRECTION_COLUMNS
from engine.commands.error_discovery_options import add_options, plan_of, questions
from engine.loading.checkpoints import rebuild, to_safetensors
from engine.methods.error_discovery.image_table import IMAGE_COLUMNS
from engine.methods.error_discovery.region_table import REGION_COLUMNS
from engine.methods.error_discovery.settings import (
    WEIGHTS,
    CorrectionSettings,
    DistillationSettings,
    GeneratorSettings,
    IdentificationSettings,
)
from engine.subject.frame import Frame
from engine.subject.image_set import ArrayPixels, content_ids
from engine.subject.preprocessing import Preprocessing
from engine.subject.subject import Subject, joined
from engine.toolkit.tables import from_csv, to_csv
from engine.workbench import Workbench
from tests.conftest import RED, colour_images, rgb_blueprint
from tests.made import COLOURS, colour_weights

SHORT = ["--epochs", "30", "--dimensions", "6", "--draws", "40", "--agreement", "0", "--no-manifold", "--least", "3"]
SHORT += ["--weights", "0.1", "--steps", "2", "--per-region", "5"]
TABLES = {"summary.json", "regions.csv", "images.csv", "errors.csv", "real_regions.csv", "corrections.csv", "images"}
CLASSES = ("red", "green", "blue")
SPLITS = {"train": 160, "val": 30, "test": 30}
SIDE = 16


class Red:
    """Sees red in everything but what is very pale, which it can't read."""

    classifiers = (None, None)
    fingerprint = "red"

    def labels(self, images):
        return np.where(images.mean(dim=(1, 2, 3)) < 0.35, 0, -1)


def weights() -> dict:
    """Of a network that names colours, but takes pale ones for blue."""
    state = colour_weights(CLASSES)
    state["fc3.bias"][2] = 11.0
    return state


def pictures(seed: int) -> Iterator[tuple[str, str, int, np.ndarray]]:
    """Split, colour, number and pixels of pictures that are more or less pale."""
    random = np.random.default_rng(seed)
    for split, count in SPLITS.items():
        for colour in CLASSES:
            for number in range(count):
                shade = np.array(COLOURS[colour]) * random.uniform(0.55, 1.2) + random.integers(0, 30, 3)
                pixels = shade + random.integers(0, 20, (SIDE, SIDE, 3))
                yield split, colour, number, pixels.clip(0, 255).astype(np.uint8)


def pale_subject(seed: int) -> Subject:
    """The same network with such pictures of this seed, in memory."""
    splits, colours, _, pixels = zip(*pictures(seed), strict=True)
    array = np.stack(pixels)
    roles = np.array([{"val": "diagnosis"}.get(split, split) for split in splits])
    labels = [CLASSES.index(colour) for colour in colours]
    images = colour_images([RED] * len(labels), labels, roles=roles, frame=Frame(3, SIDE, SIDE))
    images = replace(images, pixels=ArrayPixels(array), ids=content_ids([each.tobytes() for each in array]))
    blueprint = rgb_blueprint(architecture="mlp", preprocessing=Preprocessing(3, SIDE, SIDE, (0.0,) * 3, (1.0,) * 3))

    def built(blueprint):
        return rebuild(blueprint, weights())

    return joined(blueprint, images, built)


@pytest.fixture(scope="module")
def known(tmp_path_factory) -> Path:
    """A checkpoint, a folder of pictures, and a data folder in which the search on them is known."""
    folder = tmp_path_factory.mktemp("known")
    torch.save(weights(), folder / "net.pth")
    for split, colour, number, pixels in pictures(0):
        (folder / "photos" / split / colour).mkdir(parents=True, exist_ok=True)
        Image.fromarray(pixels).save(folder / "photos" / split / colour / f"{number}.png")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FAULTLINE_HOME", str(folder / "home"))
        assert main([*words_of(folder), "--out", str(folder / "out")]) == 0
    return folder


def words_of(folder: Path) -> list[str]:
    checkpoint = ["--checkpoint", str(folder / "net.pth"), "--arch", "mlp", "--classes", *CLASSES]
    return ["error-discovery", *checkpoint, "--data", str(folder / "photos"), *SHORT]


@pytest.fixture
def start(known, home) -> Path:
    """The same in the test's own data folder."""
    shutil.copytree(known / "home", home)
    return known


def summary_of(out: Path) -> dict:
    return json.loads((out / "summary.json").read_text())


def rows_of(out: Path, name: str) -> list[dict[str, str]]:
    return from_csv((out / name).read_bytes())


def test_without_labels_it_stops_after_the_tests_and_writes_what_is_to_be_labelled(start):
    out = start / "out"
    assert {each.name for each in out.iterdir()} == TABLES
    found = summary_of(out)
    assert all(0.5 < found["reconstruction"][name] <= 1 for name in ("real", "reconstructed"))
    assert found["identified"] == found["by_seed"][0]["identified"] > 0
    assert (found["readable"], found["precision"], found["correction"]) == (None, None, None)
    assert {"generator", "search", "regions", "tests", "novelty", "real errors", "oracle"} == set(found["seconds"])
    regions, images = rows_of(out, "regions.csv"), rows_of(out, "images.csv")
    assert len(regions) == len(found["regions"]) > 4
    assert {row["predicted_label"] for row in regions} == {"blue"}  # what is pale is taken for it
    assert tuple(regions[0]) == REGION_COLUMNS
    assert tuple(images[0]) == IMAGE_COLUMNS
    assert {row["status"] for row in regions} == {""}
    first = found["regions"][0]
    assert {"region", "label", "prediction", "size", "error_rate", "low", "high", "reproduced"} <= set(first)
    assert first["reproduced"]
    assert 0.5 < first["low"] <= first["error_rate"] <= first["high"]
    assert {row["region_id"] for row in images} == {row["region_id"] for row in regions}
    with Image.open(out / images[0]["file"]) as picture:
        assert picture.size == (SIDE, SIDE)
    assert rows_of(out, "corrections.csv") == []
    assert len(found["real_regions"]) == len(rows_of(out, "real_regions.csv")) > 0


def test_the_filled_in_table_is_what_the_classifier_is_corrected_by(start, tmp_path, capsys):
    rows = rows_of(start / "out", "regions.csv")
    for row in rows[:4]:
        row |= {"status": "error", "assigned_label": row["seed_label_mode"]}
    rows[4]["status"] = "unrecognisable"
    (tmp_path / "labels.csv").write_bytes(to_csv(rows, REGION_COLUMNS))
    out = tmp_path / "out"
    words = [*words_of(start), "--seeds", "2", "--held-out", "0.3", "--labels", str(tmp_path / "labels.csv")]
    assert main([*words, "--out", str(out)]) == 0
    found, runs = summary_of(out), rows_of(out, "corrections.csv")
    assert tuple(runs[0]) == CORRECTION_COLUMNS
    arms = ["before", "continued", "regions", "identified", "identified_mixed", "unlabelled"]
    assert list(found["correction"]["arms"]) == arms
    assert found["correction"]["lambda"] == 0.1
    assert len(runs) == 2 * len(arms)
    for name, arm in found["correction"]["arms"].items():
        assert arm["test"] == pytest.approx(np.mean([float(row["test"]) for row in runs if row["arm"] == name]))
        assert {"test", "regions", "held_out", "fresh", "fresh_wrong"} <= set(arm)
    assert found["correction"]["arms"]["regions"]["labels"] == 4  # four errors and one unreadable, one held out
    assert [row["kind"] for row in found["regions"][:5]] == ["class"] * 4 + ["unreadable"]
    assert found["regions"][0]["given"] == found["regions"][0]["label"]
    assert found["labelled_by"] == "imported"
    written = {row["region_id"]: row for row in rows_of(out, "regions.csv")}
    held = set(runs[0]["held"].split())
    assert len(held) == 1
    assert {number for number, row in written.items() if row["split"] == "held_out"} == held
    assert [row["status"] for row in written.values()] == [row["status"] for row in rows]
    said = capsys.readouterr().out
    for part in ("Seeds differ in the order of training alone", "Accuracy on test went from", "Before, weight 0"):
        assert part in said


def test_what_was_split_by_hand_is_split_before_its_labels_are_read(start, tmp_path):
    rows = rows_of(start / "out", "regions.csv")
    heirs = [{**rows[0], "region_id": len(rows) + number} for number in range(2)]
    kept = [row | {"edits": "split 0", "status": "mixed"} for row in [*rows[1:], *heirs]]
    (tmp_path / "labels.csv").write_bytes(to_csv(kept, REGION_COLUMNS))
    out = tmp_path / "out"
    words = [*words_of(start), "--labels", str(tmp_path / "labels.csv"), "--out", str(out)]
    assert main(words) == 0
    again = rows_of(out, "regions.csv")
    assert [row["region_id"] for row in again] == [str(row["region_id"]) for row in kept]
    assert {row["edits"] for row in again} == {"split 0"}
    assert sum(int(row["n_support"]) for row in again) == sum(int(row["n_support"]) for row in rows)
    assert int(again[-2]["n_support"]) + int(again[-1]["n_support"]) == int(rows[0]["n_support"])


def test_an_oracle_that_takes_the_classifiers_side_leaves_nothing_to_correct(start, tmp_path, capsys):
    out = tmp_path / "out"
    assert main([*words_of(start), "--oracle", str(sure(tmp_path)), "--out", str(out)]) == 0
    found = summary_of(out)
    assert found["precision"] == 0
    assert 0 < found["readable"] <= 1
    assert found["correction"] is None
    assert set(found["by_seed"][0]["labelled"]) <= {"model_right", "mixed", "unreadable"}
    assert found["labelled_by"] == "oracle of 1"
    assert "there is nothing to correct" in capsys.readouterr().out


def sure(folder: Path) -> Path:
    """The same network, only surer, in a file that tells everything."""
    state = weights()
    state["fc3.weight"] *= 10
    state["fc3.bias"] *= 10
    preprocessing = Preprocessing(3, SIDE, SIDE, (0.0,) * 3, (1.0,) * 3)
    classifier = rebuild(rgb_blueprint(architecture="mlp", preprocessing=preprocessing), state)
    (folder / "oracle.safetensors").write_bytes(to_safetensors(classifier))
    return folder / "oracle.safetensors"


def test_each_seed_of_a_built_in_example_has_data_and_classifier_of_its_own(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(Workbench, "demo_panel", lambda *_: Red())
    monkeypatch.setattr(Workbench, "demo_subject", lambda _self, _name, seed, _progress: pale_subject(seed))
    words = ["error-discovery", "--demo", "digits", *SHORT, "--seeds", "2", "--first-seed", "1", "--oracle", "demo"]
    assert main([*words, "--out", str(tmp_path / "out")]) == 0
    found = summary_of(tmp_path / "out")
    assert found["seeds"] == [1, 2]
    first, second = found["by_seed"]
    assert (first["seed"], second["seed"]) == (1, 2)
    assert first["funnel"] != second["funnel"]
    assert found["identified"] == np.mean([first["identified"], second["identified"]])
    assert found["precision"] == 1
    assert 0.5 < found["readable"] <= 1
    assert {row["seed"] for row in found["regions"]} == {1, 2}
    assert found["correction"]["arms"]["regions"]["vs_continued"]["test"]["n"] == 2
    assert {row["seed"] for row in rows_of(tmp_path / "out", "corrections.csv")} == {"1", "2"}
    said = capsys.readouterr().out
    assert "Each seed drew data and classifier anew." in said
    assert "Seed 1: " in said
    assert "Seed 2: " in said


def test_every_option_reaches_the_settings():
    parser = argparse.ArgumentParser()
    parser.add_argument("--demo")
    add_options(parser)
    plan = plan_of(parser.parse_args([]))
    assert (plan.generator, plan.search, plan.grouping) == (
        GeneratorSettings(),
        IdentificationSettings(),
        DistillationSettings(),
    )
    assert plan.correction == CorrectionSettings()
    assert (plan.weights, plan.seeds) == (WEIGHTS, range(3))
    words = "--dimensions 5 --epochs 3 --plain --noise beta --scale 0.4 --draws 7 --agreement 0 --no-manifold"
    words += " --no-reconstruction --grouping hdbscan --components 4 --least 5 --weights 1,0.1 --steps 9"
    words += " --learning-rate 0.01 --per-region 8 --held-out 0.5 --seeds 2 --first-seed 6"
    plan = plan_of(parser.parse_args(words.split()))
    assert plan.generator == GeneratorSettings(dimensions=5, epochs=3, conditional=False)
    assert plan.search == IdentificationSettings(
        noise="beta", scale=0.4, draws=7, agreement=0, manifold=False, reconstruction=False
    )
    assert plan.testing.agreement == plan.search.agreement
    assert plan.grouping == DistillationSettings("hdbscan", components=4, least=5)
    assert plan.correction == CorrectionSettings(steps=9, learning_rate=0.01, per_region=8, held_out=0.5)
    assert (plan.weights, plan.seeds) == ((0.1, 1.0), range(6, 8))
    asked = questions(plan.of(3), range(3, 4))
    assert {(each.seed, each.order) for each in asked} == {(3, 3)}
    assert [(each.arm, each.weight) for each in asked[:3]] == [("before", 0), ("continued", 0), ("identified", 1)]
    assert len(asked) == 3 + 3 * 2


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--seeds", "0"], "--seeds must be at least 1"),
        (["--weights", "0,1"], "--weights must be above 0"),
        (["--weights", "much"], "--weights takes numbers with commas between, got 'much'"),
        (["--oracle", "demo", "--labels", "x.csv"], "give --oracle or --labels, not both"),
        (["--labels", "x.csv"], "add --seeds 1"),
        (["--oracle", "gone.pt"], "there is no file gone.pt"),
        (["--labels", "gone.csv", "--seeds", "1"], "gone.csv"),
        (["--scale", "0"], "scale must be above 0"),
        (["--epochs", "0"], "epochs and patience 1"),
        (["--held-out", "1"], "held_out between 0 and 1"),
    ],
)
def test_what_cannot_be_is_one_sentence(words, message, tmp_path, capsys):
    assert main(["error-discovery", "--demo", "digits", *words, "--out", str(tmp_path / "out")]) == 2
    assert message in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_the_backgrounds_have_no_oracle(tmp_path, capsys):
    words = ["error-discovery", "--demo", "backgrounds", "--oracle", "demo", "--out", str(tmp_path / "out")]
    assert main(words) == 2
    assert "the example backgrounds has no oracle of its own" in capsys.readouterr().err
