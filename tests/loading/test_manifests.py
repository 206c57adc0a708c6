"""Lists of images in CSV, TSV and JSON lines, in a folder, in a zip, or by themselves."""

import json
import shutil

import pytest

from engine.loading.data_options import DataOptions
from engine.loading.datasets import load_images
from tests.loading.pictures import labels_of, picture, pictures, splits_of


def load(path):
    return load_images(path, DataOptions())


@pytest.fixture
def root(tmp_path):
    return pictures(tmp_path / "set", "images/1.png", "images/2.png", "images/3.png")


def write(path, *lines):
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


@pytest.mark.parametrize("file", ["file_name", "filepath", "file_path_abs", "image", "path", "Path"])
@pytest.mark.parametrize("label", ["label", "class_name", "class", "target", "y"])
def test_the_columns_go_by_any_of_their_names(root, file, label):
    manifest = write(root / "list.csv", f"{file},{label}", "images/1.png,cat", "images/2.png,dog")
    for path in (manifest, root):
        assert labels_of(load(path)) == {"images/1.png": "cat", "images/2.png": "dog"}


@pytest.mark.parametrize(
    ("name", "lines"),
    [
        ("list.tsv", ["path\tlabel", "images/1.png\tcat, tame", "images/2.png\tdog"]),
        ("list.csv", ["path;label", "images/1.png;cat, tame", "images/2.png;dog"]),
        ("list.csv", ["\ufeffpath,label", 'images/1.png,"cat, tame"', "images\\2.png,dog"]),
        (
            "list.jsonl",
            [
                json.dumps({"path": "images/1.png", "label": "cat, tame"}),
                "",
                '{"path": "images/2.png", "label": "dog"}',
            ],
        ),
    ],
)
def test_the_table_may_be_of_several_kinds(root, name, lines):
    assert labels_of(load(write(root / name, *lines))) == {"images/1.png": "cat, tame", "images/2.png": "dog"}


def test_splits_and_groups_are_taken_from_their_columns(root):
    write(
        root / "list.csv",
        "path,label,split,group",
        "images/1.png,a,Train,x",
        "images/2.png,b,valid,",
        "images/3.png,a,test,x",
    )
    images = load(root)
    assert splits_of(images) == {"images/1.png": "train", "images/2.png": "diagnosis", "images/3.png": "test"}
    assert images.groups.tolist() == ["x", "", "x"]
    assert any("groups with images in two roles or more: 1, first" in remark for remark in images.remarks)


def test_roles_can_be_given_by_name(root):
    write(
        root / "list.csv", "path,label,split", "images/1.png,a,pool", "images/2.png,b,diagnosis", "images/3.png,a,test"
    )
    assert list(splits_of(load(root)).values()) == ["pool", "diagnosis", "test"]


def test_metadata_in_the_split_folders_as_on_the_hub(tmp_path):
    pictures(tmp_path, "train/1.png", "test/2.png")
    write(tmp_path / "train" / "metadata.csv", "file_name,label", "1.png,cat")
    write(tmp_path / "test" / "metadata.jsonl", '{"file_name": "2.png", "label": "dog"}')
    images = load(tmp_path)
    assert labels_of(images) == {"train/1.png": "cat", "test/2.png": "dog"}
    assert splits_of(images)["train/1.png"] == "train"


def test_lists_called_train_and_val_are_splits(root):
    write(root / "train.csv", "path,label", "images/1.png,cat")
    write(root / "val.csv", "path,label", "images/2.png,dog")
    assert splits_of(load(root)) == {"images/1.png": "train", "images/2.png": "diagnosis"}


def test_metadata_goes_before_other_lists(root):
    write(root / "metadata.csv", "file_name,label", "images/1.png,cat")
    write(root / "other.csv", "file_name,label", "images/2.png,dog")
    assert labels_of(load(root)) == {"images/1.png": "cat"}


def test_of_several_lists_one_must_be_meant(root):
    write(root / "a.csv", "path,label", "images/1.png,cat")
    write(root / "b.csv", "path,label", "images/2.png,cat")
    with pytest.raises(ValueError, match=r"has several lists of images \(a\.csv, b\.csv\); give the path"):
        load(root)


