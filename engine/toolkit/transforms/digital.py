"""What becomes of an image in a file: fewer pixels, fewer levels, JPEG. All go in steps, so values get no gradient."""

from __future__ import annotations

import io

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from engine.toolkit.transforms.separable import along_axes


def pixelate(images: Tensor, share: Tensor) -> Tensor:
    """So large a share (n, 1, 1, 1) of the rows and of the columns left, each cell the mean of what it covers."""
    height, width = images.shape[2:]
    return along_axes(images, cells(share.flatten(), width), cells(share.flatten(), height))


def cells(share: Tensor, length: int) -> Tensor:
    """Matrices (n, length, length): the weight of each pixel (second) in the cell that holds the pixel (first).

    The nearest whole number of cells, at least one, are equally wide and may cut pixels, which count by their share.
    """
    number = (share * length).round().clamp(min=1)[:, None, None]
    place = torch.arange(length, dtype=share.dtype, device=share.device)
    start = ((place[:, None] + 0.5) * number / length).floor() * length / number
    stop = start + length / number
    return (torch.minimum(stop, place + 1) - torch.maximum(start, place)).clamp(min=0) * number / length


def quantise(images: Tensor, bits: Tensor) -> Tensor:
    """Rounded to 2^bits evenly spaced levels, black and white among them; bits (n, 1, 1, 1), at least 1."""
    steps = (2**bits).round() - 1
    return (images * steps).round() / steps


def jpeg(images: Tensor, quality: Tensor) -> Tensor:
    """Compressed and opened again by Pillow at the nearest whole quality (n, 1, 1, 1), colours at half resolution.

    One after the other: threads gain nothing, not even for images of 224 px.
    """
    pixels = (images.detach() * 255).round().to(torch.uint8).permute(0, 2, 3, 1).cpu().numpy()
    qualities = quality.detach().flatten().round().int().tolist()
    opened = np.stack([_recompressed(*each) for each in zip(pixels, qualities, strict=True)])
    return torch.from_numpy(opened).permute(0, 3, 1, 2).to(images) / 255


def _recompressed(pixels: np.ndarray, quality: int) -> np.ndarray:
    """Pixels uint8 (H, W, C) after JPEG."""
    file = io.BytesIO()
    Image.fromarray(pixels.squeeze(2) if pixels.shape[2] == 1 else pixels).save(file, "JPEG", quality=quality)
    return np.asarray(Image.open(file)).reshape(pixels.shape)
