"""NumPy's .npz files of images and labels, under the names that are common for them."""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from engine.loading.found import Found, in_class_order, numbered_labels, texts

KEYS = (  # images, labels, split; upper and lower case are the same
    ("x_train", "y_train", "train"),
    ("x_val", "y_val", "val"),
    ("x_valid", "y_valid", "val"),
    ("x_test", "y_test", "test"),
    ("train_images", "train_labels", "train"),
    ("val_images", "val_labels", "val"),
    ("test_images", "test_labels", "test"),
    ("images", "labels", ""),
    ("x", "y", ""),
    ("data", "targets", ""),
)
MOST_BYTES = 16 * 2**30  # of all arrays together
ROWS_AT_ONCE = 4096

Part = tuple[str, np.ndarray, np.ndarray | None, str]  # key, images, labels, split


def read_npz(path: Path, first_label: int | None) -> Found:
    """The images of an .npz file, split by its keys; without labels where they have none.

    Images (N, H, W), (N, H, W, 1 or 3) or (N, 1 or 3, H, W) in uint8, or numbers in [0, 1] or [0, 255]. Labels
    (N,) or (N, 1), integers or text. Integers are counted from `first_label`, None: from 0.
    """
    parts = parts_of(arrays_in(path), path.name)
    images, remark = as_bytes([channels_last(array, key) for key, array, _, _ in parts], path.name)
    if len({array.shape[1:] for array in images}) > 1:
        sizes = ", ".join(f"{key} {array.shape[1:]}" for (key, *_), array in zip(parts, images, strict=True))
        raise ValueError(f"all images of {path.name} must have one size, but they have {sizes}")
    labels, names, splits = [], [], []
    for (key, array, numbers, split), _ in zip(parts, images, strict=True):
        labels += label_texts(numbers, len(array), key, first_label or 0)
        names += [f"{split or 'images'}/{index:05d}.png" for index in range(len(array))]
        splits += [split] * len(array)
    classes = in_class_order({label for label in labels if label})
    return Found(
        classes=classes,
        names=texts(names),
        labels=numbered_labels(labels, classes),
        splits=texts(splits),
        groups=texts([""] * len(names)),
        source=np.concatenate(images) if len(images) > 1 else images[0],
        remarks=(remark,) if remark else (),
    )


def arrays_in(path: Path) -> dict[str, np.ndarray]:
    """The arrays of the file by name in lower case; nothing in it is unpickled."""
    try:
        with zipfile.ZipFile(path) as archive:
            said = sum(entry.file_size for entry in archive.infolist())
            if said > MOST_BYTES:
                raise ValueError(f"{path.name} unpacks to {said:,} bytes; at most {MOST_BYTES:,} are read")
            return {
                entry.filename.removesuffix(".npy").lower(): array_in(archive, entry, path.name)
                for entry in archive.infolist()
                if entry.filename.endswith(".npy")
            }
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError, NotImplementedError, RuntimeError) as error:
        raise ValueError(f"{path.name} isn't a readable .npz file ({error}); save it again with numpy.savez") from error


def array_in(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, name: str) -> np.ndarray:
    """One array, after its header has been held against the bytes that are there, so that none are made up."""
    with archive.open(entry) as file:
        try:
            version = np.lib.format.read_magic(file)
            read_header = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}
            shape, _, dtype = read_header[version](file)
        except (ValueError, KeyError) as error:
            raise ValueError(f"{name}: {entry.filename} isn't a NumPy array; save it again with numpy.savez") from error
        if dtype.hasobject:
            raise ValueError(
                f"{name}: {entry.filename} holds Python objects, which could run code and are not opened; "
                "save plain numbers, e.g. array.astype('uint8')"
            )
        if int(np.prod(shape, dtype=object)) * dtype.itemsize != entry.file_size - file.tell():
            raise ValueError(f"{name}: {entry.filename} is cut short; save it again with numpy.savez")
    with archive.open(entry) as file:
        return np.lib.format.read_array(file, allow_pickle=False)


