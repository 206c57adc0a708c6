from __future__ import annotations

import pytest
import torch
from torch import nn

from engine.methods.cam_training.awake import awake, own_state, shaken


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


def test_vectors_scales_and_buffers_are_others_inside_and_the_same_again_outside():
    network = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.Linear(4, 2))
    network.exponent = nn.Parameter(torch.tensor(1.0))
    kept = {name: value.clone() for name, value in network.state_dict().items()}
    with shaken([network, network[1]]):
        inside = {name: value.clone() for name, value in network.state_dict().items()}
    changed = {name for name in kept if not torch.equal(kept[name], inside[name])}
    assert changed == {"exponent", "1.weight", "1.bias", "1.running_mean", "1.running_var"}
    assert (inside["1.running_var"] > 0.4).all()
    assert 0.4 < inside["exponent"] < 2
    assert all(torch.equal(kept[name], value) for name, value in network.state_dict().items())
    with pytest.raises(ZeroDivisionError), shaken([network[1]]):
        raise ZeroDivisionError
    assert torch.equal(network[1].weight, kept["1.weight"])


def test_what_two_modules_share_is_changed_once():
    first, second = nn.BatchNorm1d(3), nn.BatchNorm1d(3)
    second.weight = first.weight
    assert len(own_state([first, second])) == 7
