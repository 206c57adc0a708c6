"""The small networks that are written here, by name."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.subject.preprocessing import Preprocessing

if TYPE_CHECKING:
    from torch import nn

NAMES = ("small_cnn", "lenet5", "mlp", "spinal_vgg", "digits_cnn", "plate_cnn")


def build(name: str, outputs: int, channels: int) -> nn.Module:
    """The network with random weights."""
    from engine.loading.architectures.demo_nets import DigitsCNN, PlateCNN
    from engine.loading.architectures.small_nets import MLP, LeNet5, SmallCNN
    from engine.loading.architectures.spinal_vgg import SpinalVGG

    kinds: dict[str, type[nn.Module]] = {
        "small_cnn": SmallCNN,
        "lenet5": LeNet5,
        "mlp": MLP,
        "spinal_vgg": SpinalVGG,
        "digits_cnn": DigitsCNN,
        "plate_cnn": PlateCNN,
    }
    return kinds[name](outputs, channels)


def preprocessing(name: str, channels: int) -> Preprocessing:
    """MNIST's 28 pixels, or CIFAR's 32 for the CNNs and a LeNet that takes colours; images in [0, 1] as they are."""
    side = 32 if name.endswith("_cnn") or (name == "lenet5" and channels == 3) else 28
    return Preprocessing(channels, side, side, mean=(0.0,) * channels, std=(1.0,) * channels)