def parts_of(arrays: Mapping[str, np.ndarray], name: str) -> list[Part]:
    """The arrays of images with their labels and split."""
    parts = [(images, arrays[images], arrays.get(labels), split) for images, labels, split in KEYS if images in arrays]
    if not parts:
        pairs = ", ".join(f"{images} and {labels}" for images, labels, _ in KEYS)
        raise ValueError(
            f"{name} needs images and labels under names such as {pairs}; it has {', '.join(arrays) or 'no arrays'}"
        )
    if sum(len(images) for _, images, _, _ in parts if images.ndim) == 0:
        raise ValueError(f"{name} holds no images")
    return parts


def channels_last(images: np.ndarray, key: str) -> np.ndarray:
    """The images as (N, H, W) or (N, H, W, 3)."""
    if images.ndim == 3:
        return images
    if images.ndim == 4 and images.shape[3] in (1, 3):
        return images[..., 0] if images.shape[3] == 1 else images
    if images.ndim == 4 and images.shape[1] in (1, 3):
        return images[:, 0] if images.shape[1] == 1 else images.transpose(0, 2, 3, 1)
    raise ValueError(
        f"{key} must be images (N, H, W), (N, H, W, 1 or 3) or (N, 1 or 3, H, W), but its shape is {images.shape}"
    )


def as_bytes(images: list[np.ndarray], name: str) -> tuple[list[np.ndarray], str]:
    """The images as uint8, and a sentence that says how, "" where they were so already. One range counts for all."""
    if all(array.dtype == np.uint8 for array in images):
        return [np.ascontiguousarray(array) for array in images], ""
    if any(array.dtype.kind not in "buif" for array in images):
        kinds = ", ".join(sorted({str(array.dtype) for array in images}))
        raise ValueError(f"the images of {name} must be numbers, but they are {kinds}")
    filled = [array for array in images if array.size]
    low, high = float(min(array.min() for array in filled)), float(max(array.max() for array in filled))
    if not (low >= 0 and high <= 255):  # also where a value is no number
        raise ValueError(
            f"the images of {name} must lie in [0, 1] or [0, 255], but they go from {low:g} to {high:g}; "
            "save them before normalising"
        )
    scale = 255.0 if high <= 1 else 1.0
    taken = "[0, 1] and were multiplied by 255" if high <= 1 else "[0, 255]"
    remark = f"Pixels went from {low:g} to {high:g}: they were taken for {taken}, and rounded to whole levels."
    return [rounded(array, scale) for array in images], remark


def rounded(images: np.ndarray, scale: float) -> np.ndarray:
    """The images times `scale` in whole levels, uint8, some rows at a time."""
    levels = np.empty(images.shape, np.uint8)
    for start in range(0, len(images), ROWS_AT_ONCE):
        rows = slice(start, start + ROWS_AT_ONCE)
        levels[rows] = np.rint(images[rows].astype(np.float64) * scale)
    return levels


def label_texts(labels: np.ndarray | None, count: int, key: str, first_label: int) -> list[str]:
    """A class name for each image, "" without labels; numbers are counted from `first_label`."""
    if labels is None:
        return [""] * count
    if labels.ndim == 2 and labels.shape[1] == 1:
        labels = labels[:, 0]
    if labels.shape != (count,):
        raise ValueError(
            f"{key} has {count} images and needs one label for each, (N,) or (N, 1), "
            f"but the labels' shape is {labels.shape}"
        )
    if labels.dtype.kind == "U":
        return [str(label) for label in labels.tolist()]
    if labels.dtype.kind == "f" and np.array_equal(labels, np.rint(labels)):
        labels = labels.astype(np.int64)
    if labels.dtype.kind not in "bui":
        raise ValueError(f"the labels of {key} must be whole numbers or text, but they are {labels.dtype}")
    return [str(label - first_label) for label in labels.astype(np.int64).tolist()]
