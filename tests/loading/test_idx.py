"""MNIST's format: pairs of files, plain or gzipped, and EMNIST's own way with it."""

import gzip
import shutil
import struct
from pathlib import Path

import numpy as np
import pytest

from engine.loading import idx
from engine.loading.data_options import DataOptions
from engine.loading.datasets import load_images

DATA = Path(__file__).parents[2].parent / "shared" / "data"
IMAGES = np.random.default_rng(0).integers(0, 256, (6, 4, 5), dtype=np.uint8)


def idx_bytes(array):
    return struct.pack(f">BBBB{array.ndim}I", 0, 0, 8, array.ndim, *array.shape) + array.tobytes()


def save(path, array):
    path.parent.mkdir(parents=True, exist_ok=True)
    data = idx_bytes(array)
    path.write_bytes(gzip.compress(data) if path.suffix == ".gz" else data)
    return path


def pair(folder, stem="train", images=IMAGES, labels=(0, 1, 2, 10, 9, 2), packed=".gz", dot="-"):
    save(folder / f"{stem}-labels{dot}idx1-ubyte{packed}", np.array(labels, dtype=np.uint8))
    return save(folder / f"{stem}-images{dot}idx3-ubyte{packed}", images)


@pytest.mark.parametrize("packed", ["", ".gz"])
@pytest.mark.parametrize("dot", ["-", "."])
def test_a_folder_of_pairs_has_splits(tmp_path, packed, dot):
    pair(tmp_path, "train", packed=packed, dot=dot)
    pair(tmp_path, "t10k", 255 - IMAGES, packed=packed, dot=dot)
    images = load_images(tmp_path, DataOptions())
    assert images.classes == ("0", "1", "2", "9", "10")
    assert [images.classes[label] for label in images.labels[:6]] == ["0", "1", "2", "10", "9", "2"]
    assert (images.roles[:6] == "train").all()
    assert not (images.roles[6:] == "train").any()
    assert (images.frame.channels, images.frame.height, images.frame.width) == (1, 4, 5)
    np.testing.assert_array_equal(images.read(range(12))[:, 0], np.concatenate([IMAGES, 255 - IMAGES]))
    assert images.names[7] == "test/00001.png"


def test_pairs_in_a_zip_in_a_wrapping_folder(tmp_path):
    pair(tmp_path / "set" / "raw")
    shutil.make_archive(str(tmp_path / "set"), "zip", tmp_path / "set")
    assert len(load_images(tmp_path / "set.zip", DataOptions())) == 6


@pytest.mark.parametrize("which", ["images", "labels"])
def test_a_single_pair_by_either_of_its_files(tmp_path, which):
    pair(tmp_path, "t10k")
    pair(tmp_path, "train")
    kind = "images-idx3" if which == "images" else "labels-idx1"
    images = load_images(tmp_path / f"t10k-{kind}-ubyte.gz", DataOptions())
    assert len(images) == 6
    assert not (images.roles == "train").any()


def test_a_pair_that_is_there_plain_and_packed_counts_once(tmp_path):
    pair(tmp_path, packed="")
    pair(tmp_path, packed=".gz")
    assert len(load_images(tmp_path, DataOptions())) == 6


def test_emnist_letters_are_turned_upright_and_counted_from_one(tmp_path):
    pair(tmp_path, "emnist-letters-train", labels=(1, 2, 3, 26, 1, 1))
    images = load_images(tmp_path, DataOptions())
    assert images.classes == ("a", "b", "c", "z")
    np.testing.assert_array_equal(images.read(range(6))[:, 0], IMAGES.transpose(0, 2, 1))


def test_emnist_balanced_has_its_forty_seven_characters(tmp_path):
    pair(tmp_path, "emnist-balanced-test", labels=(0, 10, 35, 36, 46, 0))
    assert load_images(tmp_path, DataOptions()).classes == ("0", "A", "Z", "a", "t")
    assert {name: len(characters) for name, characters in idx.EMNIST.items()} == {
        "byclass": 62, "bymerge": 47, "balanced": 47, "letters": 26, "digits": 10, "mnist": 10,
    }  # fmt: skip


