"""Which layers of a network are taken down, and how what they put out is made small."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from math import isqrt

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from engine.subject.classifier import Classifier
from engine.toolkit.frozen import evaluating

MOST_BLOCKS = 24
SAME = 1e-5  # of the largest one, between averages of the same numbers in another order
NOTHING_TO_TAP = (
    "no layer of this network puts out features before its logits, so there is no layer to look into; "
    "load a network with at least one hidden layer"
)


@dataclass(frozen=True)
class Block:
    """A block by the name of its last module; `layout` is `flat`, `tokens`, `nchw` or `nhwc`.

    Its output is averaged down to `grid` x `grid` cells of `channels`; a flat one has one cell, tokens are averaged.
    """

    name: str
    layout: str
    channels: int
    grid: int

    def reduced(self, output: Tensor) -> Tensor:
        """The output (n, ...) as (n, channels * grid * grid), maps laid out as (channels, grid, grid)."""
        if self.layout == "flat":
            return output
        if self.layout == "tokens":
            return output.mean(dim=1)
        maps = output if self.layout == "nchw" else output.permute(0, 3, 1, 2)
        return (F.adaptive_avg_pool2d(maps, self.grid) if self.grid > 1 else maps.mean(dim=(2, 3))).flatten(1)


def blocks(classifier: Classifier, example: Tensor, values: int) -> tuple[Block, ...]:
    """At most 24 blocks in the order in which they run, the last one before the logits included.

    `example` is a few images (n, C, H, W) in [0, 1], different ones; a map is averaged down to at most `values`
    numbers, or to one cell. A block that runs several times counts once, the last time. Where a network has no two
    blocks its single layers are taken. Raises ValueError where nothing comes before the logits.
    """
    network = classifier.network
    found = blocks_among(dict(parts(network)), classifier, example, values)
    if len(found) < 2:
        leaves = {name: each for name, each in network.named_modules() if is_leaf(each)}
        found = blocks_among(leaves, classifier, example, values)
    if not found:
        raise ValueError(NOTHING_TO_TAP)
    spread = np.linspace(0, len(found) - 1, min(MOST_BLOCKS, len(found))).round().astype(int)
    return tuple(found[place] for place in spread)


def parts(module: nn.Module, within: str = "") -> Iterator[tuple[str, nn.Module]]:
    """The residual blocks (and what else does several things at once) and the single layers, by name."""
    for name, child in module.named_children():
        if is_leaf(child) or not is_row(child):
            yield within + name, child
        else:
            yield from parts(child, f"{within}{name}.")


def is_leaf(module: nn.Module) -> bool:
    """Whether nothing lies within it."""
    return next(module.children(), None) is None


def is_row(module: nn.Module) -> bool:
    """Whether it is several blocks one after the other, or holds such a row (a stage does, an encoder too)."""
    if isinstance(module, nn.Sequential) or type(module) in (nn.ModuleList, nn.ModuleDict):
        return True
    return any(holds_blocks(each) for each in module.modules() if isinstance(each, (nn.Sequential, nn.ModuleList)))


def holds_blocks(row: nn.Module) -> bool:
    """Whether two or more of its modules are of one kind, each with several layers that have weights."""
    kinds = [
        type(each)
        for each in row.children()
        if not isinstance(each, nn.Sequential) and sum(map(has_weights, each.modules())) > 1
    ]
    return len(set(kinds)) < len(kinds)


def has_weights(module: nn.Module) -> bool:
    """Whether it mixes channels itself, as convolutions and linear layers do and norms don't."""
    return any(weight.ndim > 1 for weight in module.parameters(recurse=False))


def blocks_among(candidates: dict[str, nn.Module], classifier: Classifier, example: Tensor, values: int) -> list[Block]:
    """Those of the candidates that end a block and put out something other than the block before and the logits."""
    outputs, logits = recorded(classifier, candidates, example)
    wanted = classifier.blueprint.preprocessing
    found: list[Block] = []
    before, layout = logits.new_zeros(0), "nchw"
    for name in ends(candidates, outputs):
        output = outputs[name]
        layout = layout_of(candidates[name], output, wanted.height / wanted.width, layout)
        block = sized(name, output, layout, values)
        features = block.reduced(output)
        means = replace(block, grid=1).reduced(output)
        if not alike(features, before) and not alike(means, logits):
            found.append(block)
            before = features
    return found


def recorded(
    classifier: Classifier, candidates: dict[str, nn.Module], example: Tensor
) -> tuple[dict[str, Tensor], Tensor]:
    """What the candidates put out for each image, in the order in which they last ran, and the network's answer.

    What hands on the numbers of the one before (Flatten, Dropout) is left out. Copies, for some layers write over
    what they are given.
    """
    seen: dict[str, Tensor] = {}

    def keep(name: str, output: object) -> None:
        if isinstance(output, Tensor) and output.ndim in (2, 3, 4) and len(output) == len(example):
            seen.pop(name, None)
            seen[name] = output.detach().clone()

    handles = [
        module.register_forward_hook(lambda _module, _inputs, output, name=name: keep(name, output))
        for name, module in candidates.items()
    ]
    try:
        with evaluating(classifier), torch.inference_mode():
            logits = classifier.network(classifier.preprocess(example)).reshape(len(example), -1)
    finally:
        for handle in handles:
            handle.remove()
    kept: dict[str, Tensor] = {}
    for name, output in seen.items():
        before = next(reversed(kept.values()), None)
        if before is None or output.numel() != before.numel() or not torch.equal(output.flatten(), before.flatten()):
            kept[name] = output
    return kept, logits


def ends(candidates: dict[str, nn.Module], outputs: dict[str, Tensor]) -> list[str]:
    """The names at which a block ends, in order.

    Norm, activation and pooling belong to the layer with weights before them, unless they leave only one cell of a
    map. What comes before the first weights is the image itself.
    """
    found: list[str] = []
    for name, output in outputs.items():
        begins = any(map(has_weights, candidates[name].modules()))
        if begins or (found and cells(output) == 1 < cells(outputs[found[-1]])):
            found.append(name)
        elif found:
            found[-1] = name
    return found


def cells(output: Tensor) -> int:
    """How many places an output (n, ...) has, taken to be channels first."""
    return output[0].numel() // output.shape[1]


def layout_of(module: nn.Module, output: Tensor, ratio: float, before: str) -> str:
    """How an output lies, of an image whose height is `ratio` times its width; in doubt as the map `before`."""
    if output.ndim < 4:
        return "flat" if output.ndim == 2 else "tokens"
    if isinstance(module, (nn.Conv2d, nn.BatchNorm2d)):
        return "nchw"

    def is_grid(height: int, width: int) -> bool:
        return abs(height - ratio * width) < max(1, ratio)

    first, last = is_grid(*output.shape[1:3]), is_grid(*output.shape[2:4])
    if first == last:
        return before if before in ("nchw", "nhwc") else "nchw"
    return "nhwc" if first else "nchw"


def sized(name: str, output: Tensor, layout: str, values: int) -> Block:
    """The block, with as many cells a side as fit into `values` numbers and are there."""
    if layout in ("flat", "tokens"):
        return Block(name, layout, output.shape[-1], 1)
    channels, *sides = output.shape[1:] if layout == "nchw" else output.permute(0, 3, 1, 2).shape[1:]
    return Block(name, layout, channels, max(1, min(*sides, isqrt(values // channels))))


def alike(features: Tensor, others: Tensor) -> bool:
    """Whether the two are the same (n, F) up to rounding."""
    return features.shape == others.shape and float((features - others).abs().max()) <= SAME * float(others.abs().max())
