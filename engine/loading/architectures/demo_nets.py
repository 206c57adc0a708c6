"""The two networks of the built-in demos: small enough to be trained in seconds, for 32 x 32 pixels."""

from __future__ import annotations

from torch import Tensor, nn

from engine.loading.architectures.small_nets import convolution


class DigitsCNN(nn.Module):
    """Four convolutions, global average pooling and one linear layer; the last convolution sees 26 of 32 pixels."""

    def __init__(self, outputs: int, channels: int) -> None:
        super().__init__()
        self.features = nn.Sequential(
            *convolution(channels, 16),
            nn.MaxPool2d(2),
            *convolution(16, 32),
            nn.MaxPool2d(2),
            *convolution(32, 64),
            *convolution(64, 64),
        )
        self.fc = nn.Linear(64, outputs)

    def forward(self, images: Tensor) -> Tensor:
        """images (N, channels, H, W) -> logits (N, outputs)."""
        return self.fc(self.features(images).mean(dim=(2, 3)))


class PlateCNN(nn.Module):
    """Two convolutions that see 10 x 10 pixels, a 1 x 1 one, global average pooling and one linear layer.

    It sees less than a planted plate is wide, so that most places know either the digit or the background.
    """

    def __init__(self, outputs: int, channels: int) -> None:
        super().__init__()
        self.features = nn.Sequential(
            *convolution(channels, 12),
            nn.MaxPool2d(2),
            *convolution(12, 24),
            nn.MaxPool2d(2),
            *(nn.Conv2d(24, 24, 1, bias=False), nn.BatchNorm2d(24), nn.ReLU()),
        )
        self.fc = nn.Linear(24, outputs)

    def forward(self, images: Tensor) -> Tensor:
        """images (N, channels, H, W) -> logits (N, outputs)."""
        return self.fc(self.features(images).mean(dim=(2, 3)))
