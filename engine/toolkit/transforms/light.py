"""Another light, another exposure: each pixel's value alone changes. Numbers are (n, 1, 1, 1); the caller clamps."""

from __future__ import annotations

import torch
from torch import Tensor

GREY_WEIGHTS = (0.2989, 0.587, 0.114)  # of red, green and blue, as in torchvision (ITU-R 601)
STEEP = 1e-4  # a power's slope has no bound towards 0


def brightness(images: Tensor, factor: Tensor) -> Tensor:
    """All values multiplied."""
    return images * factor


def contrast(images: Tensor, factor: Tensor) -> Tensor:
    """Distances from the image's mean grey multiplied."""
    mean = grey(images).mean(dim=(2, 3), keepdim=True)
    return mean + factor * (images - mean)


def gamma(images: Tensor, exponent: Tensor) -> Tensor:
    """Values raised to a power.

    Pixels as good as black pass no gradient on: its size there, up to infinite, would drown all others.
    """
    return torch.where(images > STEEP, images, images.detach()) ** exponent


def saturation(images: Tensor, factor: Tensor) -> Tensor:
    """Distances from the pixel's own grey multiplied; colour images only."""
    own = grey(images)
    return own + factor * (images - own)


def hue(images: Tensor, degrees: Tensor) -> Tensor:
    """Colours turned around the wheel, in HSV; colour images only."""
    from kornia.enhance import adjust_hue  # here, for it would add to the start of everything else

    return adjust_hue(images, torch.deg2rad(degrees.flatten()))


def inversion(images: Tensor, share: Tensor) -> Tensor:
    """Blended with the negative: a share of 0.5 is grey, 1 the negative."""
    return images + share * (1 - 2 * images)


def grey(images: Tensor) -> Tensor:
    """The grey of images with 1 or 3 channels, (n, 1, H, W)."""
    if images.shape[1] == 1:
        return images
    return (images * images.new_tensor(GREY_WEIGHTS)[:, None, None]).sum(dim=1, keepdim=True)
