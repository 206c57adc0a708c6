from __future__ import annotations

import pytest
import torch
from torch import nn

from engine.methods.cam_training.layers import find_layer
from engine.methods.cam_training.linear_head import linear_head, ran_after
from engine.methods.cam_training.map_layer import MapLayer
from tests.methods.cam_training.nets import Averaging, Flattening, classifier_of, drawn, hooks, noise

FEATURES = MapLayer("features", 6, 4, 4, "nchw", 0)


def head_of(network: nn.Module, outputs: int = 3, layer: MapLayer | None = None, images=None):
    classifier = classifier_of(network, outputs=outputs)
    images = noise() if images is None else images
    return linear_head(classifier, layer or find_layer(classifier, images), images)


class Pooled(Averaging):
    """The averaging network with another way from its map to its logits."""

    def __init__(self, way):
        super().__init__()
        self.way = way

    def forward(self, images):
        return self.way(self.fc, self.features(images))


class ConvolutionHead(Averaging):
    def __init__(self):
        super().__init__()
        self.fc = nn.Conv2d(6, 3, 1)

    def forward(self, images):
        return self.fc(self.features(images).mean(dim=(2, 3), keepdim=True)).flatten(1)


def test_the_head_is_the_linear_layer_itself():
    network = drawn(Averaging())
    head = head_of(network)
    assert head.module is network.fc
    assert head.weight().data_ptr() == network.fc.weight.data_ptr()
    assert torch.equal(head.bias(), network.fc.bias)
    with torch.no_grad():
        network.fc.weight.mul_(2)
    assert torch.equal(head.weight(), network.fc.weight)
    head.weight().square().sum().backward()
    assert network.fc.weight.grad.any()


def test_a_convolution_of_one_pixel_is_linear_too():
    network = drawn(ConvolutionHead())
    head = head_of(network)
    assert torch.equal(head.weight(), network.fc.weight[:, :, 0, 0])


def test_an_average_that_is_the_logits_needs_no_layer():
    network = nn.Sequential(nn.Conv2d(3, 3, 3), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten())
    head = head_of(drawn(network))
    assert head.module is None
    assert torch.equal(head.weight(), torch.eye(3))
    assert not head.bias().any()


@pytest.mark.parametrize("bias", [True, False])
def test_one_logit_is_the_second_of_two_classes(bias):
    network = drawn(Averaging(outputs=1))
    if not bias:
        network.fc = drawn(nn.Linear(6, 1, bias=False))
    head = head_of(network, outputs=1)
    assert not head.weight()[0].any()
    assert torch.equal(head.weight()[1:], network.fc.weight)
    assert head.bias().tolist() == pytest.approx([0, network.fc.bias.item() if bias else 0])


WAYS = {
    "maximum": lambda fc, maps: fc(maps.amax(dim=(2, 3))),
    "one cell": lambda fc, maps: fc(maps[:, :, 1, 1]),
    "generalised mean": lambda fc, maps: fc(maps.clamp(min=1e-3).pow(3).mean(dim=(2, 3)).pow(1 / 3)),
    "temperature": lambda fc, maps: 2 * fc(maps.mean(dim=(2, 3))),
    "a ReLU between": lambda fc, maps: fc((maps.mean(dim=(2, 3)) - 0.2).relu()),
    "softmax": lambda fc, maps: fc(maps.mean(dim=(2, 3))).softmax(dim=1),
    "other weights on a border": lambda fc, maps: fc(maps[:, :, 1:, 1:].mean(dim=(2, 3))),
}


@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
@pytest.mark.parametrize("size", [1e-6, 1.0])
def test_what_is_no_average_and_linear_layer_is_not_certified(way, size):
    network = drawn(Pooled(way))
    with torch.no_grad():
        network.fc.weight.mul_(size)
        network.fc.bias.mul_(size)
    assert head_of(network) is None


def test_a_head_that_knows_places_is_not_certified():
    assert head_of(drawn(Flattening())) is None


def test_dropout_between_changes_nothing_while_it_is_asked():
    network = Pooled(lambda fc, maps: fc(network.dropout(maps.mean(dim=(2, 3)))))
    network.dropout = nn.Dropout(0.5)
    classifier = classifier_of(drawn(network)).train()
    assert linear_head(classifier, FEATURES, noise()) is not None
    assert network.dropout.training
    assert hooks(classifier) == 0


@pytest.mark.parametrize("images", [torch.zeros(4, 3, 8, 8), torch.full((4, 3, 8, 8), 0.5)])
def test_even_images_certify_nothing(images):
    """On an even map, which no border of zeros spoils, a maximum is an average."""
    network = drawn(Pooled(WAYS["maximum"]))
    network.features[0].padding = (0, 0)
    assert head_of(network, layer=MapLayer("features", 6, 3, 3, "nchw", 0), images=images) is None


def test_a_map_that_adds_nothing_certifies_nothing():
    network = drawn(Averaging())
    with torch.no_grad():
        network.fc.bias.fill_(1e6)
    assert head_of(network) is None


@pytest.mark.parametrize("size", [1e-3, 1.0, 1e3])
def test_the_size_of_the_logits_does_not_matter(size):
    network = drawn(Averaging())
    with torch.no_grad():
        network.fc.weight.mul_(size)
        network.fc.bias.mul_(size)
    assert head_of(network) is not None


class GeM(nn.Module):
    """The generalised mean, which is the average where its exponent is 1."""

    def __init__(self) -> None:
        super().__init__()
        self.exponent = nn.Parameter(torch.ones(1))

    def forward(self, maps: torch.Tensor) -> torch.Tensor:
        return maps.clamp(min=1e-6).pow(self.exponent).mean(dim=(2, 3)).pow(1 / self.exponent)


class NotYet(Averaging):
    """A head that is an average and a linear layer only as long as it has learned nothing."""

    def __init__(self, kind: str) -> None:
        super().__init__()
        self.kind, self.scale = kind, nn.Parameter(torch.tensor(1.0))
        self.norm, self.pool, self.even = nn.BatchNorm1d(6, eps=0), GeM(), nn.Linear(6, 6, bias=False)
        nn.init.eye_(self.even.weight)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        maps = self.features(images)
        means = self.pool(maps) if self.kind == "GeM" else maps.mean(dim=(2, 3))
        if self.kind == "batch norm":
            means = self.norm(means)
        if self.kind == "identity":
            means = self.even(means)
        logits = self.fc(means)
        return self.scale * logits if self.kind == "temperature" else logits


@pytest.mark.parametrize("kind", ["batch norm", "GeM", "identity", "temperature"])
def test_a_head_that_has_not_learned_yet_what_it_is_is_not_certified(kind):
    network = NotYet(kind).eval()
    state = {name: value.clone() for name, value in network.state_dict().items()}
    means = network.features(noise()).mean(dim=(2, 3))
    torch.testing.assert_close(network(noise()), network.fc(means), atol=1e-4, rtol=1e-4)  # now it looks like one
    assert head_of(network) is None
    assert all(torch.equal(state[name], value) for name, value in network.state_dict().items())
    assert hooks(network) == 0


def test_the_same_head_without_them_is_certified():
    assert head_of(NotYet("")) is not None


def test_only_what_ends_after_the_layer_ran_after_it():
    network = drawn(Averaging())
    with ran_after(network, FEATURES) as behind:
        network(noise())
    assert behind == [network.fc, network]
    assert hooks(network) == 0
