import subprocess
import sys

import pytest
import timm
import torch
from torch import nn
from torchvision import models

from engine.loading.architectures import (
    build,
    check_known,
    default_preprocessing,
    is_known,
    names,
    of_timm,
    of_torchvision,
    own,
    timm_names,
)
from engine.loading.architectures.weightless import furnished, skeleton

SOME = ("mobilenet_v3_small", "squeezenet1_0", "googlenet", "regnet_y_400mf", "timm/resnet18", *own.NAMES)
HEAVY = ("resnet18", "vgg11", "densenet121", "vit_b_16", "swin_t", "inception_v3", "timm/vit_tiny_patch16_224")


def test_the_names_are_ours_and_all_of_torchvisions_classifiers():
    assert set(of_torchvision.NAMES) == set(models.list_models(module=models))
    assert names() == [*own.NAMES, *of_torchvision.NAMES]
    assert len(set(names())) == len(names())


def test_timms_names_are_all_there_and_its_common_ones_exist():
    assert timm_names() == [f"timm/{name}" for name in timm.list_models()]
    assert [name for _, members in of_timm.FAMILIES for name in members if not timm.is_model(name)] == []


def test_every_common_timm_family_is_known_by_its_layer():
    for layer, members in of_timm.FAMILIES:
        keys = skeleton(f"timm/{members[0]}", 2, 3).state_dict()
        assert any(key.endswith(layer) for key in keys), members[0]


def test_listing_and_asking_for_names_imports_no_torch():
    code = (
        "import sys; from engine.loading import architectures as a; a.names(); a.default_preprocessing('small_cnn', 3);"
        "sys.exit(any(name in sys.modules for name in ('torch', 'torchvision', 'timm')))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.parametrize(
    "name", ["timm/hf-hub:someone/net", "timm/local-dir:/tmp", "timm/resnet18.a1_in1k", "os.system"]
)
def test_a_name_that_would_load_from_elsewhere_is_unknown(name):
    assert not is_known(name)
    with pytest.raises(ValueError, match="there is no architecture called"):
        build(name, 10, 3)


def test_an_unknown_name_is_answered_with_those_that_look_alike():
    with pytest.raises(ValueError, match="no architecture called 'resnet8'; did you mean resnet18"):
        check_known("resnet8")
    with pytest.raises(ValueError, match=r"no architecture called 'timm/resnet_18'; did you mean .*timm/resnet18"):
        check_known("timm/resnet_18")
    with pytest.raises(ValueError, match="use a torchvision name, or timm/ and a timm name"):
        check_known("?")


def test_numbers_out_of_range_are_refused():
    with pytest.raises(ValueError, match="1 to 100000 outputs, got 0"):
        build("lenet5", 0, 3)
    with pytest.raises(ValueError, match=r"1 channel \(grey\) or 3 \(colour\), got 4"):
        build("lenet5", 10, 4)


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("name", SOME)
def test_a_network_takes_what_its_preprocessing_makes_and_gives_its_outputs(name, channels):
    wanted = default_preprocessing(name, channels)
    assert wanted.channels == channels
    with torch.no_grad():
        logits = build(name, 7, channels).eval()(torch.rand(2, channels, wanted.height, wanted.width))
    assert logits.shape == (2, 7)


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("name", [*HEAVY, "vit_h_14"])
def test_a_heavy_network_does_so_too_by_its_shapes(name, channels):
    wanted = default_preprocessing(name, channels)
    images = torch.empty(2, channels, wanted.height, wanted.width, device="meta")
    assert skeleton(name, 7, channels).to("meta").eval()(images).shape == (2, 7)


@pytest.mark.parametrize("name", [*SOME, "densenet121", "swin_t"])
def test_a_skeleton_has_the_shapes_of_the_network(name):
    whole = {key: tensor.shape for key, tensor in build(name, 3, 1).state_dict().items()}
    assert {key: tensor.shape for key, tensor in skeleton(name, 3, 1).state_dict().items()} == whole


