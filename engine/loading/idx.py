"""IDX files, MNIST's format: one file of images, one of labels, plain or gzipped.

http://yann.lecun.com/exdb/mnist/ has the format; Cohen et al. 2017 (EMNIST) keep it, with the images transposed.
"""

from __future__ import annotations

import gzip
import re
import string
import struct
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import BinaryIO

import numpy as np

from engine.loading.found import SPLITS, Found, in_class_order, numbered_labels, texts

UNSIGNED_BYTE = 0x08  # the only kind of number that image sets use
MOST_BYTES = 8 * 2**30
IMAGES = re.compile(
    r"(?P<set>.*?)(?P<split>train|t10k|test|val|)[-_.]?images?[-._]idx3[-._]ubyte(\.gz)?$", re.IGNORECASE
)
LABELS = re.compile(r"labels?[-._]idx1[-._]ubyte(\.gz)?$", re.IGNORECASE)

LETTERS_KEPT_APART = "".join(sorted(set(string.ascii_lowercase) - set("cijklmopsuvwxyz")))  # EMNIST's merged sets
EMNIST = {  # the class of each label; letters are numbered from 1
    "byclass": string.digits + string.ascii_uppercase + string.ascii_lowercase,
    "bymerge": string.digits + string.ascii_uppercase + LETTERS_KEPT_APART,
    "balanced": string.digits + string.ascii_uppercase + LETTERS_KEPT_APART,
    "letters": string.ascii_lowercase,
    "digits": string.digits,
    "mnist": string.digits,
}


def images_files_in(files: Sequence[Path]) -> list[Path]:
    """The IDX files of images among these, train first; where one is there plain and gzipped, the plain one."""
    found = {path.name.removesuffix(".gz"): path for path in sorted(files, reverse=True) if IMAGES.search(path.name)}
    return sorted(found.values(), key=lambda path: (split_of(path) != "train", path))


def read_pairs(images_files: Sequence[Path], transposed: bool | None, first_label: int | None) -> Found:
    """The images and labels of one or more pairs of files, split by the names of the files.

    `transposed` and `first_label` say how the files count, None: as EMNIST does where a file is named so, else
    upright and from 0. Classes are called by their number from 0, or by EMNIST's characters.
    """
    check_one_set(images_files)
    emnist = re.search(rf"emnist-({'|'.join(EMNIST)})", images_files[0].name, re.IGNORECASE)
    characters = EMNIST[emnist[1].lower()] if emnist else ""
    if transposed is None:
        transposed = emnist is not None
    if first_label is None:
        first_label = 1 if emnist and emnist[1].lower() == "letters" else 0
    arrays, labels, names, splits = [], [], [], []
    for path in images_files:
        images, numbers = read_pair(path)
        split = SPLITS.get(split_of(path), "")
        arrays.append(np.ascontiguousarray(images.transpose(0, 2, 1)) if transposed else images)
        labels += [class_name(number - first_label, characters, path.name) for number in numbers.tolist()]
        names += [f"{split or 'images'}/{index:05d}.png" for index in range(len(images))]
        splits += [split] * len(images)
    if len({array.shape[1:] for array in arrays}) > 1:
        sizes = ", ".join(f"{path.name} {array.shape[1:]}" for path, array in zip(images_files, arrays, strict=True))
        raise ValueError(f"all images must have one size, but the files have {sizes}")
    classes = in_class_order(set(labels))
    return Found(
        classes=classes,
        names=texts(names),
        labels=numbered_labels(labels, classes),
        splits=texts(splits),
        groups=texts([""] * len(names)),
        source=np.concatenate(arrays) if len(arrays) > 1 else arrays[0],
    )


def check_one_set(images_files: Sequence[Path]) -> None:
    """Raise ValueError where the files belong to different data sets, as in EMNIST's own folder."""
    sets = {match["set"].strip("-_. ") for path in images_files if (match := IMAGES.search(path.name))}
    if len(sets) > 1:
        raise ValueError(
            f"the folder holds several data sets ({', '.join(sorted(sets))}); "
            "keep one of them in a folder of its own, or give the images file of one"
        )


