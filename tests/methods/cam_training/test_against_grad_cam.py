"""Every rule against the library of its own, on the same network, layer and score."""

from __future__ import annotations

import numpy as np
import pytest
import torch
import torch.nn.functional as F
import torchvision
from pytorch_grad_cam import (
    AblationCAM,
    EigenCAM,
    GradCAM,
    GradCAMPlusPlus,
    HiResCAM,
    LayerCAM,
    ScoreCAM,
    XGradCAM,
)
from torch import Tensor, nn

from engine.methods.cam_training.linear_head import linear_head
from engine.methods.cam_training.map_layer import MapLayer
from engine.methods.cam_training.rules import RULES
from engine.methods.cam_training.variants import maps_of
from engine.toolkit.seeding import seeded
from tests.methods.cam_training.nets import Flattening, classifier_of, drawn, noise

THEIRS = {
    "gradcam": GradCAM,
    "hirescam": HiResCAM,
    "gradcampp": GradCAMPlusPlus,
    "xgradcam": XGradCAM,
    "layercam": LayerCAM,
    "eigencam": EigenCAM,
    "scorecam": ScoreCAM,
    "ablationcam": AblationCAM,
}


class OddsOf:
    """The score of one class against the rest, or alone, of one image's logits."""

    def __init__(self, number: int, against: str) -> None:
        self.number, self.against = number, against

    def __call__(self, logits: Tensor) -> Tensor:
        others = torch.cat([logits[: self.number], logits[self.number + 1 :]])
        return logits[self.number] - (others.logsumexp(dim=0) if self.against else 0)


def small_net():
    network = drawn(Flattening())
    with torch.no_grad():
        network.fc[2].weight.mul_(100)  # large, so that what the library adds to its denominators doesn't count
    return classifier_of(network), MapLayer("features", 6, 4, 4, "nchw", 0), 8


def resnet18():
    with seeded(3):
        network = torchvision.models.resnet18(num_classes=3)
    nn.init.normal_(network.fc.weight, std=2.0, generator=torch.Generator().manual_seed(0))
    return classifier_of(network, side=64), MapLayer("layer4", 512, 2, 2, "nchw", 0), 64


def shown(maps: Tensor, side: int) -> np.ndarray:
    """Cut off at 0, from 0 to 1, drawn out to the input's size, and from 0 to 1 again."""
    small = scaled(maps.relu())
    return scaled(F.interpolate(small[:, None], (side, side), mode="bilinear")[:, 0]).numpy()


def scaled(maps: Tensor) -> Tensor:
    low = maps.amin(dim=(1, 2), keepdim=True)
    return (maps - low) / (maps.amax(dim=(1, 2), keepdim=True) - low).clamp(min=1e-7)


def half_pixels(size):
    """They let the corners of maps and images coincide, where ours lets cells lie evenly over the image."""
    return nn.Upsample(size=size, mode="bilinear", align_corners=False)


CASES = [
    (rule, make, against)
    for rule in THEIRS
    for make in (small_net, resnet18)
    for against in ("", "rest")
    # theirs divides by the score, which turns a map round where it is below 0
    if not (rule == "ablationcam" and against)
]


@pytest.mark.parametrize(("rule", "make", "against"), CASES)
def test_it_is_the_same_map(rule, make, against, monkeypatch):
    monkeypatch.setattr(nn, "UpsamplingBilinear2d", half_pixels)
    classifier, layer, side = make()
    images = noise(6, side)
    if RULES[rule].by_channel and make is resnet18:  # the last layer's 512 channels would take long
        images, layer = images[:1], MapLayer("layer2", 128, 8, 8, "nchw", 0)
    head = linear_head(classifier, layer, noise(4, side))
    labels = classifier(images).argmax(dim=1)
    found = maps_of(classifier, layer, head, images, labels, rule, "label", against)
    with THEIRS[rule](classifier.network, [classifier.network.get_submodule(layer.name)]) as cam:
        given = classifier.preprocess(images)
        expected = cam(input_tensor=given, targets=[OddsOf(number, against) for number in labels.tolist()])
    ours = shown(found.maps, side)
    if rule == "eigencam":  # theirs has the sign that its library of linear algebra gives
        turned = shown(-found.maps, side)
        same = np.abs(ours - expected).max(axis=(1, 2)) < np.abs(turned - expected).max(axis=(1, 2))
        ours = np.where(same[:, None, None], ours, turned)
    np.testing.assert_allclose(ours, expected, atol=1e-4)
    assert (expected.max(axis=(1, 2)) > 0.99).any()
    assert rule != "ablationcam" or (found.scores > 0).all()
