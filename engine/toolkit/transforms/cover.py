"""What hides parts of an image. Borders that cut a pixel cover their share of it, so that all is continuous."""

from __future__ import annotations

import torch
from torch import Tensor

from engine.toolkit.transforms.families import BY_NAME

GREY = 0.5
MIDDLE = 1 - BY_NAME["occlusion"].side(1).end / 100  # of each side holds the centres, so that the largest square fits


def occlusion(images: Tensor, percent: Tensor, places: Tensor) -> Tensor:
    """A grey square of a side in per cent of the shorter side, (n, 1, 1, 1), that grows about its centre.

    places (n, 2) in [0, 1]: where the centre lies in the middle part of the width and of the height.
    """
    height, width = images.shape[2:]
    half = percent.flatten() / 100 * min(height, width) / 2
    x, y = (((1 - MIDDLE) / 2 + MIDDLE * places) * images.new_tensor([width, height])).unbind(dim=1)
    across, down = covered(x - half, x + half, width), covered(y - half, y + half, height)
    hidden = (down[:, :, None] * across[:, None, :])[:, None]
    return images * (1 - hidden) + GREY * hidden


def time_mask(images: Tensor, percent: Tensor, places: Tensor) -> Tensor:
    """A black band of columns, its width in per cent of the image's, (n, 1, 1, 1); places (n, 1), see `band`."""
    return images * (1 - band(percent, places, images.shape[3])[:, None, None, :])


def frequency_mask(images: Tensor, percent: Tensor, places: Tensor) -> Tensor:
    """A black band of rows, its height in per cent of the image's, (n, 1, 1, 1); places (n, 1), see `band`."""
    return images * (1 - band(percent, places, images.shape[2])[:, None, :, None])


def band(percent: Tensor, places: Tensor, length: int) -> Tensor:
    """How much of each of `length` pixels a band covers, (n, length).

    places in [0, 1]: 0 is the first place at which the whole band is inside, 1 the last. A wider band covers all that
    a narrower one of the same place does.
    """
    width = percent.flatten() / 100 * length
    start = places.flatten() * (length - width)
    return covered(start, start + width, length)


def covered(start: Tensor, stop: Tensor, length: int) -> Tensor:
    """The share of each of `length` pixels that lies between start and stop (n,), in pixels: (n, length)."""
    left = torch.arange(length, dtype=start.dtype, device=start.device)
    return (torch.minimum(stop[:, None], left + 1) - torch.maximum(start[:, None], left)).clamp(min=0)
