"""A convolutional variational autoencoder, sized to its images (Kingma and Welling 2014)."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

COARSE = 4  # cells on the longer side, about, where convolutions end
WIDTHS = (16, 32, 64, 96, 128)  # channels at half the size, at a quarter, and so on
HIDDEN = 256
LEAST_SQUARE = (1 / 255) ** 2 / 12  # a mean squared error below that of rounding to grey levels means nothing


class VAE(nn.Module):
    """Images (n, channels, height, width) in [0, 1] -> codes (n, dimensions) -> images.

    With `classes` above 0 encoder and decoder are given the label as well: (n,) int, or shares of all labels (n,
    classes) float. Sides of any length: images are continued at their border up to what can be halved as often as there
    are convolutions, and cropped after decoding.
    """

    def __init__(self, channels: int, height: int, width: int, dimensions: int, classes: int = 0) -> None:
        super().__init__()
        self.height, self.width, self.classes = height, width, classes
        levels = max(2, min(len(WIDTHS), round(math.log2(max(height, width) / COARSE))))
        widths = WIDTHS[:levels]
        self.grid = (-(-height // 2**levels), -(-width // 2**levels))
        self.padding = (self.grid[1] * 2**levels - width, self.grid[0] * 2**levels - height)
        cells = widths[-1] * self.grid[0] * self.grid[1]
        self.down = nn.Sequential(*[halved(a, b) for a, b in zip((channels, *widths[:-1]), widths, strict=True)])
        self.to_hidden = nn.Linear(cells + classes, HIDDEN)
        self.to_code = nn.Linear(HIDDEN, 2 * dimensions)
        self.from_code = nn.Linear(dimensions + classes, HIDDEN)
        self.from_hidden = nn.Linear(HIDDEN, cells)
        self.up = nn.Sequential(*[doubled(a, b) for a, b in zip(widths[:0:-1], widths[-2::-1], strict=True)])
        self.to_image = nn.ConvTranspose2d(widths[0], channels, 4, 2, 1)

    def encode(self, images: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
        """The mean and the logarithm of the variance, both (n, dimensions), of each image's code."""
        padded = F.pad(images, (0, self.padding[0], 0, self.padding[1]), mode="replicate")
        hidden = F.relu(self.to_hidden(self.with_label(self.down(padded).flatten(1), labels)))
        mean, log_variance = self.to_code(hidden).chunk(2, dim=1)
        return mean, log_variance.clamp(-12, 6)

    def decode(self, codes: Tensor, labels: Tensor) -> Tensor:
        """The images (n, channels, height, width) in [0, 1] of codes (n, dimensions)."""
        hidden = F.relu(self.from_code(self.with_label(codes, labels)))
        cells = F.relu(self.from_hidden(hidden)).unflatten(1, (-1, *self.grid))
        return self.to_image(self.up(cells))[..., : self.height, : self.width].sigmoid()

    def multiplications(self) -> float:
        """About how many one image takes, encoded and decoded."""
        found, cells = 0.0, float(self.height * self.width)
        for block in self.down:
            cells /= 4
            found += cells * sum(weight.numel() for weight in block.parameters() if weight.ndim == 4)
        dense = sum(layer.weight.numel() for layer in (self.to_hidden, self.to_code, self.from_code, self.from_hidden))
        return 2 * found + dense

    def with_label(self, rows: Tensor, labels: Tensor) -> Tensor:
        """The rows (n, ...) with the label behind them, where the network is given it."""
        if not self.classes:
            return rows
        shares = labels if labels.is_floating_point() else F.one_hot(labels, self.classes)
        return torch.cat([rows, shares.to(rows.dtype)], dim=1)


def halved(before: int, after: int) -> nn.Sequential:
    """A convolution to half the size."""
    return nn.Sequential(nn.Conv2d(before, after, 4, 2, 1, bias=False), nn.BatchNorm2d(after), nn.ReLU())


def doubled(before: int, after: int) -> nn.Sequential:
    """A convolution to twice the size."""
    return nn.Sequential(nn.ConvTranspose2d(before, after, 4, 2, 1, bias=False), nn.BatchNorm2d(after), nn.ReLU())


def divergence(mean: Tensor, log_variance: Tensor) -> Tensor:
    """(n, dimensions) the Kullback-Leibler divergence in nats of N(mean, variance) from N(0, 1), closed form."""
    return 0.5 * (mean.square() + log_variance.exp() - 1 - log_variance)


def reconstruction_loss(images: Tensor, decoded: Tensor) -> Tensor:
    """The negative log-likelihood of the images (n, C, H, W) in nats an image, a scalar.

    Of a Gaussian around the decoded ones with the one variance that makes the batch likeliest, so that the balance with
    the divergence needs no tuning (Rybkin, Daniilidis and Levine 2021).
    """
    return negative_log_likelihood((images - decoded).square().mean(), images[0].numel())


def negative_log_likelihood(square: Tensor, values: int) -> Tensor:
    """In nats an image of so many `values` whose mean squared error is `square`, under its likeliest Gaussian."""
    return 0.5 * values * (square.clamp_min(LEAST_SQUARE).log() + 1 + math.log(2 * math.pi))
