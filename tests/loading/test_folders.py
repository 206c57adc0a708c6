"""Folders and zips of images: classes, splits, wrappings, and none of these."""

import os
import shutil
import sys

import pytest

from engine.loading.data_options import DataOptions
from engine.loading.datasets import load_images, signature
from tests.loading.pictures import labels_of, picture, pictures, splits_of


def load(path, **options):
    return load_images(path, DataOptions(**options))


def test_the_folder_is_the_class(tmp_path):
    images = load(pictures(tmp_path, "cat/1.png", "cat/deep/2.png", "dog/1.png"))
    assert images.classes == ("cat", "dog")
    assert labels_of(images) == {"cat/1.png": "cat", "cat/deep/2.png": "cat", "dog/1.png": "dog"}
    assert images.name == tmp_path.name


def test_numeric_classes_are_in_natural_order(tmp_path):
    names = [f"{number}/a.png" for number in (0, 1, 2, 9, 10, 11)]
    assert load(pictures(tmp_path, *names)).classes == ("0", "1", "2", "9", "10", "11")


def test_other_classes_are_in_the_order_of_torchvision(tmp_path):
    assert load(pictures(tmp_path, "b10/a.png", "b9/a.png", "A/a.png")).classes == ("A", "b10", "b9")


@pytest.mark.parametrize("val", ["val", "valid", "validation", "Val"])
def test_train_val_and_test_are_splits(tmp_path, val):
    images = load(pictures(tmp_path, "train/cat/1.png", "train/dog/1.png", f"{val}/cat/2.png", "test/dog/3.png"))
    assert images.classes == ("cat", "dog")
    assert splits_of(images) == {
        "train/cat/1.png": "train",
        "train/dog/1.png": "train",
        f"{val}/cat/2.png": "diagnosis",
        "test/dog/3.png": "test",
    }


def test_a_class_may_be_called_train(tmp_path):
    images = load(pictures(tmp_path, "bus/1.png", "train/1.png"))
    assert images.classes == ("bus", "train")


def test_files_beside_the_splits_are_listed(tmp_path):
    images = load(pictures(tmp_path, "train/cat/1.png", "test/cat/1.png", "extra/1.png", "2.png"))
    assert images.classes == ("cat",)
    assert {file.file_name: file.reason for file in images.skipped} == {
        "extra/1.png": "lies outside the folders test, train",
        "2.png": "lies outside the folders test, train",
    }


def test_an_unlabelled_test_split_beside_a_labelled_train(tmp_path):
    images = load(pictures(tmp_path, "train/cat/1.png", "train/dog/1.png", "test/7.png"))
    assert labels_of(images)["test/7.png"] is None
    assert "Images without a label, which get predictions and count in no rate: 1." in images.remarks


def test_one_wrapping_folder_is_tolerated_also_beside_a_readme(tmp_path):
    pictures(tmp_path, "wrapped/train/cat/1.png", "wrapped/val/cat/2.png")
    (tmp_path / "README.md").write_text("read me")
    assert splits_of(load(tmp_path)) == {"train/cat/1.png": "train", "val/cat/2.png": "diagnosis"}


def test_one_folder_of_images_is_a_class_and_that_is_said(tmp_path):
    images = load(pictures(tmp_path, "cat/1.png"))
    assert images.classes == ("cat",)
    assert "There is only one class folder, cat; its name was taken as the label." in images.remarks


def test_an_empty_class_stays_a_class_and_is_remarked(tmp_path):
    (pictures(tmp_path, "cat/1.png", "dog/1.png") / "emu").mkdir()
    images = load(tmp_path)
    assert images.classes == ("cat", "dog", "emu")
    assert "There are no images of emu." in images.remarks


def test_hidden_files_and_folders_make_no_class(tmp_path):
    images = load(pictures(tmp_path, "cat/1.png", "dog/1.png", "__MACOSX/cat/1.png", ".git/1.png", "cat/._1.png"))
    assert images.classes == ("cat", "dog")
    assert [file.file_name for file in images.skipped] == ["cat/._1.png"]