def test_a_person_can_say_how_the_files_count(tmp_path):
    path = pair(tmp_path, labels=(1, 2, 3, 4, 5, 6))
    images = load_images(path, DataOptions(transposed=True, first_label=1))
    assert images.classes == ("0", "1", "2", "3", "4", "5")
    np.testing.assert_array_equal(images.read([0])[0, 0], IMAGES[0].T)
    letters = pair(tmp_path / "e", "emnist-letters-train", labels=(1, 2, 3, 4, 5, 6))
    np.testing.assert_array_equal(load_images(letters, DataOptions(transposed=False)).read([0])[0, 0], IMAGES[0])


def test_labels_that_emnist_does_not_have_are_refused(tmp_path):
    with pytest.raises(ValueError, match="EMNIST has 26 classes here, but a label is number -1"):
        load_images(pair(tmp_path, "emnist-letters-train"), DataOptions())


def test_several_sets_in_one_folder_are_told_apart(tmp_path):
    pair(tmp_path, "emnist-letters-train")
    pair(tmp_path, "emnist-digits-train")
    with pytest.raises(ValueError, match=r"several data sets \(emnist-digits, emnist-letters\); keep one"):
        load_images(tmp_path, DataOptions())


def damaged(data):
    return {
        "no magic": (b"\x89PNG" + data, "isn't an IDX file"),
        "empty": (b"", "isn't an IDX file"),
        "header only": (data[:6], "ends within its header"),
        "short": (data[:-1], r"should hold 120 bytes for the shape \(6, 4, 5\), but it has only 119"),
        "long": (data + b"x", "should hold 120 bytes .* but it has more"),
        "floats": (data[:2] + b"\x0d" + data[3:], "must hold unsigned bytes .* it holds type 0x0d"),
        "huge": (data[:4] + b"\xff" * 12 + data[16:], "at most 8,589,934,592 are read"),
    }


@pytest.mark.parametrize("fault", damaged(b"").keys())
@pytest.mark.parametrize("packed", ["", ".gz"])
def test_damaged_files_are_refused(tmp_path, fault, packed):
    data, said = damaged(idx_bytes(IMAGES))[fault]
    path = pair(tmp_path, packed=packed)
    path.write_bytes(gzip.compress(data) if packed else data)
    with pytest.raises(ValueError, match=said):
        load_images(path, DataOptions())


def test_a_gzip_bomb_is_not_unpacked_beyond_what_the_header_says(tmp_path):
    path = pair(tmp_path)
    path.write_bytes(gzip.compress(idx_bytes(IMAGES) + bytes(50 * 2**20)))
    with pytest.raises(ValueError, match="but it has more"):
        load_images(path, DataOptions())


def test_a_broken_gzip_is_named(tmp_path):
    path = pair(tmp_path)
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(ValueError, match=r"train-images-idx3-ubyte\.gz can't be unpacked .*again"):
        load_images(path, DataOptions())


def test_images_and_labels_must_belong_together(tmp_path):
    path = pair(tmp_path, labels=(1, 2))
    with pytest.raises(ValueError, match=r"has 6 images, but train-labels-idx1-ubyte\.gz 2 labels"):
        load_images(path, DataOptions())
    (tmp_path / "train-labels-idx1-ubyte.gz").unlink()
    with pytest.raises(ValueError, match="needs its labels beside it, in train-labels-idx1-ubyte or"):
        load_images(path, DataOptions())


@pytest.mark.parametrize(
    ("folder", "counts"),
    [("mnist", (60_000, 10_000)), ("fashion_mnist", (60_000, 10_000)), ("notmnist_letters", (0, 10_000))],
)
def test_the_real_sets_open(folder, counts):
    if not (DATA / folder).is_dir():
        pytest.skip(f"{folder} isn't among the shared data")
    images = load_images(DATA / folder, DataOptions())
    train = images.roles == "train"
    assert (int(train.sum()), int((~train).sum())) == counts
    assert images.classes == tuple("0123456789")
