"""Where a classifier's maps are taken while it is taught, and its maps for the label on other images."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor
from torch.nn.attention import SDPBackend, sdpa_kernel

from engine.methods.cam_training.capture import attached, cut
from engine.methods.cam_training.contrast import contrast, score_against_rest
from engine.methods.cam_training.geometry import Box, seen_box
from engine.methods.cam_training.layers import find_layer
from engine.methods.cam_training.linear_head import LinearHead, linear_head
from engine.methods.cam_training.map_layer import MapLayer
from engine.methods.cam_training.result import Cams
from engine.methods.cam_training.settings import LABEL, REST
from engine.subject.classifier import Classifier
from engine.subject.frame import Frame
from engine.subject.image_set import ImageSet
from engine.toolkit.answers import certainty
from engine.toolkit.prediction import as_tensor, batch_size, batches

NOISY = 8  # images by which layer and head are found


@dataclass(frozen=True, eq=False)
class Lookout:
    """The layer whose maps are looked at, the head where it makes them exact, and what of the image the cells show."""

    layer: MapLayer
    head: LinearHead | None
    seen: Box

    def head_weight(self) -> Tensor | None:
        """(classes, channels) in the graph of the head's own parameters, or None where the map needs a gradient."""
        return None if self.head is None else self.head.weight()

    @contextmanager
    def attached(self, classifier: Classifier, twice: bool) -> Iterator[list[Tensor]]:
        """Collect the layer's maps in the graph of a pass, which can be differentiated twice where that is asked for.

        The fused kernels of attention have no second derivative; the one made of PyTorch's own operations has.
        """
        kernels = sdpa_kernel(SDPBackend.MATH) if twice and self.head is None else nullcontext()
        with kernels, attached(classifier.network, self.layer) as seen:
            yield seen


def lookout(classifier: Classifier, images: ImageSet, layer: str, seen: Box | None = None) -> Lookout:
    """Where to look: the layer of this name, or the last that keeps a map; ValueError where there is none.

    Found on noise of the images' size, the same every time, so that it doesn't hang on which images there are.
    """
    example = noise(classifier, images.frame)
    found = find_layer(classifier, example, layer)
    return Lookout(found, linear_head(classifier, found, example), seen or seen_box(classifier.blueprint, images.frame))


def looked_again(classifier: Classifier, images: ImageSet, place: Lookout) -> Lookout:
    """The same place after training, by the gradient where the head makes its maps exact no more."""
    if place.head is None:
        return place
    return replace(place, head=linear_head(classifier, place.layer, noise(classifier, images.frame)))


def noise(classifier: Classifier, frame: Frame) -> Tensor:
    """Images (n, C, H, W) in [0, 1] that say nothing."""
    draws = torch.Generator().manual_seed(0)
    return torch.rand(NOISY, frame.channels, frame.height, frame.width, generator=draws).to(classifier.device)


def label_maps(
    classifier: Classifier, place: Lookout, images: ImageSet, indices: np.ndarray
) -> tuple[Tensor, np.ndarray]:
    """Logits (n, classes) and maps (n, h, w) of the label against the rest, float32, of labelled images."""
    logits, maps = [], []
    weight = place.head_weight()
    for part, pixels in batches(images, indices, batch_size(classifier)):
        labels = torch.from_numpy(images.labels[part]).to(classifier.device)
        with cut(classifier.network, place.layer) as seen:
            found = classifier(as_tensor(pixels, classifier.device))
            shown = contrast(seen[-1], found, labels, None if weight is None else weight.detach())
        logits.append(found.detach().float().cpu())
        maps.append(shown.detach().float().cpu().numpy())
    if not logits:
        return torch.empty(0, len(classifier.classes)), np.empty((0, place.layer.height, place.layer.width), np.float32)
    return torch.cat(logits), np.concatenate(maps)


def label_cams(classifier: Classifier, place: Lookout, images: ImageSet, indices: np.ndarray, ids: np.ndarray) -> Cams:
    """The maps of the label against the rest as a result, under these ids (n,)."""
    logits, maps = label_maps(classifier, place, images, indices)
    predictions, confidence = certainty(logits)
    return Cams(
        method="hirescam" if place.head is None else "cam",
        layer=place.layer.name,
        exact=place.head is not None,
        of=LABEL,
        against=REST,
        classes=classifier.classes,
        ids=ids,
        labels=images.labels[indices],
        predictions=predictions.numpy(),
        confidence=confidence.numpy(),
        scores=score_against_rest(logits, torch.from_numpy(images.labels[indices])).numpy(),
        maps=maps,
        seen=place.seen,
    )
