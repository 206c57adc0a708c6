"""Small images, and families applied to them."""

from __future__ import annotations

import torch
from torch import Tensor

from engine.toolkit.transforms.draws import drawn
from engine.toolkit.transforms.families import FAMILIES, family_named
from engine.toolkit.transforms.transform import transform

GREY_28, COLOUR_32, WIDE = (1, 28, 28), (3, 32, 32), (3, 24, 40)
SHAPES = [GREY_28, COLOUR_32, WIDE]
NAMES = [family.name for family in FAMILIES]
SIDES = [(family.name, sign) for family in FAMILIES for sign in family.signs]


def made_images(count: int, shape: tuple[int, int, int], seed: int = 0) -> Tensor:
    """Noise in [0, 1]: every pixel differs from its neighbours, so that a wrong place or weight shows."""
    return torch.rand(count, *shape, generator=torch.Generator().manual_seed(seed))


def chance(name: str, images: Tensor) -> Tensor | None:
    """What `applied` uses: the draws of images called 0, 1, 2, ..."""
    ids = [str(place) for place in range(len(images))]
    return drawn([name], ids, tuple(images.shape[1:]), seed=0).get(name)


def applied(name: str, images: Tensor, values: list[float]) -> Tensor:
    """The images after one family, each by its own value."""
    draws = chance(name, images)
    return transform(
        images, [name], torch.tensor(values, dtype=images.dtype)[:, None], {} if draws is None else {name: draws}
    )


def fits(name: str, shape: tuple[int, int, int]) -> bool:
    return family_named(name).misfit(shape[0]) == ""
