"""A network with its preprocessing and class names: the one object that owns the input domain."""

from __future__ import annotations

import hashlib

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from engine.subject.blueprint import Blueprint
from engine.subject.frame import centre, cover

GREY = (0.299, 0.587, 0.114)  # ITU-R 601-2, as Pillow's convert("L")


class Classifier(nn.Module):
    """Images in, logits out: images (N, C, H, W) in [0, 1] at the data's own size -> logits (N, classes).

    Nobody else normalises, resizes or changes colours; all of it lets gradients through. A network with one
    sigmoid output z gives the logits (0, z), so that its softmax is (1 - sigmoid(z), sigmoid(z)).
    """

    def __init__(self, network: nn.Module, blueprint: Blueprint) -> None:
        super().__init__()
        self.network = network
        self.blueprint = blueprint
        preprocessing = blueprint.preprocessing
        # (x - mean) / std as one multiply-add, since it is done to every pixel
        std = torch.tensor(preprocessing.std).view(1, -1, 1, 1)
        mean = torch.tensor(preprocessing.mean).view(1, -1, 1, 1)
        self.register_buffer("scale", 1 / std, persistent=False)
        self.register_buffer("shift", -mean / std, persistent=False)

    @property
    def classes(self) -> tuple[str, ...]:
        """The class names, in the order of the logits."""
        return self.blueprint.classes

    @property
    def device(self) -> torch.device:
        """Where the classifier computes."""
        return self.scale.device  # type: ignore[return-value]

    def preprocess(self, images: Tensor) -> Tensor:
        """images (N, C, H, W) in [0, 1] -> what the network takes (N, channels, height, width)."""
        wanted = self.blueprint.preprocessing
        images = in_channels(images, wanted.channels)
        size = (wanted.height, wanted.width)
        if images.shape[-2:] != size:
            height, width = cover(images.shape[-2], images.shape[-1], *size, share=1.0)
            images = resize(images, height, width, wanted.interpolation)
            top, left = centre(height, wanted.height), centre(width, wanted.width)
            images = images[..., top : top + wanted.height, left : left + wanted.width]
        return torch.addcmul(self.shift, images, self.scale)  # type: ignore[arg-type]

    def forward(self, images: Tensor) -> Tensor:
        """images (N, C, H, W) in [0, 1] -> logits (N, classes)."""
        if images.ndim != 4 or images.shape[1] not in (1, 3):
            raise ValueError(
                f"images must be (N, C, H, W) with 1 or 3 channels, got {tuple(images.shape)}; "
                "for one image use images[None]"
            )
        outputs = self.network(self.preprocess(images))
        if self.blueprint.outputs == 1:
            outputs = outputs.reshape(len(images), 1)
            return torch.cat([torch.zeros_like(outputs), outputs], dim=1)
        return outputs


def in_channels(images: Tensor, channels: int) -> Tensor:
    """The images with 1 or 3 channels: grey is repeated, colour is weighed as Pillow weighs it."""
    if images.shape[1] == channels:
        return images
    if channels == 3:
        return images.expand(-1, 3, -1, -1)
    return (images * images.new_tensor(GREY).view(1, 3, 1, 1)).sum(dim=1, keepdim=True)


def resize(images: Tensor, height: int, width: int, interpolation: str) -> Tensor:
    """The images at another size in pixels; antialiased like Pillow's where it shrinks them, kept in [0, 1]."""
    if images.shape[-2:] == (height, width):
        return images
    if interpolation == "nearest":
        return F.interpolate(images, size=(height, width), mode="nearest-exact")
    resized = F.interpolate(images, size=(height, width), mode=interpolation, antialias=True)
    return resized.clamp(0, 1) if interpolation == "bicubic" else resized


def weights_hash(network: nn.Module) -> str:
    """SHA-256 of a network's tensors with their names, the same on every device and in every file format."""
    digest = hashlib.sha256()
    for name, tensor in sorted(network.state_dict().items()):
        digest.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}".encode())
        digest.update(tensor.detach().cpu().contiguous().flatten().view(torch.uint8).numpy().data)
    return digest.hexdigest()
