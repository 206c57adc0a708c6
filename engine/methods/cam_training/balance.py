"""Classes made equally frequent for training, by how often they are drawn or by copies that keep the label.

Both draw by the seed alone, so that all arms of one seed are given the same.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from engine.toolkit.training import Order

MOST_SHIFT = 0.0625  # of the image's side, either way: 2 of 32 pixels
MOST_BRIGHTNESS = 0.1  # either way, of what a pixel has


@dataclass(frozen=True)
class Copies:
    """Training images, each as it is, then moved copies of those of rare classes.

    `rows` (m,) int64 of the images; `shifts` (m, 2) int64, pixels down and right; `brightness` (m,) float32, a factor.
    """

    rows: np.ndarray
    shifts: np.ndarray
    brightness: np.ndarray


def sampled(labels: np.ndarray, seed: int) -> Order:
    """An order that gives each class equally often in every epoch of as many images as there are.

    Within a class images come in turn, in an order drawn anew, so that none comes again before all have come.
    """
    generator = torch.Generator().manual_seed(seed)
    members = [torch.from_numpy(np.flatnonzero(labels == label)) for label in np.unique(labels)]

    def order() -> Tensor:
        share, left = divmod(len(labels), len(members))
        more = torch.randperm(len(members), generator=generator)[:left].tolist()
        rows = [in_turn(own, share + (place in more), generator) for place, own in enumerate(members)]
        drawn = torch.cat(rows)
        return drawn[torch.randperm(len(drawn), generator=generator)]

    return order


def in_turn(rows: Tensor, count: int, generator: torch.Generator) -> Tensor:
    """So many of the rows, all of them in a drawn order before any comes again."""
    rounds = -(-count // len(rows))
    return torch.cat([rows[torch.randperm(len(rows), generator=generator)] for _ in range(rounds)])[:count]


def as_they_are(count: int) -> Copies:
    """So many images, none of them moved."""
    return Copies(np.arange(count), np.zeros((count, 2), np.int64), np.ones(count, np.float32))


def filled_up(labels: np.ndarray, height: int, width: int, seed: int) -> Copies:
    """All images, and copies of those of each class until it is as large as the largest.

    Copies are moved by a sixteenth of the image's height and width at most and made a tenth brighter or darker at most.
    Nothing is mirrored or turned, which could make a label wrong or plant another cue.
    """
    generator = np.random.default_rng([seed, 4])
    classes, counts = np.unique(labels, return_counts=True)
    more = [
        generator.permutation(np.resize(generator.permutation(np.flatnonzero(labels == label)), counts.max() - count))
        for label, count in zip(classes, counts, strict=True)
    ]
    rows = np.concatenate(more)
    most = np.maximum(1, np.rint(MOST_SHIFT * np.array([height, width]))).astype(np.int64)
    shifts = generator.integers(-most, most + 1, (len(rows), 2))
    brightness = generator.uniform(1 - MOST_BRIGHTNESS, 1 + MOST_BRIGHTNESS, len(rows)).astype(np.float32)
    whole = as_they_are(len(labels))
    return Copies(
        np.concatenate([whole.rows, rows]),
        np.concatenate([whole.shifts, shifts]),
        np.concatenate([whole.brightness, brightness]),
    )


def shifted(arrays: np.ndarray, shifts: np.ndarray) -> np.ndarray:
    """Arrays (n, ..., H, W), each moved by so many pixels down and right (n, 2); the edge is drawn out behind them."""
    height, width = arrays.shape[-2:]
    out = arrays.copy()
    for place in np.flatnonzero(shifts.any(axis=1)):
        down, right = shifts[place]
        rows, columns = (
            np.clip(np.arange(height) - down, 0, height - 1),
            np.clip(np.arange(width) - right, 0, width - 1),
        )
        out[place] = arrays[place][..., rows[:, None], columns]
    return out


def brightened(pixels: np.ndarray, brightness: np.ndarray) -> np.ndarray:
    """Pixels uint8 (n, C, H, W), each times its factor (n,), within what a byte holds."""
    if (brightness == 1).all():
        return pixels
    return np.clip(np.rint(pixels * brightness[:, None, None, None]), 0, 255).astype(np.uint8)
