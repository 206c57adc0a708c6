"""A mask for each image: boxes of a table, or a folder of pictures that are bright where the object is.

Boxes and pictures refer to the whole image file; they are fitted into the frame in which the images are handed out as
the images themselves are.
"""

from __future__ import annotations

import csv
import io
import math
import os
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np

from engine.methods.cam_training.file_names import FileNames
from engine.methods.cam_training.geometry import WHOLE, Box, mask_on_grid
from engine.methods.cam_training.mask_pictures import SUFFIXES, read_mask
from engine.methods.cam_training.masks import rectangle
from engine.methods.cam_training.result import ImageMasks
from engine.subject.frame import Frame, centre
from engine.subject.image_set import ImageSet, Skipped

MOST_CELLS = 64  # a side, of a mask that is kept
COLUMNS = (("top", "left", "bottom", "right"), ("y_min", "x_min", "y_max", "x_max"))
ALIKE = 1.05  # ratios of sides this near are those of one picture in two sizes


def from_boxes(ids: np.ndarray, boxes: np.ndarray, height: int, width: int) -> ImageMasks:
    """Masks of images with these ids (n,) from boxes (n, 4): top, left, bottom, right in pixels of height x width."""
    shares = boxes / np.array([height, width, height, width])
    return gathered(ids, [rectangle(tuple(box), *grid(height, width)) for box in shares.tolist()], height, width)


def read_boxes(text: str, images: ImageSet) -> tuple[ImageMasks, tuple[Skipped, ...]]:
    """Masks from a CSV with the columns `file_name` and those of `COLUMNS`, and the rows that were skipped.

    In pixels of the image file, the last two exclusive, or in shares of its sides where no number is above 1. Several
    boxes of one image are united. ValueError where it is no such table, or none of its boxes can be used.
    """
    rows, skipped = rows_of(text), []
    names, found = FileNames(images.names.tolist()), []
    for line, row in rows:
        try:
            found.append((names.index(row[0]), numbers(row[1:]), row[0]))
        except ValueError as error:
            skipped.append(Skipped(row[0], f"line {line}: {error}"))
    shares = all(abs(number) <= 1 for _, box, _ in found for number in box)
    sizes = sizes_of(images, sorted({index for index, _, _ in found}))
    masks: dict[int, np.ndarray] = {}
    for index, box, name in found:
        height, width = sizes[index]
        scale = (1, 1, 1, 1) if shares else (height, width, height, width)
        mask = box_in_frame(
            [number / side for number, side in zip(box, scale, strict=True)], images.frame, sizes[index]
        )
        if mask.any():
            masks[index] = np.maximum(mask, masks.get(index, 0))
        else:
            skipped.append(Skipped(name, "the box lies outside what the classifier is shown of the image"))
    return kept(masks, skipped, images)


def rows_of(text: str) -> list[tuple[int, list[str]]]:
    """The line number, file name and four numbers of each row, as text; ValueError where columns are missing."""
    try:
        reader = csv.DictReader(io.StringIO(text.removeprefix("\ufeff")), skipinitialspace=True)
        header = {(name or "").strip().lower(): name for name in reader.fieldnames or ()}
        names = next((each for each in COLUMNS if {"file_name", *each} <= set(header)), None)
        if names is None:
            wanted = " or ".join(f"file_name, {', '.join(each)}" for each in COLUMNS)
            had = ", ".join(list(header)[:12]) or "none"
            raise ValueError(f"a table of boxes has the columns {wanted}; this one has {had}"[:400])
        wanted_names = [header[name] for name in ("file_name", *names)]
        return [(reader.line_num, [(row[name] or "").strip() for name in wanted_names]) for row in reader]
    except csv.Error as error:
        raise ValueError(f"the table of boxes can't be read: {error}") from None


def numbers(cells: Sequence[str]) -> list[float]:
    """A box's top, left, bottom and right; ValueError where they are none."""
    try:
        box = [float(cell) for cell in cells]
    except ValueError:
        box = [math.nan]
    if not all(math.isfinite(number) for number in box):
        raise ValueError(f"its box is not four numbers: {', '.join(cells)[:60]}")
    if not (box[0] < box[2] and box[1] < box[3]):
        raise ValueError("its box ends before it begins")
    return box


