"""timm's classifiers, as `timm/` and timm's name; always with random weights, nothing is ever downloaded."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING

from engine.loading.architectures.channels import averaged
from engine.subject.preprocessing import INTERPOLATIONS, Preprocessing

if TYPE_CHECKING:
    from torch import nn

PREFIX = "timm/"

# a layer by which a family is known, and its members that are tried when no architecture was named
FAMILIES = (
    (
        "layer1.0.conv1.weight",
        (
            *("resnet10t", "resnet14t", "resnet18", "resnet18d", "resnet26", "resnet26d", "resnet34", "resnet34d"),
            *("resnet50", "resnet50d", "resnet101", "resnet101d", "resnet152", "resnet152d", "resnet200d"),
            *("wide_resnet50_2", "resnext50_32x4d", "resnext101_32x8d", "seresnet50", "seresnext50_32x4d"),
            *("ecaresnet50t", "resnetrs50", "resnetrs101", "res2net50_26w_4s", "resnest50d"),
        ),
    ),
    (
        "blocks.0.attn.qkv.weight",
        (
            *("vit_tiny_patch16_224", "vit_small_patch16_224", "vit_base_patch16_224", "vit_large_patch16_224"),
            *("vit_tiny_patch16_384", "vit_small_patch16_384", "vit_base_patch16_384", "vit_large_patch16_384"),
            *("vit_small_patch32_224", "vit_base_patch32_224", "vit_base_patch8_224", "vit_base_patch16_clip_224"),
            *("vit_small_patch14_dinov2", "vit_base_patch14_dinov2", "vit_large_patch14_dinov2"),
            *("deit_tiny_distilled_patch16_224", "deit_small_distilled_patch16_224", "deit3_small_patch16_224"),
            *("deit3_base_patch16_224", "beit_base_patch16_224", "beitv2_base_patch16_224"),
            *("swin_tiny_patch4_window7_224", "swin_small_patch4_window7_224", "swin_base_patch4_window7_224"),
            *("swinv2_tiny_window8_256", "swinv2_small_window8_256", "swinv2_base_window8_256"),
        ),
    ),
    (
        "conv_stem.weight",
        (
            *("efficientnet_b0", "efficientnet_b1", "efficientnet_b2", "efficientnet_b3", "efficientnet_b4"),
            *("efficientnet_lite0", "efficientnetv2_s", "efficientnetv2_m", "efficientnetv2_rw_t"),
            *("efficientnetv2_rw_s", "mobilenetv2_050", "mobilenetv2_100", "mobilenetv2_140"),
            *("mobilenetv3_small_050", "mobilenetv3_small_100", "mobilenetv3_large_100", "mobilenetv3_rw"),
            *("mobilenetv4_conv_small", "mobilenetv4_conv_medium", "mobilenetv4_conv_large", "mnasnet_100"),
            *("fbnetc_100", "ghostnet_100", "tinynet_a", "tinynet_e", "lcnet_050", "lcnet_100"),
        ),
    ),
    (
        "stages.0.blocks.0.conv_dw.weight",
        (
            *("convnext_atto", "convnext_femto", "convnext_pico", "convnext_nano", "convnext_tiny"),
            *("convnext_small", "convnext_base", "convnext_large", "convnextv2_atto", "convnextv2_femto"),
            *("convnextv2_pico", "convnextv2_nano", "convnextv2_tiny", "convnextv2_base"),
        ),
    ),
    (
        "stem.conv.weight",
        (
            *("regnetx_002", "regnetx_004", "regnetx_008", "regnetx_016", "regnetx_032", "regnety_002"),
            *("regnety_004", "regnety_008", "regnety_016", "regnety_032", "regnety_080", "regnety_160"),
            "nf_resnet50",
        ),
    ),
    ("features.conv0.weight", ("densenet121", "densenet161", "densenet169", "densenet201")),
    ("features.0.weight", ("vgg11", "vgg11_bn", "vgg13", "vgg13_bn", "vgg16", "vgg16_bn", "vgg19", "vgg19_bn")),
    ("stem.proj.weight", ("mixer_s16_224", "mixer_b16_224", "mixer_s32_224", "mixer_b32_224")),
    ("Conv2d_1a_3x3.conv.weight", ("inception_v3",)),
    ("conv2d_1a.conv.weight", ("inception_resnet_v2",)),
    ("features.0.conv.weight", ("inception_v4",)),
)


def names() -> list[str]:
    """All of timm's architectures, `timm/` before each."""
    import timm

    return [PREFIX + name for name in timm.list_models()]


def is_known(name: str) -> bool:
    """Whether timm has an architecture of exactly this name; tags of published weights are not part of it."""
    if not name.startswith(PREFIX):
        return False
    import timm

    # timm would read `hf-hub:` and `local-dir:` as places to load from, and cut off a tag
    return name.removeprefix(PREFIX).isidentifier() and timm.is_model(name.removeprefix(PREFIX))


def build(name: str, outputs: int, channels: int) -> nn.Module:
    """timm's network with random weights."""
    import timm

    network: nn.Module = timm.create_model(
        name.removeprefix(PREFIX), pretrained=False, num_classes=outputs, in_chans=channels
    )
    return network


def preprocessing(name: str, channels: int) -> Preprocessing:
    """What timm's default weights of this architecture expect, from timm's table."""
    import timm
    from timm.data import resolve_data_config

    published = timm.models.get_pretrained_cfg(name.removeprefix(PREFIX))
    wanted = resolve_data_config(pretrained_cfg=published.to_dict() if published else {})
    _, height, width = wanted["input_size"]
    known = wanted["interpolation"] in INTERPOLATIONS
    return Preprocessing(
        channels=channels,
        height=height,
        width=width,
        mean=averaged(wanted["mean"], channels),
        std=averaged(wanted["std"], channels),
        interpolation=wanted["interpolation"] if known else "bicubic",
        crop_share=min(1.0, wanted["crop_pct"]),
    )


def hinted(file_name: str) -> list[str]:
    """The architectures whose whole name stands at the beginning of a file name, the longest first."""
    start = file_name.replace("-", "_").replace(".", "_")
    return sorted(
        (name for name in names() if f"{start}_".startswith(f"{name[len(PREFIX) :]}_")), key=len, reverse=True
    )


def likely(keys: Collection[str]) -> list[str]:
    """The common architectures that have a layer by which their family is known; building all of timm takes minutes."""
    return [
        PREFIX + name for layer, members in FAMILIES if any(key.endswith(layer) for key in keys) for name in members
    ]
