"""What chance decides for each image, drawn once; the severity only scales it."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from engine.toolkit.transforms.families import family_named

Shape = tuple[int, ...]
KNOTS = 4  # of the elastic field each way: at its far end 1 % of the pixels fold over, with 5 knots 6 %
STEPS = 2**20  # of uniform numbers: the last is as near to 1 as probabilities added up in float32 come


@dataclass(frozen=True)
class Chance:
    """How many numbers one image (C, H, W) needs, and of which distribution."""

    numbers: Callable[[np.random.Generator, Shape], np.ndarray]
    shape: Callable[[int, int, int], Shape]


def normal(generator: np.random.Generator, shape: Shape) -> np.ndarray:
    """Standard normal numbers, float32."""
    return generator.standard_normal(shape, dtype=np.float32)


def uniform(generator: np.random.Generator, shape: Shape) -> np.ndarray:
    """Uniform numbers, each in the middle of one of so many steps: never 0 or 1, whose quantiles may be infinite."""
    return (generator.integers(0, STEPS, shape, dtype=np.uint32) + 0.5) / STEPS


NEEDED = {
    "perspective": Chance(uniform, lambda _channels, _height, _width: (4, 2)),
    "elastic": Chance(normal, lambda _channels, _height, _width: (2, KNOTS, KNOTS)),
    "occlusion": Chance(uniform, lambda _channels, _height, _width: (2,)),
    "time_mask": Chance(uniform, lambda _channels, _height, _width: (1,)),
    "frequency_mask": Chance(uniform, lambda _channels, _height, _width: (1,)),
    "motion_blur": Chance(uniform, lambda _channels, _height, _width: (1,)),
    "gaussian_noise": Chance(normal, lambda channels, height, width: (channels, height, width)),
    "shot_noise": Chance(uniform, lambda channels, height, width: (channels, height, width)),
    "salt_and_pepper": Chance(uniform, lambda _channels, height, width: (2, height, width)),
}


def drawn(families: Sequence[str], ids: Sequence[str], shape: tuple[int, int, int], seed: int) -> dict[str, Tensor]:
    """What chance decides for the images of these ids, (C, H, W) each: by family, one row an id, float32 on the CPU.

    Families that leave nothing to chance have no entry. A row depends on the seed, the family, the id and the shape
    alone, so that an image meets the same chance in every batch and at every severity (common random numbers).
    """
    return {name: _rows(name, ids, shape, seed) for name in families if family_named(name).name in NEEDED}


def _rows(name: str, ids: Sequence[str], shape: tuple[int, int, int], seed: int) -> Tensor:
    chance = NEEDED[name]
    rows = np.empty((len(ids), *chance.shape(*shape)), dtype=np.float32)
    for place, each in enumerate(ids):
        rows[place] = chance.numbers(_generator(seed, name, each), rows.shape[1:])
    return torch.from_numpy(rows)


def _generator(seed: int, name: str, each: str) -> np.random.Generator:
    digest = hashlib.sha256(f"{seed} {name} {each}".encode()).digest()
    return np.random.Generator(np.random.Philox(key=int.from_bytes(digest[:16], "little")))
