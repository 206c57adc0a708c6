import pytest
import torch
import torch.nn.functional as F
from torch import nn

from engine.methods.cam_training.contrast import contrast
from engine.methods.cam_training.gradients import check_reach, norm
from engine.methods.cam_training.losses import mse


class Below(nn.Module):
    def __init__(self, head: nn.Module) -> None:
        super().__init__()
        self.features, self.head = nn.Conv2d(3, 4, 3, padding=1), head

    def forward(self, images: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        maps = self.features(images)
        return maps, self.head(maps)


class Averaged(nn.Module):
    """The mean over the map and one linear layer, with something in between."""

    def __init__(self, between=lambda means: means) -> None:
        super().__init__()
        self.fc, self.between = nn.Linear(4, 2), between

    def forward(self, maps: torch.Tensor) -> torch.Tensor:
        return self.fc(self.between(maps.mean(dim=(2, 3))))


IMAGES, LABELS = torch.rand(6, 3, 5, 5, generator=torch.Generator().manual_seed(0)), torch.tensor([0, 1] * 3)


def term_of(network: Below, head_weight: torch.Tensor | None) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    maps, logits = network(IMAGES)
    return maps, logits, mse(contrast(maps, logits, LABELS, head_weight), torch.ones(5, 5))


def test_the_norm_is_that_of_all_weights_together():
    network = Below(Averaged())
    weights = list(network.parameters())
    loss = F.cross_entropy(network(IMAGES)[1], LABELS)
    found = norm(loss, weights)
    loss.backward()
    assert found == pytest.approx(float(torch.cat([weight.grad.flatten() for weight in weights]).norm()), rel=1e-5)
    assert norm(torch.tensor(1.0), weights) == 0
    assert norm((torch.ones(2, requires_grad=True) ** 2).sum(), weights) == 0


def test_both_ways_to_make_a_map_reach_the_weights_below_and_the_head():
    network = Below(Averaged())
    for head in (network.head.fc.weight, None):
        maps, logits, term = term_of(network, head)
        check_reach(network, maps, logits, term)
        below, above = torch.autograd.grad(term, [network.features.weight, network.head.fc.weight])
        assert below.abs().max() > 0
        assert above.abs().max() > 0


def test_a_gradient_map_without_its_graph_reaches_no_weight_of_the_head_and_is_refused():
    """As of a map whose gradient was taken without create_graph: it learns through the activations alone."""
    network = Below(Averaged())
    maps, logits = network(IMAGES)
    (gradient,) = torch.autograd.grad(logits[:, 0].sum(), maps, retain_graph=True)
    term = mse((gradient * maps).sum(dim=1), torch.ones(5, 5))
    with pytest.raises(ValueError, match="doesn't reach the head above the layer"):
        check_reach(network, maps, logits, term)


def test_a_map_cut_off_from_its_images_is_refused():
    network = Below(Averaged())
    maps, logits = network(IMAGES)
    term = mse(contrast(maps.detach(), logits, LABELS, network.head.fc.weight), torch.ones(5, 5))
    with pytest.raises(ValueError, match="doesn't reach the weights below the layer"):
        check_reach(network, maps, logits, term)


def test_a_head_that_cuts_itself_off_is_refused_though_its_map_looks_exact():
    network = Below(Averaged(lambda means: means.detach()))
    maps, logits, term = term_of(network, network.head.fc.weight)
    with pytest.raises(ValueError, match="doesn't reach the weights below the layer"):
        check_reach(network, maps, logits, term)


def test_a_head_without_weights_has_none_to_miss_and_zeros_count_as_reached():
    class Mean(nn.Module):
        def forward(self, maps: torch.Tensor) -> torch.Tensor:
            return maps[:, :2].mean(dim=(2, 3))

    network = Below(Mean())
    check_reach(network, *term_of(network, None))
    zeros = Below(Averaged())
    nn.init.zeros_(zeros.head.fc.weight)
    check_reach(zeros, *term_of(zeros, zeros.head.fc.weight))


class Once(torch.autograd.Function):
    """Doubles, and can be differentiated once only."""

    @staticmethod
    def forward(context, values):
        return 2 * values

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(context, gradient):
        return 2 * gradient


def test_a_head_that_can_be_differentiated_only_once_is_refused():
    network = Below(Averaged(Once.apply))
    maps, logits, term = term_of(network, None)
    with pytest.raises(ValueError, match="can't train this network"):
        check_reach(network, maps, logits, term)
