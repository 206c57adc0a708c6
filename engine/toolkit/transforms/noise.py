"""What a sensor adds. The chance is drawn before and only scaled here, so that more noise is more of the same."""

from __future__ import annotations

import math

import torch
from torch import Tensor

FAINT = 1e-6  # standard deviation: a smaller one is lost in float32
FEW = 4.0  # photons: with fewer, the expansion of the quantile is off by one in more than 2 pixels of 1,000
MOST = 17  # photons that a pixel of so few gets: the quantile of the largest number that is drawn


def gaussian_noise(images: Tensor, deviation: Tensor, normals: Tensor) -> Tensor:
    """Grain of a standard deviation (n, 1, 1, 1); normals (n, C, H, W)."""
    return images + deviation * normals


@torch.no_grad()
def shot_noise(images: Tensor, deviation: Tensor, quantiles: Tensor) -> Tensor:
    """Photons counted: white is 1 / deviation^2 of them on average, and so deviates by `deviation` (n, 1, 1, 1).

    quantiles (n, C, H, W) in (0, 1): where in the Poisson distribution of its own rate each pixel lies.
    """
    white = deviation.clamp(min=FAINT) ** -2
    return poisson_quantile(images * white, quantiles) / white


def salt_and_pepper(images: Tensor, share: Tensor, places: Tensor) -> Tensor:
    """A share of the pixels (n, 1, 1, 1) gone black or white, all channels at once.

    places (n, 2, H, W) in [0, 1]: a pixel goes once the share exceeds the first, to white where the second is at
    least a half. A larger share holds all pixels that a smaller one does.
    """
    gone, colour = places[:, :1] < share, (places[:, 1:] >= 0.5).to(images.dtype)
    return torch.where(gone, colour, images)


def poisson_quantile(rates: Tensor, quantiles: Tensor) -> Tensor:
    """The least counts that a Poisson variable of these rates stays at or below with these probabilities in (0, 1).

    Exact for small rates, at times one off for others.
    """
    few = rates < FEW
    if few.all():
        return _summed(rates, quantiles)
    many = _expanded(rates.clamp(min=FEW), quantiles)
    return torch.where(few, _summed(rates.clamp(max=FEW), quantiles), many) if few.any() else many


def _summed(rates: Tensor, quantiles: Tensor) -> Tensor:
    """The quantile by adding up probabilities, for rates up to FEW."""
    counts, chance = torch.zeros_like(rates), torch.exp(-rates)
    total = chance.clone()
    for count in range(1, MOST + 1):
        more = total < quantiles
        if not more.any():
            break
        counts += more
        chance *= rates / count
        total += chance
    return counts


def _expanded(rates: Tensor, quantiles: Tensor) -> Tensor:
    """The quantile by an expansion around the normal one, for rates from FEW on: Giles 2016, algorithm 955, Q_N2."""
    z, root = math.sqrt(2) * torch.erfinv(2 * quantiles - 1), rates.sqrt()
    square = z * z
    near = rates + root * z + (2 + square) / 6 - z * (2 + square) / (72 * root)
    return (near + (square * (7 / 810 + square / 270) - 8 / 405) / rates).floor().clamp(min=0)
