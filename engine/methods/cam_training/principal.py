"""The first principal component of a layer's activations, image by image."""

from __future__ import annotations

import torch
from torch import Tensor


def first_component(activations: Tensor) -> Tensor:
    """(n, h, w) each cell's place along the direction in which cells (of n, C, h, w) differ most, from their mean.

    The sign is the one that goes up where the channels' mean does, for the component itself has none.
    Muhammad and Yeasin 2020, of centred activations.
    """
    count, _, height, width = activations.shape
    # on the CPU, where there are eigenvectors in double precision whatever the device
    rows = activations.detach().flatten(2).transpose(1, 2).double().cpu()
    rows = rows - rows.mean(dim=1, keepdim=True)
    if rows.shape[1] <= rows.shape[2]:
        found = torch.linalg.eigh(rows @ rows.mT)
        place = found.eigenvectors[:, :, -1] * found.eigenvalues[:, -1:].clamp(min=0).sqrt()
    else:
        place = (rows @ torch.linalg.eigh(rows.mT @ rows).eigenvectors[:, :, -1:])[:, :, 0]
    agrees = (place * rows.mean(dim=2)).sum(dim=1, keepdim=True)
    place = torch.where(agrees < 0, -place, place)
    return place.view(count, height, width).to(activations)
