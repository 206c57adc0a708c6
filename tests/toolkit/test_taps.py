from __future__ import annotations

import pytest
import torch
from torch import nn

from engine.toolkit.taps import inputs_of, last_layer, outputs_of


@pytest.fixture
def network() -> nn.Sequential:
    torch.manual_seed(0)
    return nn.Sequential(nn.Conv2d(1, 2, 3), nn.ReLU(), nn.Flatten(), nn.Linear(8, 3))


IMAGES = torch.rand(5, 1, 4, 4, generator=torch.Generator().manual_seed(1))


def no_hooks(network: nn.Module) -> bool:
    return not any(module._forward_hooks or module._forward_pre_hooks for module in network.modules())


def test_inputs_and_outputs_are_what_the_layers_before_and_the_layer_make(network):
    with inputs_of(network[3]) as given, outputs_of(network[1]) as made:
        logits = network(IMAGES)
        network(IMAGES[:2])
    after_relu = network[1](network[0](IMAGES))
    torch.testing.assert_close(made[0], after_relu)
    torch.testing.assert_close(given[0], after_relu.flatten(1))
    torch.testing.assert_close(network[3](given[0]), logits)
    assert [len(each) for each in given] == [len(each) for each in made] == [5, 2]
    assert not given[0].requires_grad
    assert not made[0].requires_grad


def test_the_network_is_left_as_it_was_even_after_an_error(network):
    for watching in (inputs_of, outputs_of):
        with watching(network[3]):
            assert not no_hooks(network)
        assert no_hooks(network)
        with pytest.raises(ZeroDivisionError), watching(network[3]):
            raise ZeroDivisionError
        assert no_hooks(network)
    with pytest.raises(RuntimeError, match="shapes cannot be multiplied"):
        last_layer(network, torch.rand(1, 1, 9, 9))
    assert no_hooks(network)


def test_a_layer_that_does_not_put_out_one_tensor_is_refused_in_a_sentence():
    recurrent = nn.LSTM(4, 2, batch_first=True)
    with (
        pytest.raises(ValueError, match="a layer of type LSTM puts out a tuple, not one tensor"),
        outputs_of(recurrent),
    ):
        recurrent(torch.rand(3, 5, 4))
    assert no_hooks(recurrent)


def test_a_layer_that_is_not_run_was_given_nothing(network):
    spare = nn.Linear(2, 2)
    with outputs_of(spare) as made, inputs_of(spare) as given:
        network(IMAGES)
    assert made == given == []


def test_the_last_layer_is_the_linear_or_convolutional_one_that_runs_last(network):
    assert last_layer(network, IMAGES[:1]) is network[3]
    fully = nn.Sequential(nn.Conv2d(1, 4, 3), nn.ReLU(), nn.Conv2d(4, 3, 2), nn.Flatten())
    assert last_layer(fully, IMAGES[:1]) is fully[2]

    class Backwards(nn.Module):
        def __init__(self):
            super().__init__()
            self.head, self.stem, self.never = nn.Linear(16, 3), nn.Linear(16, 16), nn.Linear(1, 1)

        def forward(self, images):
            return self.head(self.stem(images.flatten(1)))

    backwards = Backwards()
    assert last_layer(backwards, IMAGES[:1]) is backwards.head


def test_a_network_without_such_a_layer_says_so():
    with pytest.raises(ValueError, match="no linear or convolutional layer whose features could be compared"):
        last_layer(nn.Flatten(), IMAGES)
