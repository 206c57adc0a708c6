from __future__ import annotations

import pytest
import torch
from torch import nn

from engine.methods.cam_training.capture import attached, cut, replaced
from engine.methods.cam_training.layers import map_layers
from engine.methods.cam_training.map_layer import MapLayer
from tests.methods.cam_training.nets import (
    Averaging,
    Flattening,
    FunctionalReLU,
    WrittenOver,
    classifier_of,
    drawn,
    hooks,
    noise,
)

FEATURES = MapLayer("features", 6, 4, 4, "nchw", 0)


class Tokens(nn.Module):
    """Tokens that mix before the head reads the first one."""

    def __init__(self, layout: str) -> None:
        super().__init__()
        self.layout, self.embed, self.block, self.head = layout, nn.Conv2d(3, 4, 2, 2), nn.Identity(), nn.Linear(4, 3)

    def forward(self, images):
        maps = self.embed(images)
        if self.layout == "nhwc":
            return self.head(self.block(maps.permute(0, 2, 3, 1)).square().mean(dim=(1, 2)))
        tokens = maps.flatten(2).transpose(1, 2)
        tokens = self.block(torch.cat([tokens.mean(dim=1, keepdim=True), tokens], dim=1))
        return self.head(tokens[:, 0] + tokens[:, 1:].square().mean(dim=1))


CASES = [
    (Flattening(), FEATURES),
    (Tokens("nhwc"), MapLayer("block", 4, 4, 4, "nhwc", 0)),
    (Tokens("tokens"), MapLayer("block", 4, 4, 4, "tokens", 1)),
]


@pytest.mark.parametrize(("network", "layer"), CASES)
@pytest.mark.parametrize("capture", [attached, cut])
def test_nothing_changes_and_the_map_lies_between_images_and_logits(network, layer, capture):
    drawn(network)
    plain = network(noise())
    with capture(network, layer) as seen:
        logits = network(noise())
        slope = torch.autograd.grad(logits[:, 0].sum(), seen[0])[0]
    torch.testing.assert_close(logits, plain)
    assert seen[0].shape == slope.shape == (4, layer.channels, layer.height, layer.width)
    assert slope.flatten(1).any(dim=1).all()
    assert hooks(network) == 0


def test_what_is_made_of_attached_maps_trains_backbone_and_head():
    network = drawn(Flattening())
    with attached(network, FEATURES) as seen:
        logits = network(noise())
    slope = torch.autograd.grad(logits[:, 0].sum(), seen[-1], create_graph=True)[0]
    (slope * seen[-1]).square().sum().backward()
    for name in ("features.0.weight", "fc.0.weight", "fc.2.weight"):
        assert network.get_parameter(name).grad.any(), name


def test_below_a_cut_there_is_no_graph():
    network = drawn(Averaging())
    with cut(network, FEATURES) as seen:
        logits = network(noise())
        assert seen[0].is_leaf
        assert not any(weight.requires_grad for weight in network.parameters())
    names, todo = set(), [logits.grad_fn]
    while todo:
        node = todo.pop()
        names.add(node.name())
        todo += [each for each, _ in node.next_functions if each is not None]
    assert not any("Convolution" in name or "Relu" in name for name in names)
    assert all(weight.requires_grad and weight.grad is None for weight in network.parameters())


@pytest.mark.parametrize("capture", [attached, cut])
def test_what_comes_next_may_write_into_its_input(capture):
    network = drawn(WrittenOver()).eval()
    layer = MapLayer("bn", 3, 8, 8, "nchw", 0)
    expected = network.bn(network.conv(noise()))
    with capture(network, layer) as seen:
        logits = network(noise())
        assert torch.autograd.grad(logits.sum(), seen[0])[0].any()
    torch.testing.assert_close(seen[0], expected)
    functional = drawn(FunctionalReLU(inplace=True)).eval()
    with capture(functional, MapLayer("features", 6, 6, 6, "nchw", 0)) as seen:
        slope = torch.autograd.grad(functional(noise()).sum(), seen[0])[0]
    assert seen[0].min() < 0
    assert not slope[seen[0] < 0].any()
    assert slope[seen[0] > 0].all()


def test_a_layer_that_runs_twice_is_collected_twice():
    network = nn.Sequential(nn.Conv2d(3, 3, 1), relu := nn.ReLU(), nn.Conv2d(3, 3, 1), relu)
    with attached(network, MapLayer("1", 3, 8, 8, "nchw", 0)) as seen:
        out = network(noise())
    assert len(seen) == 2
    assert torch.equal(seen[-1], out)


def test_captures_can_lie_in_each_other():
    classifier = classifier_of(drawn(Averaging()))
    layers = map_layers(classifier, noise())
    assert [layer.name for layer in layers] == ["features.0", "features"]
    with attached(classifier.network, layers[0]) as first, attached(classifier.network, layers[1]) as second:
        logits = classifier(noise())
    below, above = torch.autograd.grad(logits.sum(), [first[0], second[0]])
    torch.testing.assert_close(below, above * (first[0] > 0))


@pytest.mark.parametrize("capture", [attached, cut])
def test_hooks_are_gone_and_weights_as_they_were_after_an_error(capture):
    network = Averaging()
    network.fc.bias.requires_grad_(False)
    with pytest.raises(RuntimeError), capture(network, FEATURES):
        network(torch.zeros(1, 5, 8, 8))
    assert hooks(network) == 0
    assert {name for name, weight in network.named_parameters() if not weight.requires_grad} == {"fc.bias"}


def test_the_network_goes_on_with_what_it_is_given_instead():
    network = drawn(Averaging())
    with replaced(network, FEATURES, lambda maps: torch.zeros_like(maps)):
        logits = network(noise())
    torch.testing.assert_close(logits, network.fc.bias.expand(4, 3))
