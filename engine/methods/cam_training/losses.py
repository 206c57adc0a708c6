"""What a map costs for what it shows in forbidden cells.

Maps (n, h, w) are signed and in logits: the mean over the cells is what they add to the score. Forbidden weights
(n, h, w), or (h, w) for all, lie in [0, 1], 1 where a cell is wholly forbidden. Nothing is normalised: a minimum and
a maximum would take sign and scale out of the maps, and their gradients jump.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

SMALLEST = 1e-6  # logits: a map without any evidence has no share of it outside
SIGMA = 0.25  # the published bell's standard deviation, as a share of the image's side


def mse(maps: Tensor, forbidden: Tensor) -> Tensor:
    """The mean of the squared evidence in forbidden cells: what LINT's README intends, on the contrast."""
    return ((forbidden * maps) ** 2).mean()


def l1(maps: Tensor, forbidden: Tensor) -> Tensor:
    """The mean of the evidence in forbidden cells, whatever its sign; weak evidence costs as much for its size."""
    return (forbidden * maps.abs()).mean()


def energy(maps: Tensor, forbidden: Tensor) -> Tensor:
    """The share of all evidence that is in forbidden cells, in [0, 1], the mean over the images.

    After the energy loss of Rao et al. 2023 (Model Guidance), with both signs: how large the evidence is costs nothing.
    """
    evidence = maps.abs()
    return ((forbidden * evidence).sum(dim=(1, 2)) / (evidence.sum(dim=(1, 2)) + SMALLEST)).mean()


def margin(scores: Tensor, maps: Tensor, forbidden: Tensor, weight: float) -> Tensor:
    """Cross-entropy of what is left of the label's score (n,) without forbidden cells, `weight` times their evidence
    taken off as well; it takes the place of the usual one, which it is where nothing is forbidden.

    The score is the label's logit less the log-sum-exp of the others, so that softplus(-score) is the cross-entropy.
    After the foreground margin of jinensetpal/contrastive-optimization.
    """
    outside = (forbidden * maps).mean(dim=(1, 2)) + weight * (forbidden * maps.abs()).mean(dim=(1, 2))
    return F.softplus(outside - scores).mean()


def published(maps: Tensor) -> Tensor:
    """LINT's loss as its README means it, on the label's own map: an inverted bell, by cells, the mean of squares.

    The bell has its peak in the centre and a quarter of the side for its standard deviation, whatever mask was chosen.
    A map of one class can be flattened by moving the evidence to the others, which is why `mse` looks at the contrast.
    """
    free = bell(maps.shape[-2], maps.shape[-1], maps.device)
    return (((1 - free / free.max()) * maps) ** 2).mean()


def published_as_it_was(maps: Tensor, height: int, width: int) -> Tensor:
    """LINT's loss as its code had it in January 2023, on the last class's map, whatever the label and the mask are.

    The map is drawn out to the image's height and width and multiplied as a matrix with a bell that weighs the centre
    and sums to 1; the mean over images and pixels is taken before the square, so that evidence for and against
    cancels. Published for square images; on others the bell is as wide and high as the image is wide.
    """
    drawn = F.interpolate(maps[:, None], size=(height, width), mode="bilinear")[:, 0]
    weights = bell(width, width, maps.device)
    return (drawn @ (weights / weights.sum())).mean() ** 2


def bell(height: int, width: int, device: torch.device) -> Tensor:
    """A Gaussian (height, width) around the middle of so many cells, a quarter of each side its standard deviation."""
    down, right = (
        torch.exp(-(((torch.arange(side, device=device) + 0.5) / side - 0.5) ** 2) / (2 * SIGMA**2))
        for side in (height, width)
    )
    return down[:, None] * right
