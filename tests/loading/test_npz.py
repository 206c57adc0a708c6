"""NumPy's .npz under all its common names, and nothing in it that could run."""

import io
import re
import zipfile

import numpy as np
import pytest

from engine.loading.data_options import DataOptions
from engine.loading.datasets import load_images
from engine.loading.npz import KEYS

IMAGES = np.random.default_rng(0).integers(0, 256, (6, 4, 5, 3), dtype=np.uint8)
LABELS = np.array([0, 1, 2, 10, 9, 2])


def load(path, **options):
    return load_images(path, DataOptions(**options))


@pytest.fixture
def save(tmp_path):
    def saved(**arrays):
        np.savez_compressed(tmp_path / "set.npz", **arrays)
        return tmp_path / "set.npz"

    return saved


@pytest.mark.parametrize(("images", "labels", "split"), KEYS)
def test_all_the_common_names_are_known(save, images, labels, split):
    found = load(save(**{images.upper(): IMAGES, labels: LABELS}))
    assert found.classes == ("0", "1", "2", "9", "10")
    assert found.labels.tolist() == [0, 1, 2, 4, 3, 2]
    assert (found.roles == "train").all() == (split == "train")


def test_train_and_test_are_splits(save):
    found = load(save(x_train=IMAGES, y_train=LABELS, x_test=255 - IMAGES, y_test=LABELS[:, None]))
    assert (found.roles == "train").tolist() == [True] * 6 + [False] * 6
    assert found.names[6] == "test/00000.png"


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (IMAGES, IMAGES.transpose(0, 3, 1, 2)),
        (IMAGES.transpose(0, 3, 1, 2), IMAGES.transpose(0, 3, 1, 2)),
        (IMAGES[..., 0], IMAGES[:, None, :, :, 0]),
        (IMAGES[..., :1], IMAGES[:, None, :, :, 0]),
        (IMAGES[:, None, :, :, 0], IMAGES[:, None, :, :, 0]),
    ],
)
def test_the_channel_may_come_first_last_or_not_at_all(save, given, expected):
    np.testing.assert_array_equal(load(save(images=given, labels=LABELS)).read(range(6)), expected)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (IMAGES / np.float32(255), r"taken for \[0, 1\] and were multiplied by 255"),
        (IMAGES.astype(np.float64), r"taken for \[0, 255\], and rounded"),
        (IMAGES.astype(np.int64), r"taken for \[0, 255\]"),
        (IMAGES.astype(np.float16), r"taken for \[0, 255\]"),
    ],
)
def test_other_numbers_become_bytes_and_that_is_said(save, given, said):
    found = load(save(images=given, labels=LABELS))
    np.testing.assert_array_equal(found.read(range(6)), IMAGES.transpose(0, 3, 1, 2))
    assert any(re.search(said, remark) for remark in found.remarks)


def test_one_range_counts_for_train_and_test(save):
    dark = np.zeros((2, 4, 5, 3), np.float32)
    dark[0] = 1.0  # one level of 255, not white
    found = load(save(x_train=IMAGES.astype(np.float32), y_train=LABELS, x_test=dark, y_test=LABELS[:2]))
    assert found.read([6]).max() == 1


def test_labels_may_be_text(save):
    assert load(save(images=IMAGES, labels=np.array(list("abcaab")))).classes == ("a", "b", "c")


def test_labels_may_start_from_one(save):
    assert load(save(images=IMAGES, labels=LABELS + 1.0), first_label=1).classes == ("0", "1", "2", "9", "10")


def test_images_without_labels_are_unlabelled(save):
    assert load(save(images=IMAGES)).labels.tolist() == [-1] * 6


def test_an_npz_in_a_folder_is_found(save, tmp_path):
    save(images=IMAGES, labels=LABELS)
    assert len(load(tmp_path)) == 6


@pytest.mark.parametrize(
    ("arrays", "said"),
    [
        ({"pictures": IMAGES}, "needs images and labels under names such as x_train and y_train.* it has pictures"),
        ({"images": IMAGES[0, 0], "labels": LABELS}, r"images must be images .* its shape is \(5, 3\)"),
        ({"images": IMAGES.reshape(6, -1), "labels": LABELS}, r"its shape is \(6, 60\)"),
        ({"images": IMAGES, "labels": LABELS[:3]}, r"6 images and needs one label for each.* shape is \(3,\)"),
        ({"images": IMAGES, "labels": np.eye(6)}, r"shape is \(6, 6\)"),
        ({"images": IMAGES, "labels": LABELS + 0.5}, "labels of images must be whole numbers or text"),
        ({"images": IMAGES - 0.5, "labels": LABELS}, r"must lie in \[0, 1\] or \[0, 255\], but they go from"),
        ({"images": IMAGES * np.nan, "labels": LABELS}, "they go from nan to nan"),
        ({"images": IMAGES.astype(str), "labels": LABELS}, "must be numbers, but they are <U3"),
        ({"images": IMAGES[:0], "labels": LABELS[:0]}, "holds no images"),
        ({"x_train": IMAGES, "x_test": IMAGES[:, :3]}, r"must have one size, but they have x_train .* x_test"),
        ({"images": IMAGES.astype(object), "labels": LABELS}, "holds Python objects, which could run code"),
    ],
)
def test_what_is_wrong_with_the_arrays_is_said(save, arrays, said):
    with pytest.raises(ValueError, match=said):
        load(save(**arrays))


def test_nothing_is_unpickled(tmp_path, save):
    class Bomb:
        def __reduce__(self):
            return (tmp_path.joinpath("exploded").touch, ())

    path = save(images=np.array([Bomb()], dtype=object), labels=np.array([0]))
    with pytest.raises(ValueError, match="holds Python objects"):
        load(path)
    assert not (tmp_path / "exploded").exists()


def test_a_header_that_promises_more_than_there_is(tmp_path):
    file = io.BytesIO()
    np.lib.format.write_array_header_1_0(file, {"descr": "|u1", "fortran_order": False, "shape": (10**9, 28, 28)})
    with zipfile.ZipFile(tmp_path / "set.npz", "w") as archive:
        archive.writestr("images.npy", file.getvalue() + b"x")
    with pytest.raises(ValueError, match=r"images\.npy is cut short"):
        load(tmp_path / "set.npz")


@pytest.mark.parametrize("data", [b"", b"no zip"])
def test_a_file_that_is_no_npz_is_named(tmp_path, data):
    (tmp_path / "set.npz").write_bytes(data)
    with pytest.raises(ValueError, match=r"set\.npz isn't a readable \.npz file .* numpy\.savez"):
        load(tmp_path / "set.npz")


def test_a_member_that_is_no_array_is_named(tmp_path):
    with zipfile.ZipFile(tmp_path / "set.npz", "w") as archive:
        archive.writestr("images.npy", b"no array")
    with pytest.raises(ValueError, match=r"images\.npy isn't a NumPy array"):
        load(tmp_path / "set.npz")