@pytest.mark.parametrize("name", [*SOME, "swin_t", "timm/vit_relpos_small_patch16_224"])
def test_a_furnished_network_computes_what_the_original_does(name):
    torch.manual_seed(0)
    original = build(name, 5, 3).eval()
    wanted = default_preprocessing(name, 3)
    images = torch.rand(2, 3, wanted.height, wanted.width)
    before = torch.random.get_rng_state()
    twin = furnished(name, 5, 3, original.state_dict())
    assert torch.equal(torch.random.get_rng_state(), before), "the global seed was touched"
    with torch.no_grad():
        assert torch.equal(twin(images), original(images))
    first, second = next(twin.parameters()), next(original.parameters())
    assert first.requires_grad
    assert first.data_ptr() != second.data_ptr()


def test_preprocessing_is_that_of_the_published_weights():
    resnet = default_preprocessing("resnet18", 3)
    assert (resnet.height, resnet.width, resnet.crop_share, resnet.interpolation) == (224, 224, 0.875, "bilinear")
    assert resnet.mean == (0.485, 0.456, 0.406)
    assert default_preprocessing("resnet18", 1).mean == pytest.approx((0.449,))
    assert default_preprocessing("efficientnet_b0", 3).interpolation == "bicubic"
    assert default_preprocessing("timm/vit_tiny_patch16_224", 3).mean == (0.5, 0.5, 0.5)
    small = default_preprocessing("small_cnn", 3)
    assert (small.height, small.mean, small.std) == (32, (0.0,) * 3, (1.0,) * 3)
    assert default_preprocessing("lenet5", 1).height == 28


def test_the_inceptions_see_what_torchvisions_input_transform_would_make():
    theirs = models.googlenet(weights=None, num_classes=2, transform_input=True, aux_logits=False, init_weights=False)
    image = torch.rand(1, 3, 8, 8)
    imagenet = default_preprocessing("resnet18", 3)
    normalised = (image - torch.tensor(imagenet.mean).view(1, 3, 1, 1)) / torch.tensor(imagenet.std).view(1, 3, 1, 1)
    ours = default_preprocessing("googlenet", 3)
    assert ours.mean == ours.std == (0.5, 0.5, 0.5)
    torch.testing.assert_close((image - 0.5) / 0.5, theirs._transform_input(normalised))


def test_spinal_vgg_is_the_published_network():
    network = build("spinal_vgg", 62, 1)
    assert sum(weight.numel() for weight in network.parameters()) == 3_656_446
    modules = {key.split(".")[0] for key in network.state_dict()}
    assert modules == {"l1", "l2", "l3", "l4", *(f"fc_spinal_layer{i}" for i in range(1, 5)), "fc_out"}
    assert network.fc_out[1].in_features == 512


def spinal_head_by_the_book(network, features):
    first = network.fc_spinal_layer1(features[:, 0:128])
    second = network.fc_spinal_layer2(torch.cat([features[:, 128:256], first], 1))
    third = network.fc_spinal_layer3(torch.cat([features[:, 0:128], second], 1))
    fourth = network.fc_spinal_layer4(torch.cat([features[:, 128:256], third], 1))
    return network.fc_out(torch.cat([first, second, third, fourth], 1))


@pytest.mark.parametrize("side", [28, 34])
def test_spinal_vggs_head_reads_all_features_also_of_a_larger_image(side):
    network = build("spinal_vgg", 10, 1).eval()
    images = torch.rand(2, 1, side, side)
    with torch.no_grad():
        features = network.l4(network.l3(network.l2(network.l1(images)))).amax(dim=(2, 3))
        torch.testing.assert_close(network(images), spinal_head_by_the_book(network, features))


def test_lenet_on_28_pixels_is_the_one_that_pads_its_first_convolution():
    network = build("lenet5", 10, 1).eval()
    images = torch.rand(2, 1, 28, 28)
    with torch.no_grad():
        first = nn.functional.conv2d(images, network.conv1.weight, network.conv1.bias, padding=2).relu()
        second = network.conv2(nn.functional.max_pool2d(first, 2)).relu()
        features = nn.functional.max_pool2d(second, 2).flatten(1)
        expected = network.fc3(network.fc2(network.fc1(features).relu()).relu())
        torch.testing.assert_close(network(images), expected)
