"""Maps by every rule, for a whole batch in one pass; `rules` has their titles, papers and units.

No rule is cut off at 0 here, nor scaled to an image's largest value: that is for whoever shows a map to decide.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from engine.methods.cam_training.capture import attached, cut
from engine.methods.cam_training.linear_head import LinearHead
from engine.methods.cam_training.map_layer import MapLayer
from engine.methods.cam_training.perturbing import ablation_weights, score_weights
from engine.methods.cam_training.principal import first_component
from engine.methods.cam_training.targets import Target, target
from engine.subject.classifier import Classifier

NO_EXACT_MAP = (
    "the exact CAM needs a network that averages this layer's map and takes one linear layer of it, and this one "
    "doesn't; take hirescam, which is the same where it is exact"
)
NO_GRADIENT = "the logits let no gradient through to this layer, so it has no gradient map; take another layer"


@dataclass(frozen=True, eq=False)
class Maps:
    """Of n images: `maps` (n, h, w) float32, `logits` (n, classes), and the `scores` (n,) that are explained."""

    maps: Tensor
    logits: Tensor
    scores: Tensor


def resolved(method: str, head: LinearHead | None) -> str:
    """The rule that a method stands for; ValueError where it is the exact CAM and there is none."""
    if method == "auto":
        return "hirescam" if head is None else "cam"
    if method == "cam" and head is None:
        raise ValueError(NO_EXACT_MAP)
    return method


def maps_of(
    classifier: Classifier,
    layer: MapLayer,
    head: LinearHead | None,
    images: Tensor,
    labels: Tensor,
    method: str,
    of: str,
    against: str,
) -> Maps:
    """The maps of images (n, C, H, W) in [0, 1] with labels (n,), -1 where there is none, in evaluation mode.

    `of` and `against` as in `CamSettings`.
    """
    rule = resolved(method, head)
    if rule in BY_GRADIENT:
        return gradient_maps(classifier, layer, images, labels, of, against, BY_GRADIENT[rule])
    with torch.no_grad(), attached(classifier.network, layer) as seen:
        logits = classifier(images)
    wanted = target(logits, labels, of, against)
    activations, scores = seen[-1], wanted.score(logits)
    if rule == "cam" and head is not None:
        maps = exact_maps(activations, logits, wanted, head)
    elif rule == "eigencam":
        maps = first_component(activations)
    elif rule == "scorecam":
        maps = weighted(activations, score_weights(classifier, images, activations, wanted))
    else:
        maps = weighted(activations, ablation_weights(classifier, layer, images, seen, wanted, scores))
    return Maps(maps.float(), logits, scores)


def exact_maps(activations: Tensor, logits: Tensor, wanted: Target, head: LinearHead) -> Tensor:
    """Zhou et al. 2016, of the classes weighed as the score weighs them: the others by their softmax share."""
    with torch.enable_grad():
        leaf = logits.detach().requires_grad_()
        shares = torch.autograd.grad(wanted.score(leaf).sum(), leaf)[0]
    return weighted(activations, shares @ head.weight().detach())


def gradient_maps(
    classifier: Classifier,
    layer: MapLayer,
    images: Tensor,
    labels: Tensor,
    of: str,
    against: str,
    rule: Callable[[Tensor, Tensor], Tensor],
) -> Maps:
    """The rule's maps of activations and gradients: one pass forward and the head's backward.

    In evaluation mode images don't mix, so the gradient of the sum of their scores is each one's own.
    """
    with torch.enable_grad(), cut(classifier.network, layer) as seen:
        logits = classifier(images)
        scores = target(logits, labels, of, against).score(logits)
        if not scores.requires_grad:
            raise ValueError(NO_GRADIENT)
        gradients = torch.autograd.grad(scores.sum(), seen[-1], allow_unused=True)[0]
    if gradients is None:
        raise ValueError(NO_GRADIENT)
    return Maps(rule(seen[-1].detach(), gradients).float(), logits.detach(), scores.detach())


def weighted(activations: Tensor, weights: Tensor) -> Tensor:
    """(n, h, w) the channels (n, C, h, w) summed with weights (n, C)."""
    return torch.einsum("nc,nchw->nhw", weights, activations)


def cells(activations: Tensor) -> int:
    """How many cells a map has."""
    return activations.shape[2] * activations.shape[3]


def gradcam(activations: Tensor, gradients: Tensor) -> Tensor:
    """Selvaraju et al. 2017, eq. 1 and 2 without the ReLU, times the number of cells."""
    return weighted(activations, gradients.sum(dim=(2, 3)))


def hirescam(activations: Tensor, gradients: Tensor) -> Tensor:
    """Draelos and Carin 2020, without the ReLU, times the number of cells."""
    return cells(activations) * (gradients * activations).sum(dim=1)


def xgradcam(activations: Tensor, gradients: Tensor) -> Tensor:
    """Fu et al. 2020, without the ReLU, times the number of cells; a channel that sums to 0 counts for nothing."""
    mass = activations.sum(dim=(2, 3))
    weights = (gradients * activations).sum(dim=(2, 3)) / mass
    return cells(activations) * weighted(activations, weights.masked_fill(mass == 0, 0))


def layercam(activations: Tensor, gradients: Tensor) -> Tensor:
    """Jiang et al. 2021, without the last ReLU, times the number of cells."""
    return hirescam(activations, gradients.relu())


def gradcampp(activations: Tensor, gradients: Tensor) -> Tensor:
    """Chattopadhay et al. 2018, with the weights of eq. 19, of the exponential of the score, without the last ReLU.

    The exponential itself, a factor of the whole map, is left out, and the square of the gradient, by which both
    sides of eq. 19 can be divided. Where that leaves a division by 0 the cell counts for nothing.
    """
    below = 2 + activations.sum(dim=(2, 3), keepdim=True) * gradients
    weights = (gradients.relu() / below).masked_fill(below == 0, 0)
    return weighted(activations, weights.sum(dim=(2, 3)))


BY_GRADIENT = {
    "gradcam": gradcam,
    "hirescam": hirescam,
    "xgradcam": xgradcam,
    "layercam": layercam,
    "gradcampp": gradcampp,
}
