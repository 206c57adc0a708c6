"""Channels weighed by what the network says when it is asked again, without one of them or through it alone."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from engine.methods.cam_training.capture import replaced
from engine.methods.cam_training.map_layer import MapLayer
from engine.methods.cam_training.targets import Target
from engine.subject.classifier import Classifier
from engine.toolkit.prediction import batch_size


def score_weights(classifier: Classifier, images: Tensor, activations: Tensor, wanted: Target) -> Tensor:
    """(n, C) the softmax over the channels of the score of the image seen through each of them.

    A channel (of n, C, h, w) is drawn out over what the network is given, scaled to 0 to 1 and multiplied with it.
    Wang et al. 2020.
    """

    @torch.no_grad()
    def ask(rows: Tensor, channels: Tensor) -> Tensor:
        given = classifier.preprocess(images[rows])
        # the cells lie evenly over the input, so corners don't coincide with the middles of the outermost
        drawn = F.interpolate(activations[rows, channels, None], given.shape[2:], mode="bilinear", align_corners=False)
        low, high = drawn.amin(dim=(2, 3), keepdim=True), drawn.amax(dim=(2, 3), keepdim=True)
        with given_instead(classifier.network, given * (drawn - low) / (high - low).clamp(min=1e-8)):
            return wanted.take(rows).score(classifier(images[rows]))

    return channel_by_channel(classifier, activations, ask).softmax(dim=1)


def ablation_weights(
    classifier: Classifier, layer: MapLayer, images: Tensor, seen: list[Tensor], wanted: Target, scores: Tensor
) -> Tensor:
    """(n, C) by how much the scores (n,) fall when a channel of the layer is 0.

    `seen` are the layer's maps (n, C, h, w), of which the last, if the layer runs several times, is the one changed.
    Desai and Ramaswamy 2020, without the division by the score, which only scales the map, and turns it round
    where the score is below 0.
    """

    @torch.no_grad()
    def ask(rows: Tensor, channels: Tensor) -> Tensor:
        without = seen[-1][rows]
        without[torch.arange(len(rows), device=rows.device), channels] = 0
        runs = iter(range(1, len(seen) + 1))
        with replaced(classifier.network, layer, lambda maps: without if next(runs) == len(seen) else maps):
            return wanted.take(rows).score(classifier(images[rows]))

    return scores[:, None] - channel_by_channel(classifier, seen[-1], ask)


def channel_by_channel(classifier: Classifier, activations: Tensor, ask: Callable[[Tensor, Tensor], Tensor]) -> Tensor:
    """(n, C) what `ask` says of pairs of an image's row and a channel, asked in whole batches of them."""
    count, channels = activations.shape[:2]
    places = torch.arange(count * channels, device=activations.device)
    parts = [ask(part // channels, part % channels) for part in places.split(batch_size(classifier))]
    return torch.cat(parts).view(count, channels)


@contextmanager
def given_instead(network: nn.Module, given: Tensor) -> Iterator[None]:
    """The network takes `given` in place of its input while the block runs."""
    handle = network.register_forward_pre_hook(lambda _network, _inputs: (given,))
    try:
        yield
    finally:
        handle.remove()