def read_mask_folder(path: Path, images: ImageSet) -> tuple[ImageMasks, tuple[Skipped, ...]]:
    """Masks from the pictures in a folder and those below it, and the files that were skipped.

    A picture is an image's whose name it has but for the suffix, with as many folders before it as tell it apart.
    """
    if not path.is_dir():
        raise ValueError(f"there is no folder {path}")
    names, skipped = FileNames(images.names.tolist()), []
    found: dict[int, tuple[str, Path]] = {}
    for file in sorted(file for file in path.rglob("*") if file.is_file() and not file.name.startswith(".")):
        name = file.relative_to(path).as_posix()
        try:
            if file.suffix.lower() not in SUFFIXES:
                raise ValueError("not a picture in a known format")
            index = names.index(name)
            if index in found:
                raise ValueError(f"{found[index][0]} is a mask of the same image")
            found[index] = name, file
        except ValueError as error:
            skipped.append(Skipped(name, str(error)))
    sizes = sizes_of(images, sorted(found))
    masks: dict[int, np.ndarray] = {}
    for index, (name, file) in found.items():
        try:
            masks[index] = picture_in_frame(read_mask(file), images.frame, sizes[index])
        except ValueError as error:
            skipped.append(Skipped(name, str(error)))
    return kept(masks, skipped, images)


def picture_in_frame(mask: np.ndarray, frame: Frame, size: tuple[int, int]) -> np.ndarray:
    """A mask (H, W) in [0, 1] of an image file of this height and width, on the frame's grid.

    ValueError where its sides have another ratio, or it shows no object there.
    """
    stretched = (mask.shape[0] * size[1]) / (mask.shape[1] * size[0])
    if not 1 / ALIKE <= stretched <= ALIKE:
        raise ValueError(
            f"it has {mask.shape[1]} x {mask.shape[0]} pixels and its image {size[1]} x {size[0]}: another shape"
        )
    fitted = mask_on_grid(mask[None], framed_box(frame, size), *grid(frame.height, frame.width))[0]
    if not np.rint(255 * fitted).any():
        raise ValueError("it is black where the classifier is shown the image, so it marks no object")
    return fitted


def box_in_frame(box: Sequence[float], frame: Frame, size: tuple[int, int]) -> np.ndarray:
    """A box, as shares of an image file of this height and width, on the frame's grid."""
    top, left, bottom, right = framed_box(frame, size)
    tall, wide = bottom - top, right - left
    inner = (box[0] - top) / tall, (box[1] - left) / wide, (box[2] - top) / tall, (box[3] - left) / wide
    return rectangle(inner, *grid(frame.height, frame.width))


def framed_box(frame: Frame, size: tuple[int, int]) -> Box:
    """The part of an image file of this height and width that the frame shows, as `Frame.fit` crops it."""
    if size == (frame.height, frame.width) and frame.crop_share == 1:
        return WHOLE
    height, width = frame.resized(*size)
    top, left = centre(height, frame.height), centre(width, frame.width)
    return top / height, left / width, (top + frame.height) / height, (left + frame.width) / width


def sizes_of(images: ImageSet, indices: Sequence[int]) -> dict[int, tuple[int, int]]:
    """The height and width of the image files at these indices, in pixels."""

    def size(index: int) -> tuple[int, int]:
        width, height = images.pixels.image(index).size
        return height, width

    if images.pixels.one_size and indices:
        return dict.fromkeys(indices, size(indices[0]))
    with ThreadPoolExecutor(os.cpu_count() or 1) as threads:
        return dict(zip(indices, threads.map(size, indices), strict=True))


def kept(
    masks: Mapping[int, np.ndarray], skipped: list[Skipped], images: ImageSet
) -> tuple[ImageMasks, tuple[Skipped, ...]]:
    """The masks by image index, in the images' order, with what was skipped; ValueError where no mask is left."""
    if not masks:
        why = f"; the first, {skipped[0].file_name}: {skipped[0].reason}" if skipped else ""
        raise ValueError(f"there is no mask for any of the images: {len(skipped):,} were skipped{why}")
    indices = sorted(masks)
    frame = images.frame
    return gathered(images.ids[indices], [masks[index] for index in indices], frame.height, frame.width), tuple(skipped)


def gathered(ids: np.ndarray, masks: Sequence[np.ndarray], height: int, width: int) -> ImageMasks:
    """Masks in [0, 1] on the grid of height x width pixels, as they are kept."""
    inside = np.array([np.rint(255 * mask) for mask in masks], dtype=np.uint8)
    return ImageMasks(ids, inside.reshape(-1, *grid(height, width)))


def grid(height: int, width: int) -> tuple[int, int]:
    """The cells of a mask over an image of so many pixels."""
    return min(MOST_CELLS, height), min(MOST_CELLS, width)
