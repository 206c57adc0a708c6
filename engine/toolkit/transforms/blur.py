"""Light of one point spread over others: out of focus, or moving while the shutter is open."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from scipy.fft import next_fast_len
from torch import Tensor

from engine.toolkit.transforms.separable import along_axes

SHARP = 0.05  # pixels: no float tells a narrower Gaussian, which would divide by 0, from this one


def gaussian_blur(images: Tensor, percent: Tensor) -> Tensor:
    """Out of focus, by a standard deviation in per cent of the shorter side (n, 1, 1, 1); mirrored at the borders.

    A matrix an image and axis, so that each image has its own deviation and none is cut off.
    """
    height, width = images.shape[2:]
    sigma = (percent.flatten() / 100 * min(height, width)).clamp(min=SHARP)
    across = spreading(sigma, width)
    return along_axes(images, across, across if height == width else spreading(sigma, height))


def spreading(sigma: Tensor, length: int) -> Tensor:
    """Matrices (n, length, length): the weight of each pixel (second) in the blurred pixel (first); sigma (n,) pixels.

    A pixel counts where it is and where the borders mirror it, their own pixels not repeated.
    """
    place = torch.arange(length, device=sigma.device)
    distances = torch.arange(2 * length - 1, dtype=sigma.dtype, device=sigma.device)
    weights = torch.exp(-0.5 * (distances / sigma[:, None]) ** 2)
    here, before = (place[:, None] - place).abs(), place[:, None] + place
    after = 2 * (length - 1) - before
    matrix = weights[:, here] + weights[:, before] * (place > 0) + weights[:, after] * (place < length - 1)
    return matrix / matrix.sum(dim=2, keepdim=True)


def motion_blur(images: Tensor, percent: Tensor, angles: Tensor) -> Tensor:
    """Smeared along a line of a length in per cent of the shorter side (n, 1, 1, 1); the border's pixels go on outside.

    angles (n, 1) in [0, 1]: the line's, in half turns. Through Fourier space: for the longest lines in images of 224 px
    a plain convolution takes 40 times as long.
    """
    height, width = images.shape[2:]
    length = percent.flatten() / 100 * min(height, width)
    reach = math.ceil(float(length.detach().max()) / 2) + 1
    kernels = lines(length, angles.flatten() * math.pi, reach, samples=2 * min(height, width))
    padded = F.pad(images, (reach,) * 4, mode="replicate")
    size = tuple(next_fast_len(side, real=True) for side in padded.shape[2:])
    spectrum = torch.fft.rfft2(padded, size) * torch.fft.rfft2(kernels, size)[:, None]
    smeared = torch.fft.irfft2(spectrum, size)
    return smeared[:, :, 2 * reach : 2 * reach + height, 2 * reach : 2 * reach + width]


def lines(length: Tensor, angles: Tensor, reach: int, samples: int) -> Tensor:
    """Kernels (n, 2 reach + 1, 2 reach + 1) of lines through their centres, each of sum 1.

    length (n,) in pixels; angles (n,) in radians, counter-clockwise as seen. So many points of a line, evenly spaced,
    each give their weight to the four pixels around them as bilinear interpolation would.
    """
    along = ((torch.arange(samples, dtype=length.dtype, device=length.device) + 0.5) / samples - 0.5) * length[:, None]
    across, down = along * torch.cos(angles)[:, None], -along * torch.sin(angles)[:, None]
    offsets = torch.arange(-reach, reach + 1, dtype=length.dtype, device=length.device)[:, None]
    columns, rows = ((1 - (offsets - line[:, None]).abs()).clamp(min=0) for line in (across, down))
    return rows @ columns.mT / samples
