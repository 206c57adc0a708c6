"""A layer whose output is a map, and how the map lies in it."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class MapLayer:
    """A module by its name, and the map of `channels` x `height` x `width` that it puts out for each image.

    `layout` is how it does so: `nchw`; `nhwc` as Swin's blocks; or `tokens` (n, leading + height * width, channels),
    whose first `leading` ones (class token, registers) belong to no place.
    """

    name: str
    channels: int
    height: int
    width: int
    layout: str
    leading: int


def as_map(layer: MapLayer, output: Tensor) -> Tensor:
    """What the layer put out, as maps (n, channels, h, w); a view of it."""
    if layer.layout == "nhwc":
        return output.permute(0, 3, 1, 2)
    if layer.layout == "tokens":
        return output[:, layer.leading :].transpose(1, 2).unflatten(2, (layer.height, layer.width))
    return output


def from_map(layer: MapLayer, maps: Tensor, output: Tensor) -> Tensor:
    """What the layer would have put out with these maps (n, channels, h, w); its leading tokens are `output`'s."""
    if layer.layout == "nhwc":
        return maps.permute(0, 2, 3, 1)
    if layer.layout == "tokens":
        return torch.cat([output[:, : layer.leading], maps.flatten(2).transpose(1, 2)], dim=1)
    return maps
