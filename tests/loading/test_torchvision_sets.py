"""torchvision's data sets from a local root, without and with a network that refuses."""

from types import SimpleNamespace
from urllib.error import URLError

import numpy as np
import pytest

from engine.loading import torchvision_sets
from engine.loading.data_options import DataOptions
from engine.loading.datasets import load_images
from engine.loading.torchvision_sets import SETS, download
from tests.loading.test_idx import IMAGES, pair

COLOUR = np.random.default_rng(1).integers(0, 256, (4, 8, 6, 3), dtype=np.uint8)


def test_mnist_from_torchvisions_own_folder(tmp_path):
    for stem in ("train", "t10k"):
        pair(tmp_path / "MNIST" / "raw", stem, labels=(0, 1, 2, 9, 9, 2), packed="")
    images = load_images(tmp_path, DataOptions(torchvision="MNIST", seen="yes"))
    assert images.classes == tuple("0123456789")
    assert images.labels[:6].tolist() == [0, 1, 2, 9, 9, 2]
    assert (images.roles == "train").tolist() == [True] * 6 + [False] * 6
    assert images.seen.tolist() == [1] * 6 + [0] * 6
    np.testing.assert_array_equal(images.read(range(6))[:, 0], IMAGES)
    assert images.name == "MNIST"


def test_emnist_letters_are_upright_and_begin_with_a(tmp_path):
    for part in ("train", "test"):
        pair(tmp_path / "EMNIST" / "raw", f"emnist-letters-{part}", labels=(1, 2, 3, 26, 1, 1), packed="")
    images = load_images(tmp_path, DataOptions(torchvision="EMNIST/letters"))
    assert images.classes == tuple("abcdefghijklmnopqrstuvwxyz")
    assert images.labels[:6].tolist() == [0, 1, 2, 25, 0, 0]
    np.testing.assert_array_equal(images.read(range(6))[:, 0], IMAGES.transpose(0, 2, 1))


@pytest.mark.parametrize(
    ("name", "part"),
    [
        ("CIFAR10", SimpleNamespace(data=COLOUR, targets=[0, 1, 1, 0], classes=["plane", "car"])),
        ("SVHN", SimpleNamespace(data=COLOUR.transpose(0, 3, 1, 2), labels=np.array([0, 1, 1, 0]))),
        (
            "STL10",
            SimpleNamespace(data=COLOUR.transpose(0, 3, 1, 2), labels=np.array([0, 1, 1, 0]), classes=["a", "b"]),
        ),
    ],
)
def test_colour_sets_have_their_channels_last(tmp_path, monkeypatch, name, part):
    monkeypatch.setattr(torchvision_sets, "opened", lambda *_, **__: part)
    images = load_images(tmp_path, DataOptions(torchvision=name))
    np.testing.assert_array_equal(images.read(range(4)), COLOUR.transpose(0, 3, 1, 2))
    assert images.labels[:4].tolist() == [0, 1, 1, 0]
    assert images.classes == tuple(getattr(part, "classes", ("0", "1")))


@pytest.mark.parametrize("name", SETS)
def test_what_is_not_on_disk_is_named_and_not_fetched(tmp_path, name, monkeypatch):
    monkeypatch.setattr("urllib.request.urlopen", lambda *_, **__: pytest.fail("asked the network"))
    with pytest.raises(ValueError, match=f"torchvision finds no whole {name} in .*; download it there"):
        load_images(tmp_path, DataOptions(torchvision=name))
    assert not list(tmp_path.rglob("*.gz"))


def test_a_network_that_refuses_is_said_in_a_sentence(tmp_path, monkeypatch):
    def refuse(*_, **__):
        raise URLError("no route to host")

    monkeypatch.setattr("urllib.request.urlopen", refuse)
    for name in ("MNIST", "CIFAR10"):
        with pytest.raises(
            ValueError, match=rf"{name} could not be downloaded \(.*no route to host.*\); fetch it where"
        ):
            download(name, tmp_path)
