"""Changes that treat rows and columns apart: a matrix for each axis and image."""

from __future__ import annotations

from torch import Tensor


def along_axes(images: Tensor, across: Tensor, down: Tensor) -> Tensor:
    """The images (n, C, H, W) with each row taken through its image's matrix `across` (n, W, W), each column `down`.

    across[i, j] is the weight of pixel j in pixel i of the result; down (n, H, H) the same.
    """
    count, channels, height, width = images.shape
    rows = images.reshape(count, channels * height, width) @ across.mT
    columns = rows.reshape(count, channels, height, width).transpose(2, 3).reshape(count, channels * width, height)
    return (columns @ down.mT).reshape(count, channels, width, height).transpose(2, 3)
