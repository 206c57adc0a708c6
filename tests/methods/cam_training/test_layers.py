from __future__ import annotations

from functools import partial

import pytest
import timm
import torch
import torchvision
from torch import nn

from engine.loading.architectures import build
from engine.loading.demos import open_demo
from engine.methods.cam_training.layers import find_layer, map_layers
from engine.methods.cam_training.linear_head import linear_head
from engine.methods.cam_training.map_layer import MapLayer
from engine.toolkit.seeding import seeded
from tests.methods.cam_training.nets import (
    Averaging,
    FunctionalReLU,
    OneCell,
    WrittenOver,
    classifier_of,
    drawn,
    hooks,
    noise,
)

tv = torchvision.models
small = {"pretrained": False, "num_classes": 3}
vit = {**small, "img_size": 32, "patch_size": 8, "embed_dim": 32, "depth": 2, "num_heads": 2}

# network, side, the layer that is found, its shape and layout, whether its map is exact
NETWORKS = {
    "resnet18": (partial(tv.resnet18, num_classes=3), 64, "layer4", (512, 2, 2, "nchw", 0), True),
    "mobilenet_v3_small": (
        partial(tv.mobilenet_v3_small, num_classes=3),
        64,
        "features",
        (576, 2, 2, "nchw", 0),
        False,
    ),
    "densenet121": (partial(tv.densenet121, num_classes=3), 64, "features", (1024, 2, 2, "nchw", 0), False),
    "vgg11": (partial(tv.vgg11, num_classes=3), 32, "avgpool", (512, 7, 7, "nchw", 0), False),
    "squeezenet1_1": (partial(tv.squeezenet1_1, num_classes=3), 64, "classifier.2", (3, 3, 3, "nchw", 0), True),
    "swin_t": (
        partial(tv.SwinTransformer, [4, 4], 24, [1, 1], [2, 4], [4, 4], num_classes=3),
        32,
        "permute",
        (48, 4, 4, "nchw", 0),
        True,
    ),
    "vit_b_16": (
        partial(tv.VisionTransformer, 32, 8, 2, 2, 32, 64, num_classes=3),
        32,
        "encoder.layers.encoder_layer_1.ln_1",
        (32, 4, 4, "tokens", 1),
        False,
    ),
    "timm vit": (
        partial(timm.create_model, "vit_tiny_patch16_224", **vit),
        32,
        "blocks.1.norm1",
        (32, 4, 4, "tokens", 1),
        False,
    ),
    "timm deit": (
        partial(timm.create_model, "deit_tiny_distilled_patch16_224", **vit),
        32,
        "blocks.1.norm1",
        (32, 4, 4, "tokens", 2),
        False,
    ),
    "timm registers": (
        partial(timm.create_model, "vit_medium_patch16_reg4_gap_256", **vit),
        32,
        "blocks",
        (32, 4, 4, "tokens", 4),
        False,
    ),
    "timm swin": (
        partial(
            timm.create_model,
            "swin_tiny_patch4_window7_224",
            **small,
            img_size=32,
            window_size=4,
            embed_dim=24,
            depths=(1, 1),
            num_heads=(2, 4),
        ),
        32,
        "norm",
        (48, 4, 4, "nhwc", 0),
        True,
    ),
}


@pytest.mark.parametrize("name", NETWORKS)
def test_the_last_layer_that_says_something_is_found(name):
    make, side, found, shape, exact = NETWORKS[name]
    with seeded(0):
        classifier = classifier_of(make(), side)
    layer = find_layer(classifier, noise(4, side))
    assert layer == MapLayer(found, *shape)
    assert (linear_head(classifier, layer, noise(4, side)) is not None) == exact
    assert find_layer(classifier, noise(4, side), found) == layer
    assert hooks(classifier) == 0


@pytest.mark.parametrize("demo", ["digits", "backgrounds"])
def test_the_demos_have_an_exact_map(demo):
    classifier, _ = open_demo(demo)
    layer = find_layer(classifier, noise(4, 32))
    assert (layer.name, layer.height, layer.width) == ("features", 8, 8)
    assert linear_head(classifier, layer, noise(4, 32)) is not None


def test_layers_come_in_the_order_in_which_they_run_and_each_map_once():
    classifier = classifier_of(tv.resnet18(num_classes=3), 64)
    names = [layer.name for layer in map_layers(classifier, noise(1, 64))]
    assert names[:4] == ["conv1", "bn1", "relu", "maxpool"]
    assert names[-3:] == ["layer4.1.conv2", "layer4.1.bn2", "layer4"]  # layer4.1 and its ReLU are the same map
    assert len(names) == len(set(names))
    assert not {"avgpool", "fc", ""} & set(names)


def test_a_map_that_is_written_over_is_not_the_one_that_it_was():
    classifier = classifier_of(drawn(WrittenOver()))
    assert [layer.name for layer in map_layers(classifier, noise())] == ["conv", "bn", "relu"]


def test_of_a_module_that_runs_twice_the_last_time_counts():
    relu = nn.ReLU()
    network = nn.Sequential(nn.Conv2d(3, 4, 1), relu, nn.AvgPool2d(2), nn.Conv2d(4, 4, 1), relu, nn.Flatten())
    layers = map_layers(classifier_of(network, outputs=64), noise())
    assert [(layer.name, layer.height) for layer in layers] == [("0", 8), ("2", 4), ("3", 4), ("1", 4)]


