"""Drawing many small scans at once, each enlarged, slanted, turned and shifted in its own way."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

FINER = 4  # the spline's samples a scan pixel, fine enough for straight lines between them
BORDER = 2  # empty scan pixels around a scan, so that the strokes end softly


@dataclass(frozen=True)
class Poses:
    """How each scan lies in its image; arrays (N,). Lengths in image pixels, the turn in radians.

    `size` is the scan's side; `slant` the pixels that a stroke moves to the right on its way one pixel up.
    """

    size: np.ndarray
    slant: np.ndarray
    turn: np.ndarray
    down: np.ndarray
    right: np.ndarray

    def part(self, chosen: slice) -> Poses:
        """Some of the poses."""
        return Poses(self.size[chosen], self.slant[chosen], self.turn[chosen], self.down[chosen], self.right[chosen])


def enlarged(scans: np.ndarray) -> np.ndarray:
    """Scans (n, 8, 8), ink in [0, 1] -> the same, smooth and with a border, `FINER` samples a pixel; in [0, 1]."""
    from scipy.ndimage import zoom

    side = scans.shape[1] + 2 * BORDER
    spline = zoom(np.eye(side), (FINER, 1), order=3, grid_mode=True, mode="grid-constant")
    bordered = np.pad(scans, ((0, 0), (BORDER, BORDER), (BORDER, BORDER)))
    return np.clip(spline @ bordered @ spline.T, 0, 1)


def ink(fine: np.ndarray, poses: Poses, side: int) -> np.ndarray:
    """The `enlarged` scans (N, F, F), one an image, drawn in their poses -> ink (N, side, side) in [0, 1]."""
    places = np.arange(side) - (side - 1) / 2
    down = places[None, :, None] - poses.down[:, None, None]
    right = places[None, None, :] - poses.right[:, None, None]
    cosine, sine = np.cos(poses.turn)[:, None, None], np.sin(poses.turn)[:, None, None]
    upright_down, upright_right = cosine * down + sine * right, cosine * right - sine * down
    upright_right = upright_right + poses.slant[:, None, None] * upright_down
    samples_a_pixel = (8 * FINER / poses.size)[:, None, None]
    middle = (fine.shape[1] - 1) / 2
    return sampled(fine, upright_down * samples_a_pixel + middle, upright_right * samples_a_pixel + middle)


def sampled(images: np.ndarray, rows: np.ndarray, columns: np.ndarray) -> np.ndarray:
    """Images (N, F, F) read at fractional rows and columns (N, h, w), linear between samples, 0 well outside."""
    last = images.shape[1] - 1
    rows, columns = np.clip(rows, 0, last - 1e-6), np.clip(columns, 0, last - 1e-6)
    top, left = rows.astype(np.int64), columns.astype(np.int64)
    below, beyond = rows - top, columns - left
    flat = images.reshape(-1)
    corner = (np.arange(len(images)) * images.shape[1] ** 2)[:, None, None] + top * images.shape[1] + left
    upper = flat[corner] * (1 - beyond) + flat[corner + 1] * beyond
    corner += images.shape[1]
    lower = flat[corner] * (1 - beyond) + flat[corner + 1] * beyond
    return upper * (1 - below) + lower * below


def on_paper(papers: np.ndarray, strokes: np.ndarray, inks: np.ndarray, grain: np.ndarray) -> np.ndarray:
    """Ink on paper, with noise: uint8 images (N, h, w, 3).

    papers (N, h or 1, w or 1, 3), inks (N, 3) and the noise `grain` (N, h, w, 3) in grey levels; strokes (N, h, w) in
    [0, 1].
    """
    mixed = papers + strokes[..., None] * (inks[:, None, None] - papers)
    return np.clip(np.rint(mixed + grain), 0, 255).astype(np.uint8)