def test_a_table_without_files_is_no_list(tmp_path):
    pictures(tmp_path, "cat/1.png", "dog/1.png")
    write(tmp_path / "scores.csv", "class,accuracy", "cat,0.5")
    images = load(tmp_path)
    assert images.classes == ("cat", "dog")
    assert "scores.csv" in [file.file_name for file in images.skipped]


def test_a_zip_with_a_list(root, tmp_path):
    write(root / "labels.csv", "path,label", "images/1.png,cat", "images/2.png,dog")
    shutil.make_archive(str(tmp_path / "packed"), "zip", tmp_path, "set")
    assert labels_of(load(tmp_path / "packed.zip")) == {"images/1.png": "cat", "images/2.png": "dog"}


def test_listed_files_that_are_missing_are_skipped(root):
    write(root / "list.csv", "path,label", "images/1.png,cat", "images/9.png,cat", "images,cat")
    images = load(root)
    assert [(file.file_name, file.reason) for file in images.skipped] == [
        ("images/9.png", "isn't there"),
        ("images", "isn't there"),
    ]
    assert len(images) == 1


def test_a_list_in_a_folder_reaches_nothing_outside(root, tmp_path):
    secret = picture(tmp_path / "secret.png")
    (root / "link.png").symlink_to(secret)
    write(root / "list.csv", "path,label", "images/1.png,a", f"{secret},a", "../secret.png,a", "link.png,a")
    images = load(root)
    assert images.names.tolist() == ["images/1.png"]
    assert {file.reason for file in images.skipped} == {"lies outside the folder of the list"}
    assert len(images.skipped) == 3


def test_a_list_given_by_itself_may_name_files_anywhere(root, tmp_path):
    (tmp_path / "lists").mkdir()
    manifest = write(tmp_path / "lists" / "a.csv", "file_path_abs,label", f"{root}/images/1.png,cat")
    images = load(manifest)
    assert images.names.tolist() == ["set/images/1.png"]
    assert images.read([0]).shape == (1, 3, 6, 6)


def test_absolute_paths_inside_the_folder_become_relative(root):
    write(root / "list.csv", "filepath,label", f"{root}/images/1.png,cat")
    assert load(root).names.tolist() == ["images/1.png"]


def test_rows_without_a_label_have_none(root):
    write(root / "list.csv", "path,label", "images/1.png,cat", "images/2.png,")
    assert labels_of(load(root)) == {"images/1.png": "cat", "images/2.png": None}


def test_a_list_without_labels_says_so(root):
    write(root / "list.csv", "path", "images/1.png")
    images = load(root)
    assert images.labels.tolist() == [-1]
    assert any("list.csv gives no labels" in remark for remark in images.remarks)


def test_the_apostrophe_that_protects_spreadsheets_is_undone(root):
    write(root / "list.csv", "path,label", "images/1.png,'=cat", "images/2.png,'s")
    assert load(root).classes == ("'s", "=cat")


@pytest.mark.parametrize(
    ("name", "lines", "said"),
    [
        ("l.csv", ["photo,label", "1.png,cat"], r"l\.csv needs a column with the image files, called file_name or"),
        ("l.csv", ["path,label"], r"l\.csv lists no images"),
        ("l.csv", ["path,label", ",cat"], r"l\.csv names no image in row 1"),
        ("l.csv", ["path,label", "9.png,cat"], r"none of the 1 files that l\.csv lists was found; the first is 9\.png"),
        ("l.csv", ["path,split", "images/1.png,spring"], r"row 1: the split is one of train, .* not 'spring'"),
        ("l.jsonl", ['{"path": '], r"l\.jsonl can't be read as a table"),
        ("l.jsonl", ["[1, 2]"], "line 1 of the list isn't a JSON object"),
        ("l.csv", ["path,label", f"{'x' * 200_000},cat"], r"l\.csv can't be read as a table: field larger"),
        ("l.csv", ["path,label", "a\0b.png,cat"], r"none of the 1 files .* a name that no file can have"),
    ],
)
def test_what_is_wrong_with_a_list_is_said(root, name, lines, said):
    with pytest.raises(ValueError, match=said):
        load(write(root / name, *lines))


def test_a_list_in_another_encoding_is_named(root):
    (root / "l.csv").write_bytes("path,label\n1.png,Kätzchen\n".encode("latin-1"))
    with pytest.raises(ValueError, match=r"l\.csv isn't text in UTF-8; save it as UTF-8"):
        load(root / "l.csv")