def test_a_layer_that_nobody_listens_to_is_not_taken():
    class Aside(Averaging):
        def __init__(self):
            super().__init__()
            self.aside = nn.Conv2d(6, 6, 1)

        def forward(self, images):
            self.aside(self.features(images))
            return super().forward(images)

    classifier = classifier_of(drawn(Aside()))
    # run again, the features come after what is set aside
    assert [layer.name for layer in map_layers(classifier, noise())] == ["aside", "features.0", "features"]

    class Deaf(Averaging):
        def forward(self, images):
            return self.fc(images.mean(dim=(2, 3)).repeat(1, 2)) + 0 * self.features(images).sum(dim=(1, 2, 3))[:, None]

    with pytest.raises(ValueError, match="depend on no layer that keeps a map"):
        find_layer(classifier_of(drawn(Deaf())), noise())


def test_windows_of_an_image_are_not_images():
    class Windows(Averaging):
        def __init__(self):
            super().__init__()
            self.window = nn.Conv2d(6, 6, 1)

        def forward(self, images):
            halves = torch.cat(self.features(images).split(2, dim=2))
            return self.fc(torch.cat(self.window(halves).chunk(2), dim=2).mean(dim=(2, 3)))

    assert find_layer(classifier_of(drawn(Windows())), noise()).name == "features"


def test_a_softmax_within_the_network_hides_nothing():
    network = nn.Sequential(drawn(Averaging(outputs=2)), nn.Softmax(dim=1))
    for seed in range(5):
        assert find_layer(classifier_of(network, outputs=2), noise(seed=seed)).name == "0.features"


def test_a_head_of_zeros_as_some_begin_hides_nothing():
    network = drawn(Averaging())
    nn.init.zeros_(network.fc.weight)
    classifier = classifier_of(network)
    layer = find_layer(classifier, noise())
    assert layer.name == "features"
    assert linear_head(classifier, layer, noise()) is not None
    assert not network.fc.weight.any()


@pytest.mark.parametrize("inplace", [False, True])
def test_a_relu_that_is_no_module_leaves_the_norm_before_it(inplace):
    classifier = classifier_of(drawn(FunctionalReLU(inplace)))
    layer = find_layer(classifier, noise())
    assert layer.name == "features"
    assert linear_head(classifier, layer, noise()) is None


@pytest.mark.parametrize(
    "network",
    [nn.Sequential(nn.Flatten(), nn.Linear(192, 8), nn.ReLU(), nn.Linear(8, 3)), build("mlp", 3, 3), OneCell()],
    ids=type,
)
def test_a_network_without_a_grid_is_refused_in_plain_words(network):
    classifier = classifier_of(network)
    assert map_layers(classifier, noise()) == ()
    for name in ("", "features"):
        with pytest.raises(ValueError, match=r"a CAM needs a grid, .* take a network that keeps one"):
            find_layer(classifier, noise(), name)


def test_a_name_that_is_no_map_layer_is_told_what_is_near():
    classifier = classifier_of(drawn(Averaging()))
    with pytest.raises(
        ValueError, match=r"has no layer 'feature.0'; did you mean features.0 or features.1 or features\?"
    ):
        find_layer(classifier, noise(), "feature.0")
    with pytest.raises(ValueError, match=r"'fc' puts out no map of more than 1 x 1 cells; features.0 or .* does"):
        find_layer(classifier, noise(), "fc")


def test_a_name_is_also_found_within_what_hands_it_on():
    classifier = classifier_of(drawn(Averaging()))
    assert find_layer(classifier, noise(), "features.1").name == "features.1"


def test_the_network_is_left_as_it_was_even_after_an_error():
    classifier = classifier_of(drawn(FunctionalReLU(inplace=False)))
    classifier.train()
    classifier.network.features[0].eval()
    statistics = classifier.network.features[1].running_mean.clone()
    find_layer(classifier, noise())
    with pytest.raises(RuntimeError):
        map_layers(classifier, noise().double())
    assert classifier.training
    assert classifier.network.features[1].training
    assert not classifier.network.features[0].training
    assert torch.equal(classifier.network.features[1].running_mean, statistics)
    assert all(weight.requires_grad and weight.grad is None for weight in classifier.parameters())
    assert hooks(classifier) == 0


def test_where_tokens_become_fewer_on_the_way_the_last_stage_is_taken():
    classifier = classifier_of(timm.create_model("levit_128s", **small), side=224).eval()
    found = find_layer(classifier, noise(side=224))
    assert found == MapLayer("stages", 384, 4, 4, "tokens", 0)


def test_a_batch_norm_before_the_last_layer_is_no_exact_map_however_it_begins():
    classifier = classifier_of(timm.create_model("efficientvit_m0", **small), side=224).eval()
    images = noise(side=224)
    layer = find_layer(classifier, images)
    assert (layer.name, layer.channels) == ("stages", 192)  # what is averaged
    assert linear_head(classifier, layer, images) is None
