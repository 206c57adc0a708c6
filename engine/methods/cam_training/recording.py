"""Which modules of a network put out a map, and how it lies in what they put out."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from engine.methods.cam_training.map_layer import MapLayer
from engine.subject.classifier import Classifier
from engine.toolkit.frozen import evaluating

MOST_LEADING = 16  # class tokens and registers before those that have a place


@dataclass(frozen=True)
class Output:
    """A map that a module put out. Modules that hand on the same one unchanged have the same `what`."""

    layer: MapLayer
    what: tuple[int, int]


def recorded(classifier: Classifier, example: Tensor) -> list[Output]:
    """The maps of more than one cell that modules put out for images (n, C, H, W) in [0, 1], in the order they run.

    One pass in evaluation mode without a graph. Of a module that runs several times only the last time counts. What
    comes before the first weights is the image itself, pooled perhaps, and no map of what the network makes of it.
    """
    size = classifier.blueprint.preprocessing
    reading = Reading(size.height, size.width)
    found: dict[str, Output] = {}
    learned = False
    for name, module, output, version in outputs_of_all(classifier, example):
        found.pop(name, None)
        learned = learned or next(module.parameters(), None) is not None
        if learned and (layer := reading.layer(name, module, output)):
            found[name] = Output(layer, (id(output), version))
    return list(found.values())


def outputs_of_all(classifier: Classifier, example: Tensor) -> list[tuple[str, nn.Module, Tensor, int]]:
    """What each module puts out for each image, one tensor, with the number of writes into it up to then.

    All are held until the end, so that no two have the same id.
    """
    seen: list[tuple[str, nn.Module, Tensor, int]] = []
    handles = []
    with evaluating(classifier), torch.no_grad():
        try:
            for name, module in classifier.network.named_modules():

                def keep(module: nn.Module, _inputs: object, output: object, name: str = name) -> None:
                    if isinstance(output, Tensor) and output.ndim in (3, 4) and len(output) == len(example):
                        seen.append((name, module, output, output._version))

                if name:
                    handles.append(module.register_forward_hook(keep))
            classifier(example)
        finally:
            for handle in handles:
                handle.remove()
    return seen


class Reading:
    """Tells maps from other outputs, given one after the other in the order in which they come.

    `grid` is the last map's; tokens have a place if there are as many of them, and a few in front, or if there are as
    many as on a grid of every other row and column, which is the grid from then on (LeViT).
    """

    def __init__(self, height: int, width: int) -> None:
        self.height, self.width = height, width
        self.layout, self.grid = "nchw", (0, 0)
        self.token_counts: set[int] = set()

    def layer(self, name: str, module: nn.Module, output: Tensor) -> MapLayer | None:
        """The layer, or None where this output (n, ...) is no map of more than one cell."""
        if output.ndim == 3:
            return self.of_tokens(name, output)
        # (n, heads, tokens, tokens or width) within attention has no places
        if self.token_counts.intersection(output.shape[2:]):
            return None
        layout = self.layout_of(module, output)
        channels, height, width = output.shape[1:] if layout == "nchw" else output.permute(0, 3, 1, 2).shape[1:]
        if height * width == 1:
            return None
        self.layout, self.grid = layout, (height, width)
        return MapLayer(name, channels, height, width, layout, 0)

    def of_tokens(self, name: str, output: Tensor) -> MapLayer | None:
        """The layer of tokens (n, t, channels), where they are as many as the patches, or those left, of the grid."""
        coarser = -(-self.grid[0] // 2), -(-self.grid[1] // 2)
        if output.shape[1] == coarser[0] * coarser[1] > 1:
            self.grid = coarser
        cells = self.grid[0] * self.grid[1]
        leading = output.shape[1] - cells
        if cells == 0 or not 0 <= leading <= MOST_LEADING:
            return None
        self.token_counts.add(output.shape[1])
        return MapLayer(name, output.shape[2], *self.grid, "tokens", leading)

    def layout_of(self, module: nn.Module, output: Tensor) -> str:
        """`nchw` or `nhwc`, whichever has the input's ratio of sides; where both or none have, as the map before."""
        if isinstance(module, (nn.Conv2d, nn.BatchNorm2d)):
            return "nchw"
        if isinstance(module, nn.Linear):
            return "nhwc"
        first, second, third = output.shape[1:]
        before, after = self.is_grid(second, third), self.is_grid(first, second)
        return self.layout if before == after else "nchw" if before else "nhwc"

    def is_grid(self, height: int, width: int) -> bool:
        """Whether so many cells can lie evenly over the input, up to rounding."""
        return abs(height * self.width - width * self.height) < max(self.height, self.width)
