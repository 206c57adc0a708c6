"""The images that are trained on, with what is forbidden in each: balanced, and read when they are needed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from engine.methods.cam_training.balance import Copies, brightened, shifted
from engine.methods.cam_training.geometry import Box
from engine.methods.cam_training.masks import for_images, on_grid
from engine.methods.cam_training.result import ImageMasks
from engine.methods.cam_training.settings import MaskSettings
from engine.runs.progress import Progress
from engine.subject.image_set import ImageSet
from engine.toolkit.prediction import batches, pools

ONCE_BYTES = 1 << 30  # images that take less are read once and kept
PORTION = 256

Reader = Callable[[np.ndarray], np.ndarray]  # rows (b,) -> pixels uint8 (b, C, H, W)


@dataclass(frozen=True, eq=False)
class Masking:
    """Where what is forbidden comes from: the settings, and the picture or the images' own masks that they ask for."""

    settings: MaskSettings
    picture: np.ndarray | None = None
    image_masks: ImageMasks | None = None

    def over(self, ids: np.ndarray, height: int, width: int, names: np.ndarray | None = None) -> np.ndarray:
        """(n, height, width) float32, 1 where forbidden, of images with these ids; (1, ...) where all share one."""
        return for_images(self.settings, ids, height, width, self.picture, self.image_masks, names)


@dataclass(frozen=True, eq=False)
class TrainingImages:
    """Rows (m,) of a training: which image each is, how it is moved, and what of it is forbidden."""

    images: ImageSet
    indices: np.ndarray
    copies: Copies
    masking: Masking
    read: Reader

    @cached_property
    def labels(self) -> np.ndarray:
        """(m,) int64."""
        return self.images.labels[self.indices][self.copies.rows]

    @property
    def size(self) -> tuple[int, int]:
        """Height and width in pixels."""
        return self.images.frame.height, self.images.frame.width

    def check_masks(self) -> None:
        """ValueError with their number and the first few names where images have no mask and should have."""
        self.masking.over(self.images.ids[self.indices], 1, 1, self.images.names[self.indices])

    def pixels(self, rows: np.ndarray) -> np.ndarray:
        """The images of these rows, uint8 (b, C, H, W)."""
        found = self.read(self.copies.rows[rows])
        return brightened(shifted(found, self.copies.shifts[rows]), self.copies.brightness[rows])

    def forbidden(self, rows: np.ndarray) -> np.ndarray:
        """(b, H, W) float32 in [0, 1], the masks moved with their images; (1, H, W) where all share one."""
        masks = self.masking.over(self.images.ids[self.indices[self.copies.rows[rows]]], *self.size)
        shifts = self.copies.shifts[rows]
        if len(masks) == 1 and not shifts.any():
            return masks
        return shifted(np.broadcast_to(masks, (len(rows), *masks.shape[1:])), shifts)

    def forbidden_cells(self, seen: Box, height: int, width: int) -> np.ndarray:
        """(m, height, width) float32 on the grid of a map that shows the box `seen`; (1, ...) where all share one."""
        rows = np.arange(len(self.labels))
        shared = self.masking.settings.shape != "each" and not self.copies.shifts.any()
        portions = [rows[:1]] if shared else [rows[start : start + PORTION] for start in range(0, len(rows), PORTION)]
        settings = self.masking.settings
        return np.concatenate([on_grid(settings, self.forbidden(portion), seen, height, width) for portion in portions])


def reader(images: ImageSet, indices: np.ndarray, progress: Progress) -> Reader:
    """What reads the images at these indices by row; they are read at once where they take less than a gigabyte."""
    frame = images.frame
    shape = (len(indices), frame.channels, frame.height, frame.width)
    if int(np.prod(shape)) > ONCE_BYTES:
        return lambda rows: images.read(indices[rows], pools()[0])
    pixels, done = np.empty(shape, np.uint8), 0
    for part, found in batches(images, indices, PORTION):
        progress.report(done / len(indices), "reading images")
        pixels[done : done + len(part)] = found
        done += len(part)
    return pixels.__getitem__
