import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from engine.methods.cam_training.contrast import against_rest, contrast, score_against_rest, score_map
from engine.methods.cam_training.losses import mse

DRAWS = torch.Generator().manual_seed(0)


def drawn(*shape: int) -> torch.Tensor:
    return torch.randn(*shape, generator=DRAWS)


def averaged(activations: torch.Tensor, weight: torch.Tensor, bias: torch.Tensor) -> torch.Tensor:
    return activations.mean(dim=(2, 3)) @ weight.T + bias


@settings(deadline=None, max_examples=30)
@given(st.integers(0, 1000))
def test_the_score_is_the_log_odds_and_gives_the_cross_entropy(seed):
    draw = torch.Generator().manual_seed(seed)
    logits, labels = 4 * torch.randn(5, 3, generator=draw), torch.randint(3, (5,), generator=draw)
    scores = score_against_rest(logits, labels)
    share = logits.softmax(dim=1).gather(1, labels[:, None])[:, 0]
    torch.testing.assert_close(scores, share.logit(), atol=1e-3, rtol=1e-3)
    torch.testing.assert_close(F.softplus(-scores).mean(), F.cross_entropy(logits, labels))


@settings(deadline=None, max_examples=30)
@given(st.integers(0, 1000))
def test_the_closed_form_is_the_gradient_that_autograd_finds(seed):
    draw = torch.Generator().manual_seed(seed)
    logits = (4 * torch.randn(5, 4, generator=draw)).requires_grad_()
    labels = torch.randint(4, (5,), generator=draw)
    (expected,) = torch.autograd.grad(score_against_rest(logits, labels).sum(), logits)
    weights = against_rest(logits, labels)
    torch.testing.assert_close(weights, expected, atol=1e-5, rtol=1e-4)
    torch.testing.assert_close(weights.sum(dim=1), torch.zeros(5), atol=1e-5, rtol=0)
    assert not weights.requires_grad


def test_of_two_classes_the_map_is_the_difference_of_their_maps_by_hand():
    activations = torch.tensor([[[[1.0, 2.0]], [[0.0, 5.0]]]])  # two channels of 1 x 2 cells
    weight, bias = torch.tensor([[1.0, 0.0], [0.0, 2.0]]), torch.tensor([0.5, -1.0])
    logits = averaged(activations, weight, bias)
    assert logits.tolist() == [[2.0, 4.0]]
    found = contrast(activations, logits, torch.tensor([0]), weight)
    assert found.tolist() == [[[1.0, 2.0 - 10.0]]]
    # the mean over the cells and the biases' difference are the score
    score = score_against_rest(logits, torch.tensor([0]))
    torch.testing.assert_close(found.mean(dim=(1, 2)) + 1.5, score)


def test_one_logit_speaks_for_the_second_class_and_against_the_first():
    activations = drawn(4, 3, 2, 2)
    weight = torch.cat([torch.zeros(1, 3), drawn(1, 3)])
    logits = averaged(activations, weight, torch.zeros(2))
    second, first = (contrast(activations, logits, torch.full((4,), label), weight) for label in (1, 0))
    torch.testing.assert_close(second, torch.einsum("c,nchw->nhw", weight[1], activations))
    torch.testing.assert_close(first, -second)


def test_with_more_classes_the_mean_is_the_weighed_logits_less_the_biases():
    activations, weight, bias = drawn(6, 5, 3, 4), drawn(4, 5), drawn(4)
    labels = torch.tensor([0, 1, 2, 3, 0, 1])
    logits = averaged(activations, weight, bias)
    shares = against_rest(logits, labels)
    found = contrast(activations, logits, labels, weight)
    torch.testing.assert_close(found.mean(dim=(1, 2)), (shares * (logits - bias)).sum(dim=1), atol=1e-5, rtol=1e-4)


def test_through_a_gradient_it_is_the_same_map_where_the_head_is_linear():
    activations = drawn(6, 5, 3, 4).requires_grad_()
    weight, labels = drawn(4, 5).requires_grad_(), torch.tensor([0, 1, 2, 3, 0, 1])
    logits = averaged(activations, weight, drawn(4))
    exact, by_gradient = (contrast(activations, logits, labels, head) for head in (weight, None))
    torch.testing.assert_close(by_gradient, exact, atol=1e-5, rtol=1e-4)
    mask = torch.rand(3, 4, generator=DRAWS)
    for one, other in zip(
        *(
            torch.autograd.grad(mse(maps, mask), (activations, weight), retain_graph=True)
            for maps in (exact, by_gradient)
        ),
        strict=True,
    ):
        torch.testing.assert_close(one, other, atol=1e-5, rtol=1e-4)


class Bent(nn.Module):
    """A head that isn't linear, smooth so that differences find its second derivatives."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.second = nn.Linear(2 * 6, 5), nn.Linear(5, 3)

    def forward(self, activations: torch.Tensor) -> torch.Tensor:
        return self.second(torch.tanh(self.first(activations.flatten(1))))


def test_what_is_trained_on_through_a_gradient_has_the_slope_that_differences_find():
    """Slow twin of the second derivative: the loss of the map, each weight of the head moved up and down in turn."""
    torch.manual_seed(0)
    head = Bent().double()
    activations = drawn(4, 2, 2, 3).double()
    labels, mask = torch.tensor([0, 1, 2, 1]), torch.rand(2, 3, generator=DRAWS).double()

    def loss_at() -> torch.Tensor:
        leaf = activations.clone().requires_grad_()
        logits = head(leaf)
        return mse(contrast(leaf, logits, labels, None), mask)

    # the shares keep no graph, so differences are taken with those of the start
    leaf = activations.clone().requires_grad_()
    weights = against_rest(head(leaf), labels)

    def loss_with_shares() -> torch.Tensor:
        leaf = activations.clone().requires_grad_()
        return mse(score_map(leaf, head(leaf), weights, None), mask)

    gradients = torch.autograd.grad(loss_at(), list(head.parameters()), allow_unused=True)
    step = 1e-5
    for weight, gradient in zip(head.parameters(), gradients, strict=True):
        expected = torch.zeros_like(weight)
        for place in range(weight.numel()):
            flat = weight.data.view(-1)
            kept = float(flat[place])
            around = []
            for moved in (kept + step, kept - step):
                flat[place] = moved
                around.append(float(loss_with_shares().detach()))
            flat[place] = kept
            expected.view(-1)[place] = (around[0] - around[1]) / (2 * step)
        found = torch.zeros_like(weight) if gradient is None else gradient
        torch.testing.assert_close(found, expected, atol=1e-6, rtol=1e-4)


def test_a_layer_that_the_logits_do_not_hang_on_is_refused():
    activations = drawn(2, 3, 2, 2).requires_grad_()
    weight = drawn(2, 3).requires_grad_()
    for logits in (averaged(activations.detach(), weight, torch.zeros(2)), torch.zeros(2, 2)):
        with pytest.raises(ValueError, match="the logits don't hang on this layer's maps"):
            contrast(activations, logits, torch.tensor([0, 1]), None)
