"""An ImageSet as plain values and arrays, so that it is found again without reading its files once more."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from engine.loading.image_files import FilePixels
from engine.subject.frame import Frame
from engine.subject.image_set import ArrayPixels, ImageSet, Skipped


@dataclass(frozen=True)
class KeptImages:
    """The columns of an ImageSet; its pixels are `array`, or the files `paths` below `root`."""

    name: str
    classes: tuple[str, ...]
    ids: np.ndarray
    labels: np.ndarray
    names: np.ndarray
    roles: np.ndarray
    seen: np.ndarray
    groups: np.ndarray
    frame: Frame
    skipped: tuple[Skipped, ...]
    remarks: tuple[str, ...]
    array: np.ndarray | None
    root: str
    paths: np.ndarray | None
    one_size: bool


def to_kept(images: ImageSet) -> KeptImages:
    """The columns to keep; raises TypeError for pixels that are neither an array nor files."""
    pixels = images.pixels
    if isinstance(pixels, ArrayPixels):
        array, root, paths, one_size = pixels.array, "", None, True
    elif isinstance(pixels, FilePixels):
        array, root, paths, one_size = None, str(pixels.root), np.asarray(pixels.names), pixels.one_size
    else:
        raise TypeError(f"images from {type(pixels).__name__} can't be kept")
    return KeptImages(
        images.name,
        images.classes,
        images.ids,
        images.labels,
        images.names,
        images.roles,
        images.seen,
        images.groups,
        images.frame,
        images.skipped,
        images.remarks,
        array,
        root,
        paths,
        one_size,
    )


def from_kept(kept: KeptImages) -> ImageSet:
    """The ImageSet whose columns were kept."""
    contents = [sample_id.partition("~")[0] for sample_id in kept.ids.tolist()]
    pixels = (
        ArrayPixels(kept.array)
        if kept.array is not None
        else FilePixels(Path(kept.root), () if kept.paths is None else kept.paths, kept.one_size, contents)
    )
    return ImageSet(
        kept.name,
        kept.classes,
        kept.ids,
        kept.labels,
        kept.names,
        kept.roles,
        kept.seen,
        kept.groups,
        pixels,
        kept.frame,
        kept.skipped,
        kept.remarks,
    )