def split_of(path: Path) -> str:
    """The part of the data set that a file is named after, in the file's own word, "" for none."""
    match = IMAGES.search(path.name)
    return match["split"].lower() if match else ""


def class_name(number: int, characters: str, file: str) -> str:
    """The class that a label counted from 0 stands for."""
    if not characters:
        return str(number)
    if not 0 <= number < len(characters):
        raise ValueError(f"{file}: EMNIST has {len(characters)} classes here, but a label is number {number}")
    return characters[number]


def read_pair(images_file: Path) -> tuple[np.ndarray, np.ndarray]:
    """Images uint8 (N, H, W) and labels uint8 (N,) of one pair of files."""
    labels_file = labels_beside(images_file)
    images, labels = read_idx(images_file), read_idx(labels_file)
    if images.ndim != 3 or labels.ndim != 1:
        raise ValueError(
            f"{images_file.name} should hold images (N, height, width) and {labels_file.name} labels (N), "
            f"but they hold {images.shape} and {labels.shape}"
        )
    if len(images) != len(labels):
        raise ValueError(f"{images_file.name} has {len(images)} images, but {labels_file.name} {len(labels)} labels")
    if not images.size:
        raise ValueError(f"{images_file.name} holds no images")
    return images, labels


def labels_beside(images_file: Path) -> Path:
    """The file of labels that goes with a file of images, plain or gzipped."""
    plain = images_file.name.removesuffix(".gz")
    plain = plain.replace("image", "label").replace("idx3", "idx1")
    for name in (plain, f"{plain}.gz"):
        if (images_file.parent / name).is_file():
            return images_file.parent / name
    raise ValueError(f"{images_file.name} needs its labels beside it, in {plain} or {plain}.gz")


def images_beside(labels_file: Path) -> Path:
    """The file of images that goes with a file of labels, plain or gzipped."""
    plain = labels_file.name.removesuffix(".gz").replace("label", "image").replace("idx1", "idx3")
    for name in (plain, f"{plain}.gz"):
        if (labels_file.parent / name).is_file():
            return labels_file.parent / name
    raise ValueError(f"{labels_file.name} needs its images beside it, in {plain} or {plain}.gz")


def read_idx(path: Path) -> np.ndarray:
    """The array in an IDX file, uint8, of the shape that its header gives. Raises ValueError where it is no such."""
    try:
        with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as file:
            return array_in(file, path.name)
    except (OSError, EOFError, zlib.error) as error:
        raise ValueError(f"{path.name} can't be unpacked ({error}); fetch or save it again") from error


def array_in(file: BinaryIO | gzip.GzipFile, name: str) -> np.ndarray:
    """Header and content of an IDX file; no more is read than the header says, plus one byte to see the end."""
    magic = file.read(4)
    if len(magic) < 4 or magic[:2] != b"\0\0" or not 1 <= magic[3] <= 4:
        raise ValueError(f"{name} isn't an IDX file: it doesn't begin with the two zero bytes and the shape")
    if magic[2] != UNSIGNED_BYTE:
        raise ValueError(f"{name} must hold unsigned bytes (IDX type 0x08), but it holds type {magic[2]:#04x}")
    sizes = file.read(4 * magic[3])
    if len(sizes) < 4 * magic[3]:
        raise ValueError(f"{name} ends within its header; fetch or save it again")
    shape = struct.unpack(f">{magic[3]}I", sizes)
    expected = int(np.prod(shape, dtype=object))
    if expected > MOST_BYTES:
        raise ValueError(f"{name} says it holds {expected:,} bytes; at most {MOST_BYTES:,} are read")
    content = file.read(expected)
    if len(content) < expected or file.read(1):
        came = f"only {len(content):,}" if len(content) < expected else "more"
        raise ValueError(f"{name} should hold {expected:,} bytes for the shape {shape}, but it has {came}")
    return np.frombuffer(content, np.uint8).reshape(shape)
