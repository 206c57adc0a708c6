from __future__ import annotations

import pytest
import torch
from torch import nn

from engine.methods.cam_training.awake import awake


def test_zeros_are_something_inside_and_zeros_again_outside():
    network = nn.Sequential(nn.Linear(3, 4), nn.Linear(4, 2))
    nn.init.zeros_(network[1].weight)
    nn.init.zeros_(network[1].bias)
    kept = network[0].weight.clone()
    with awake(network):
        assert network[1].weight.all()
        assert len(network[1].weight.unique()) == 8
        assert not network[1].bias.any()
        assert torch.equal(network[0].weight, kept)
    assert not network[1].weight.any()
    with pytest.raises(ZeroDivisionError), awake(network):
        raise ZeroDivisionError
    assert not network[1].weight.any()
    assert network[1].weight.requires_grad
