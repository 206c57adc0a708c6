"""What a network expects of its input, in the five words that timm and torchvision use for it."""

from __future__ import annotations

import math
from dataclasses import dataclass

INTERPOLATIONS = ("nearest", "bilinear", "bicubic")


@dataclass(frozen=True)
class Preprocessing:
    """How an image in [0, 1] becomes what the network sees.

    Channels (1 grey, 3 colour) and size in pixels are the network's; `mean` and `std` have one number a channel.
    `crop_share` is the share of the resized image's side that the centre crop keeps: torchvision's
    `Resize(256), CenterCrop(224)` is 0.875.
    """

    channels: int
    height: int
    width: int
    mean: tuple[float, ...]
    std: tuple[float, ...]
    interpolation: str = "bilinear"
    crop_share: float = 1.0

    def __post_init__(self) -> None:
        if self.channels not in (1, 3):
            raise ValueError(f"channels must be 1 or 3, got {self.channels}")
        if not (1 <= self.height <= 4096 and 1 <= self.width <= 4096):
            raise ValueError(f"the input size must lie in 1 to 4096 pixels, got {self.height} x {self.width}")
        for name, values in (("mean", self.mean), ("std", self.std)):
            if len(values) != self.channels:
                raise ValueError(f"{name} needs {self.channels} numbers, one a channel, got {len(values)}")
        if not all(math.isfinite(value) for value in (*self.mean, *self.std)):
            raise ValueError(f"mean and std must be numbers, got {self.mean} and {self.std}")
        if min(self.std) <= 0:
            raise ValueError(f"std must be above 0, got {min(self.std)}")
        if self.interpolation not in INTERPOLATIONS:
            raise ValueError(f"interpolation must be one of {', '.join(INTERPOLATIONS)}, got {self.interpolation!r}")
        if not 0 < self.crop_share <= 1:
            raise ValueError(f"crop_share must lie in (0, 1], got {self.crop_share}")