def test_images_beside_class_folders_are_listed(tmp_path):
    images = load(pictures(tmp_path, "cat/1.png", "dog/1.png", "stray.png"))
    assert [(file.file_name, file.reason) for file in images.skipped] == [
        ("stray.png", "lies outside the folders of the classes")
    ]


def test_images_without_class_folders_have_no_label(tmp_path):
    images = load(pictures(tmp_path, "1.png", "2.png"))
    assert images.classes == ()
    assert images.labels.tolist() == [-1, -1]
    assert images.remarks[0] == "2 diagnosis (seen: unknown). There are none for pool, test."


def test_a_folder_without_pictures_turns_no_pictures_into_strays(tmp_path):
    pictures(tmp_path, "1.png", "2.png")
    (tmp_path / "notes").mkdir()
    (tmp_path / "notes" / "todo.txt").write_text("buy milk")
    images = load(tmp_path)
    assert images.names.tolist() == ["1.png", "2.png"]
    assert [file.file_name for file in images.skipped] == ["notes/todo.txt"]


def test_one_image_alone(tmp_path):
    images = load(picture(tmp_path / "one.png"))
    assert (images.names.tolist(), images.labels.tolist(), images.name) == (["one.png"], [-1], "one")


@pytest.mark.parametrize("wrapping", ["", "wrapped"])
def test_a_zip_is_as_good_as_its_folder(tmp_path, wrapping):
    folder = pictures(tmp_path / "set", "train/cat/1.png", "train/dog/1.png", "val/cat/2.png")
    shutil.copytree(folder, tmp_path / "packed" / wrapping, dirs_exist_ok=True)
    archive = shutil.make_archive(str(tmp_path / "set"), "zip", tmp_path / "packed")
    images, plain = (load_images(tmp_path / name, DataOptions(), tmp_path / "kept") for name in ("set.zip", "set"))
    assert archive.endswith("set.zip")
    assert images.fingerprint == plain.fingerprint
    assert images.name == "set"
    np_equal(images.read([0, 1, 2]), plain.read([0, 1, 2]))
    assert len(os.listdir(tmp_path / "kept")) == 1
    assert load_images(tmp_path / "set.zip", DataOptions(), tmp_path / "kept").fingerprint == plain.fingerprint


def test_a_zip_with_images_at_its_root(tmp_path):
    pictures(tmp_path / "flat", "1.png", "2.png")
    shutil.make_archive(str(tmp_path / "flat"), "zip", tmp_path / "flat")
    assert load(tmp_path / "flat.zip").labels.tolist() == [-1, -1]


def test_no_link_is_followed_out_of_the_folder(tmp_path):
    secret = picture(tmp_path / "elsewhere" / "secret.png")
    root = pictures(tmp_path / "set", "cat/1.png", "dog/1.png")
    (root / "cat" / "link.png").symlink_to(secret)
    (root / "cat" / "near.png").symlink_to(root / "dog" / "1.png")
    (root / "all").symlink_to(secret.parent)
    images = load(root)
    assert images.classes == ("cat", "dog")
    assert "cat/near.png" in images.names.tolist()
    assert {file.file_name: file.reason for file in images.skipped} == {
        "cat/link.png": "a link that leads out of the folder",
        "all": "a link to a folder",
    }


@pytest.mark.skipif(os.name == "nt" or sys.platform == "darwin", reason="such names exist on Linux only")
def test_a_file_whose_name_is_no_text_is_listed(tmp_path):
    pictures(tmp_path, "cat/1.png", "dog/1.png")
    shutil.copy(tmp_path / "cat/1.png", os.path.join(os.fsencode(tmp_path), b"cat/k\xe4tzchen.png"))
    images = load(tmp_path)
    assert len(images) == 2
    assert [(file.file_name, file.reason) for file in images.skipped] == [
        ("cat/k\\udce4tzchen.png", "its name isn't text in UTF-8")
    ]
    assert signature(tmp_path)


def test_an_empty_folder_is_an_error(tmp_path):
    with pytest.raises(ValueError, match="holds no files; give a folder with images"):
        load(tmp_path)


def np_equal(first, second):
    assert first.shape == second.shape
    assert (first == second).all()
