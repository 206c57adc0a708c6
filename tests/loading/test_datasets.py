"""The front door: options about classes, odd paths, and what is asked of it before anything is read."""

import json
import os
import subprocess
import sys

import numpy as np
import pytest

from engine.loading.data_options import DataOptions
from engine.loading.datasets import load_images, signature
from engine.loading.image_files import FilePixels
from engine.subject.image_set import ArrayPixels
from tests.loading.pictures import labels_of, pictures


@pytest.fixture
def animals(tmp_path):
    return pictures(tmp_path / "animals", "cat/1.png", "dog/1.png", "emu/1.png", "emu/2.png")


def test_classes_are_left_out_renamed_and_ordered(animals):
    images = load_images(animals, DataOptions(left_out=("dog",), renamed={"emu": "bird"}, order=("cat", "bird")))
    assert images.classes == ("cat", "bird")
    assert labels_of(images) == {"cat/1.png": "cat", "emu/1.png": "bird", "emu/2.png": "bird"}
    assert "Images left out with their classes (dog): 1." in images.remarks
    assert images.read([0, 1, 2]).shape == (3, 3, 6, 6)
    other = load_images(animals, DataOptions(order=("emu", "cat", "dog")))
    assert labels_of(other) == labels_of(load_images(animals, DataOptions()))
    assert other.labels.tolist() == [1, 2, 0, 0]


def test_classes_of_arrays_are_chosen_too(tmp_path):
    levels = np.arange(4, dtype=np.uint8)[:, None, None].repeat(3, 1).repeat(3, 2)
    np.savez(tmp_path / "set.npz", images=levels, labels=[0, 1, 2, 1])
    images = load_images(tmp_path / "set.npz", DataOptions(left_out=("0",), renamed={"1": "one"}, order=("2", "one")))
    assert images.classes == ("2", "one")
    assert images.labels.tolist() == [1, 0, 1]
    assert images.read(range(3))[:, 0, 0, 0].tolist() == [1, 2, 3]
    assert images.names.tolist() == ["images/00001.png", "images/00002.png", "images/00003.png"]
    assert isinstance(images.pixels, ArrayPixels)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"left_out": ["cow"]}, "the data has no class 'cow'; it has cat, dog, emu"),
        ({"renamed": {"cow": "cat"}}, "the data has no class 'cow'"),
        ({"renamed": {"dog": "cat"}}, "two classes would be called cat; give each a name of its own"),
        ({"order": ["cat", "dog"]}, "doesn't say where emu comes; name each class once"),
        ({"order": ["cat", "dog", "emu", "cow"]}, "the data has no class 'cow'"),
        ({"order": ["cat", "dog", "emu", "dog"]}, "names one of them twice"),
        ({"left_out": ["cat", "dog", "emu"]}, "no image is left, since every class that has images was left out"),
        ({"seen": "maybe"}, "seen must be one of yes, no, unknown, got 'maybe'"),
        ({"torchvision": "MINST"}, "'MINST' is none of torchvision's data sets that can be opened here: MNIST,"),
        ({"left_out": "cat"}, "left_out must be several class names, got the one text 'cat'"),
        ({"renamed": {"cat": " "}}, "the class 'cat' needs a new name that isn't empty"),
    ],
)
def test_options_that_do_not_fit_are_refused(animals, options, said):
    with pytest.raises(ValueError, match=said):
        load_images(animals, DataOptions(**options))


def test_options_survive_json():
    options = DataOptions(("a",), {"b": "c"}, ("c",), "yes", "MNIST", True, 1)
    assert DataOptions.from_json(json.loads(json.dumps(options.to_json()))) == options


def test_files_are_read_again_from_root_and_names_alone(animals):
    images = load_images(animals, DataOptions())
    assert isinstance(images.pixels, FilePixels)
    again = FilePixels(images.pixels.root, images.names, images.pixels.one_size, images.pixels.hashes)
    assert images.pixels.root.is_absolute()
    assert images.pixels.one_size
    for index in range(4):
        np.testing.assert_array_equal(again.image(index), images.pixels.image(index))


def test_the_id_is_the_content_whatever_the_file_is_called(animals):
    before = load_images(animals, DataOptions())
    (animals / "cat/1.png").rename(animals / "cat/renamed.png")
    assert set(load_images(animals, DataOptions()).ids) == set(before.ids)


@pytest.mark.parametrize("name", ["weights.pt", "set.tar.gz", "notes.txt"])
def test_other_files_are_refused_with_what_can_be_opened(tmp_path, name):
    (tmp_path / name).write_bytes(b"data")
    with pytest.raises(ValueError, match=r"is no data set that can be opened; give a folder or \.zip of images"):
        load_images(tmp_path / name, DataOptions())


def test_a_path_to_nothing_is_refused(tmp_path):
    with pytest.raises(ValueError, match=r"there is nothing at .*nowhere; give a folder or a file that exists"):
        load_images(tmp_path / "nowhere", DataOptions())


def test_the_signature_changes_with_any_file(animals):
    before = signature(animals)
    assert signature(animals) == before
    states = {before}
    pictures(animals, "dog/2.png")
    states.add(signature(animals))
    (animals / "dog/2.png").rename(animals / "dog/3.png")
    states.add(signature(animals))
    os.utime(animals / "dog/3.png", ns=(1, 1))
    states.add(signature(animals))
    (animals / "dog/3.png").unlink()
    assert len(states) == 4
    assert signature(animals) == before


def test_the_signature_of_one_file(animals):
    assert signature(animals / "cat/1.png") != signature(animals / "dog/1.png")


def test_loading_needs_no_torch():
    program = "import sys, engine.loading.datasets; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
    control = "import sys, torch; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", control], check=False).returncode == 1
