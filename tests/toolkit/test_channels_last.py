from copy import deepcopy

import pytest
import torch
from torch import nn

from engine.toolkit.channels_last import lay_channels_last


def network_with(*more: nn.Module) -> nn.Sequential:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return nn.Sequential(
            nn.Sequential(nn.Conv2d(3, 6, 3), nn.BatchNorm2d(6), nn.ReLU(), nn.MaxPool2d(2)),
            *more, nn.Conv2d(6, 6, 3), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(6, 4),
        )  # fmt: skip


def is_laid_out(network: nn.Module) -> bool:
    return network[0][0].weight.is_contiguous(memory_format=torch.channels_last)


def test_a_plain_network_is_laid_out_and_answers_and_learns_as_before():
    contiguous = network_with(nn.Dropout(0.0), nn.Identity())
    laid = deepcopy(contiguous)
    lay_channels_last(laid)
    assert is_laid_out(laid)
    assert not is_laid_out(contiguous)
    images = torch.rand(5, 3, 16, 16, generator=torch.Generator().manual_seed(1))
    for network in (contiguous, laid):
        network(images).square().sum().backward()
    torch.testing.assert_close(laid(images), contiguous(images))
    for own, other in zip(laid.parameters(), contiguous.parameters(), strict=True):
        torch.testing.assert_close(own.grad, other.grad, rtol=1e-4, atol=1e-5)


class Lambda(nn.Module):
    """A layer with weights of five dimensions, which have no such order."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv3d(1, 1, 1)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        return self.conv(images[:, None])[:, 0]


@pytest.mark.parametrize("strange", [Lambda(), nn.GELU(), nn.GroupNorm(2, 6), nn.Conv2d(6, 6, 3, groups=6)])
def test_a_network_with_any_other_layer_stays_as_it_is(strange):
    network = network_with(strange)
    lay_channels_last(network)
    assert not is_laid_out(network)
