"""From an image file's pixels to the one size and colour that a set of images is handed out in."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from PIL import Image

from engine.subject.preprocessing import Preprocessing

RESAMPLING = {
    "nearest": Image.Resampling.NEAREST,
    "bilinear": Image.Resampling.BILINEAR,
    "bicubic": Image.Resampling.BICUBIC,
}


@dataclass(frozen=True)
class Frame:
    """The size (pixels) and channels (1 or 3) in which images are handed out.

    An image of another size is resized, its sides' ratio kept, until `crop_share` of it covers the frame, then
    cropped at its centre: what torchvision's `Resize` and `CenterCrop` do, in the same rounding.
    """

    channels: int
    height: int
    width: int
    interpolation: str = "bilinear"
    crop_share: float = 1.0

    @classmethod
    def of(cls, preprocessing: Preprocessing) -> Frame:
        """The frame in which a network with this preprocessing takes its images as they are."""
        return cls(
            preprocessing.channels,
            preprocessing.height,
            preprocessing.width,
            preprocessing.interpolation,
            preprocessing.crop_share,
        )

    def resized(self, height: int, width: int) -> tuple[int, int]:
        """Height and width to which an image of this size is resized before the crop, in pixels."""
        return cover(height, width, self.height, self.width, self.crop_share)

    def fit(self, image: Image.Image) -> np.ndarray:
        """The image in this frame, uint8 (channels, height, width)."""
        image = image.convert("L" if self.channels == 1 else "RGB")
        if image.size != (self.width, self.height) or self.crop_share < 1:
            height, width = self.resized(image.height, image.width)
            if image.size != (width, height):
                image = image.resize((width, height), RESAMPLING[self.interpolation])
            top, left = centre(height, self.height), centre(width, self.width)
            image = image.crop((left, top, left + self.width, top + self.height))
        pixels = np.asarray(image)
        return pixels[None] if self.channels == 1 else pixels.transpose(2, 0, 1)


def cover(height: int, width: int, to_height: int, to_width: int, share: float) -> tuple[int, int]:
    """The size, with the same ratio of sides, of which `share` just covers `to_height` x `to_width` pixels."""
    goal_height, goal_width = int(to_height / share), int(to_width / share)
    if height * goal_width <= width * goal_height:
        return goal_height, max(goal_width, int(width * goal_height / height))
    return max(goal_height, int(height * goal_width / width)), goal_width


def centre(whole: int, part: int) -> int:
    """Where a centre crop of `part` pixels begins in `whole` pixels, rounded as torchvision rounds."""
    return round((whole - part) / 2)
