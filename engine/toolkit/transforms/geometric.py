"""Where the pixels go: every geometric change of an image together is one map, and one interpolation.

Points are (x, y) in pixels from the image's centre, x to the right and y down, so that images that aren't square are
turned without being distorted. The maps run backwards, from a point of the result to where its value comes from.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import torch
import torch.nn.functional as F
from torch import Tensor

Size = tuple[int, int]
CORNERS = ((-1.0, -1.0), (1.0, -1.0), (1.0, 1.0), (-1.0, 1.0))  # (x, y) in half sides


def moved(images: Tensor, values: Mapping[str, Tensor], draws: Mapping[str, Tensor]) -> Tensor:
    """The images (n, C, H, W) after all geometric families in `values`, each (n,), in one bilinear interpolation.

    What comes from outside the image is taken from its border.
    """
    grid = sampling_grid(values, draws, (images.shape[2], images.shape[3]), images)
    return F.grid_sample(images, grid, mode="bilinear", padding_mode="border", align_corners=False)


def sampling_grid(values: Mapping[str, Tensor], draws: Mapping[str, Tensor], size: Size, like: Tensor) -> Tensor:
    """Where each pixel's value comes from, (n, H, W, 2), as grid_sample takes it: -1 and 1 are the image's borders."""
    height, width = size
    points = _centres(size, like).expand(len(like), height, width, 2)
    if "elastic" in values:
        points = points + displacement(values["elastic"], draws["elastic"], size)
    here = torch.cat([points, torch.ones_like(points[..., :1])], dim=-1).reshape(len(like), height * width, 3)
    there = here @ backward_matrix(values, draws, size, like).mT
    return (there[..., :2] / there[..., 2:]).reshape(len(like), height, width, 2) / _half(size, like)


def backward_matrix(values: Mapping[str, Tensor], draws: Mapping[str, Tensor], size: Size, like: Tensor) -> Tensor:
    """The map of all geometric families but the elastic one from the result to the image, (n, 3, 3), homogeneous.

    The families apply to the image in the order of BACKWARD, hence their backward maps to the result in reverse.
    """
    matrix = torch.eye(3, dtype=like.dtype, device=like.device).expand(len(like), 3, 3)
    for name, backward in BACKWARD.items():
        if name in values:
            matrix = matrix @ backward(values[name], size)
    if "perspective" in values:
        matrix = matrix @ perspective(values["perspective"], draws["perspective"], size)
    return matrix


def rotation(degrees: Tensor, _size: Size) -> Tensor:
    """Backward matrices (n, 3, 3) of turns about the centre, counter-clockwise as seen."""
    cosine, sine = torch.cos(torch.deg2rad(degrees)), torch.sin(torch.deg2rad(degrees))
    return _matrices([[cosine, -sine, 0], [sine, cosine, 0], [0, 0, 1]], degrees)


def translation_x(percent: Tensor, size: Size) -> Tensor:
    """Backward matrices (n, 3, 3) of shifts to the right, in per cent of the shorter side."""
    return _matrices([[1, 0, -percent / 100 * min(size)], [0, 1, 0], [0, 0, 1]], percent)


def translation_y(percent: Tensor, size: Size) -> Tensor:
    """Backward matrices (n, 3, 3) of shifts down, in per cent of the shorter side."""
    return _matrices([[1, 0, 0], [0, 1, -percent / 100 * min(size)], [0, 0, 1]], percent)


def scale(factor: Tensor, _size: Size) -> Tensor:
    """Backward matrices (n, 3, 3) of enlargements about the centre."""
    return _matrices([[1 / factor, 0, 0], [0, 1 / factor, 0], [0, 0, 1]], factor)


def shear(degrees: Tensor, _size: Size) -> Tensor:
    """Backward matrices (n, 3, 3) of slants: an upright stroke then leans to the right by so many degrees."""
    return _matrices([[1, torch.tan(torch.deg2rad(degrees)), 0], [0, 1, 0], [0, 0, 1]], degrees)


# In the order in which they are applied; the perspective follows.
BACKWARD: dict[str, Callable[[Tensor, Size], Tensor]] = {
    "rotation": rotation,
    "translation_x": translation_x,
    "translation_y": translation_y,
    "scale": scale,
    "shear": shear,
}


def perspective(percent: Tensor, shares: Tensor, size: Size) -> Tensor:
    """Backward matrices (n, 3, 3) that show the image with its corners pulled in.

    shares (n, 4, 2) in [0, 1]: how much of `percent` / 2 of the width, and of the height, each corner goes inwards,
    in the order of CORNERS.
    """
    corners = torch.tensor(CORNERS, dtype=percent.dtype, device=percent.device)
    pulled = corners * (1 - percent[:, None, None] / 100 * shares)
    x, y = pulled.unbind(dim=2)
    u, v = corners.expand_as(pulled).unbind(dim=2)
    one, none = torch.ones_like(x), torch.zeros_like(x)
    # (a x + b y + c) / (g x + h y + 1) = u and (d x + e y + f) / (g x + h y + 1) = v at each of the corners
    across = torch.stack([x, y, one, none, none, none, -u * x, -u * y], dim=2)
    down = torch.stack([none, none, none, x, y, one, -v * x, -v * y], dim=2)
    solved = torch.linalg.solve(torch.cat([across, down], dim=1), torch.cat([u, v], dim=1))
    matrix = torch.cat([solved, torch.ones_like(solved[:, :1])], dim=1).reshape(-1, 3, 3)
    half = torch.cat([_half(size, percent), percent.new_ones(1)])  # solved in half sides, wanted in pixels
    return matrix * half[:, None] / half


def displacement(percent: Tensor, knots: Tensor, size: Size) -> Tensor:
    """By how many pixels the elastic field leads away from each pixel, (n, H, W, 2).

    knots (n, 2, K, K), x and y, are enlarged bicubically; the root of the mean squared length is `percent` of the
    shorter side.
    """
    field = F.interpolate(knots, size, mode="bicubic", align_corners=True)
    length = field.square().sum(dim=1).mean(dim=(1, 2)).sqrt()
    pixels = percent / 100 * min(size) / length
    return (field * pixels[:, None, None, None]).permute(0, 2, 3, 1)


def _centres(size: Size, like: Tensor) -> Tensor:
    """The pixels' centres (H, W, 2)."""
    rows, columns = (torch.arange(length, dtype=like.dtype, device=like.device) + (1 - length) / 2 for length in size)
    return torch.stack(torch.meshgrid(columns, rows, indexing="xy"), dim=2)


def _half(size: Size, like: Tensor) -> Tensor:
    """Half the width and half the height, (2,)."""
    return torch.tensor([size[1] / 2, size[0] / 2], dtype=like.dtype, device=like.device)


def _matrices(rows: list[list[Tensor | int]], like: Tensor) -> Tensor:
    """Matrices (n, 3, 3) from entries that are each (n,) or the same number for all."""
    entries = [torch.as_tensor(entry, dtype=like.dtype, device=like.device) for row in rows for entry in row]
    return torch.stack(torch.broadcast_tensors(*entries), dim=1).reshape(-1, 3, 3)
