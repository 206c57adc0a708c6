from __future__ import annotations

import pytest
import torch

from engine.loading.open_checkpoint import CheckpointOptions, examine, open_checkpoint
from engine.subject.frame import Frame
from engine.workbench import DEMOS
from tests.conftest import RED, colour_images
from tests.made import colour_weights


@pytest.fixture
def file(tmp_path):
    torch.save(colour_weights(), tmp_path / "colours.pth")
    return tmp_path / "colours.pth"


def test_what_fits_is_found_and_opened_without_a_word(file):
    assert examine(file).architectures == ("mlp",)
    classifier = open_checkpoint(file, CheckpointOptions())
    assert classifier.blueprint.architecture == "mlp"
    assert classifier.blueprint.name == "colours"
    assert classifier.classes == ("0", "1", "2")


def test_class_names_come_from_the_person_then_the_file_then_the_data(file, tmp_path):
    images = colour_images([RED], [0])
    assert open_checkpoint(file, CheckpointOptions(), images).classes == ("red", "green", "blue")
    said = CheckpointOptions(classes=("r", "g", "b"))
    assert open_checkpoint(file, said, images).classes == ("r", "g", "b")
    torch.save({"state_dict": colour_weights(), "classes": ["x", "y", "z"]}, tmp_path / "named.pth")
    assert open_checkpoint(tmp_path / "named.pth", CheckpointOptions(), images).classes == ("x", "y", "z")


def test_a_net_of_our_own_takes_small_data_at_its_own_size_and_large_data_at_the_usual_one(file):
    small = colour_images([RED], [0])
    assert open_checkpoint(file, CheckpointOptions(), small).blueprint.preprocessing.height == 8
    large = small.in_frame(Frame(3, 600, 800))
    assert open_checkpoint(file, CheckpointOptions(), large).blueprint.preprocessing.height == 28


def test_what_a_person_says_of_the_preprocessing_wins(file):
    said = CheckpointOptions(
        height=20, width=24, mean=(0.1, 0.2, 0.3), std=(0.5,) * 3, interpolation="bicubic", crop_share=0.5
    )
    found = open_checkpoint(file, said).blueprint.preprocessing
    assert (found.height, found.width, found.mean, found.std) == (20, 24, (0.1, 0.2, 0.3), (0.5,) * 3)
    assert (found.interpolation, found.crop_share) == ("bicubic", 0.5)


def test_weights_that_fit_nothing_ask_for_the_architecture(tmp_path):
    torch.save({"layer.weight": torch.zeros(3, 7)}, tmp_path / "odd.pth")
    with pytest.raises(ValueError, match=r"odd\.pth: no architecture fits these weights exactly"):
        open_checkpoint(tmp_path / "odd.pth", CheckpointOptions())


def test_weights_that_fit_several_ask_which(file, monkeypatch):
    monkeypatch.setattr("engine.loading.checkpoints.fitting_architectures", lambda checkpoint: ["mlp", "twin"])
    with pytest.raises(ValueError, match=r"several architectures fit these weights \(mlp, twin\); say which it is"):
        open_checkpoint(file, CheckpointOptions())


def test_the_workbench_names_the_demos_that_there_are():
    from engine.loading import demos

    assert demos.NAMES == DEMOS
