from __future__ import annotations

import pytest
import torch
from torch import nn

from engine.toolkit.frozen import evaluating, frozen


@pytest.fixture
def network():
    network = nn.Sequential(nn.Linear(2, 2), nn.BatchNorm1d(2), nn.Dropout())
    network[0].bias.requires_grad_(False)
    network[1].eval()
    return network


def test_no_weight_takes_a_gradient_inside_and_each_is_as_it_was_outside(network):
    before = [weight.requires_grad for weight in network.parameters()]
    with frozen(network):
        assert not any(weight.requires_grad for weight in network.parameters())
    assert [weight.requires_grad for weight in network.parameters()] == before
    with pytest.raises(ZeroDivisionError), frozen(network):
        raise ZeroDivisionError
    assert [weight.requires_grad for weight in network.parameters()] == before
    assert any(before)
    assert not all(before)


def test_every_module_evaluates_inside_and_is_in_its_mode_outside(network):
    statistics = network[1].running_mean.clone()
    before = [module.training for module in network.modules()]
    assert before == [True, True, False, True]
    with evaluating(network):
        assert not any(module.training for module in network.modules())
        network(torch.ones(3, 2))
    assert [module.training for module in network.modules()] == before
    with pytest.raises(ZeroDivisionError), evaluating(network):
        raise ZeroDivisionError
    assert [module.training for module in network.modules()] == before
    assert torch.equal(network[1].running_mean, statistics)
