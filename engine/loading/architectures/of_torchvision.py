"""torchvision's classifiers, by torchvision's own names."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from engine.loading.architectures.channels import averaged
from engine.subject.preprocessing import Preprocessing

if TYPE_CHECKING:
    from torch import nn

# written out, so that they can be listed without importing torch; a test compares them with torchvision's
NAMES = (
    *("alexnet", "convnext_base", "convnext_large", "convnext_small", "convnext_tiny"),
    *("densenet121", "densenet161", "densenet169", "densenet201"),
    *("efficientnet_b0", "efficientnet_b1", "efficientnet_b2", "efficientnet_b3", "efficientnet_b4"),
    *("efficientnet_b5", "efficientnet_b6", "efficientnet_b7"),
    *("efficientnet_v2_l", "efficientnet_v2_m", "efficientnet_v2_s", "googlenet", "inception_v3", "maxvit_t"),
    *("mnasnet0_5", "mnasnet0_75", "mnasnet1_0", "mnasnet1_3"),
    *("mobilenet_v2", "mobilenet_v3_large", "mobilenet_v3_small"),
    *("regnet_x_16gf", "regnet_x_1_6gf", "regnet_x_32gf", "regnet_x_3_2gf", "regnet_x_400mf"),
    *("regnet_x_800mf", "regnet_x_8gf", "regnet_y_128gf", "regnet_y_16gf", "regnet_y_1_6gf"),
    *("regnet_y_32gf", "regnet_y_3_2gf", "regnet_y_400mf", "regnet_y_800mf", "regnet_y_8gf"),
    *("resnet101", "resnet152", "resnet18", "resnet34", "resnet50"),
    *("resnext101_32x8d", "resnext101_64x4d", "resnext50_32x4d"),
    *("shufflenet_v2_x0_5", "shufflenet_v2_x1_0", "shufflenet_v2_x1_5", "shufflenet_v2_x2_0"),
    *("squeezenet1_0", "squeezenet1_1", "swin_b", "swin_s", "swin_t", "swin_v2_b", "swin_v2_s", "swin_v2_t"),
    *("vgg11", "vgg11_bn", "vgg13", "vgg13_bn", "vgg16", "vgg16_bn", "vgg19", "vgg19_bn"),
    *("vit_b_16", "vit_b_32", "vit_h_14", "vit_l_16", "vit_l_32", "wide_resnet101_2", "wide_resnet50_2"),
)

# Only training uses the auxiliary heads. The published weights came from TensorFlow, normalised to -1 to 1, which
# torchvision mends inside the network (`transform_input`); here the preprocessing says it, where a person sees it.
INCEPTIONS = ("googlenet", "inception_v3")
AS_BUILT = {"aux_logits": False, "transform_input": False, "init_weights": False}

# the default weights are of a network for other images than the one that is built by this name
AT_BUILT_SIZE = {"vit_h_14": "IMAGENET1K_SWAG_LINEAR_V1"}


def build(name: str, outputs: int, channels: int) -> nn.Module:
    """torchvision's network with random weights; for grey images its first convolution takes one channel."""
    from torchvision import models

    chosen: dict[str, Any] = AS_BUILT if name in INCEPTIONS else {}
    network: nn.Module = models.get_model(name, weights=None, num_classes=outputs, **chosen)
    if channels != 3:
        take_channels(network, channels)
    return network


def take_channels(network: nn.Module, channels: int) -> None:
    """Replace the network's first convolution by one that takes this many channels."""
    from torch import nn

    path, first = next((path, layer) for path, layer in network.named_modules() if isinstance(layer, nn.Conv2d))
    parent, _, name = path.rpartition(".")
    fresh = nn.Conv2d(
        channels,
        first.out_channels,
        first.kernel_size,  # type: ignore[arg-type]
        first.stride,  # type: ignore[arg-type]
        first.padding,  # type: ignore[arg-type]
        bias=first.bias is not None,
    )
    setattr(network.get_submodule(parent), name, fresh)


def preprocessing(name: str, channels: int) -> Preprocessing:
    """What torchvision's default weights expect, from the transforms that come with them."""
    from torchvision import models

    published = models.get_model_weights(name)
    wanted = published[AT_BUILT_SIZE.get(name, published.DEFAULT.name)].transforms()
    mean, std = ([0.5] * 3, [0.5] * 3) if name in INCEPTIONS else (wanted.mean, wanted.std)
    crop, side = wanted.crop_size[0], wanted.resize_size[0]
    return Preprocessing(
        channels=channels,
        height=crop,
        width=crop,
        mean=averaged(mean, channels),
        std=averaged(std, channels),
        interpolation=wanted.interpolation.value,
        crop_share=min(1.0, crop / side),
    )
