"""Which weights the CAM term moves, and by how much."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

NOT_REACHED = (
    "the CAM term can't train this network: its gradient doesn't reach the {which}; "
    "choose another layer, or a network whose maps and logits can be differentiated"
)


def norm(loss: Tensor, weights: Sequence[Tensor]) -> float:
    """The Euclidean norm of the loss's gradient over all weights, 0 where it has none; the graph is kept."""
    if not loss.requires_grad:
        return 0.0
    gradients = torch.autograd.grad(loss, weights, retain_graph=True, allow_unused=True)
    found = [gradient.norm() for gradient in gradients if gradient is not None]
    return float(torch.stack(found).norm()) if found else 0.0


def check_reach(network: nn.Module, activations: Tensor, logits: Tensor, term: Tensor) -> None:
    """Raise ValueError in one sentence unless the CAM term trains the weights below the layer and those above it.

    activations and logits are those of the pass that the term was made of. A head without weights, as of a network
    whose maps are averaged into logits, has none that could be missed. A gradient that is 0 here counts as one: a
    last layer may be drawn as nothing but zeros.
    """
    weights = [weight for weight in network.parameters() if weight.requires_grad]
    below = depends_on(activations, weights)
    used = depends_on(logits, [*weights, activations])
    # of a weight that is also below, as where one module runs twice, enough is known
    above = [use and not is_below for use, is_below in zip(used, below, strict=False)]
    try:
        trained = depends_on(term, weights)
    except RuntimeError as error:  # an operation above the layer that has no second derivative
        raise ValueError(NOT_REACHED.format(which="weights through its gradient")) from error
    if not used[-1] or not any(learns and of for learns, of in zip(trained, below, strict=True)):
        raise ValueError(NOT_REACHED.format(which="weights below the layer that the maps are of"))
    if any(above) and not any(learns and of for learns, of in zip(trained, above, strict=True)):
        raise ValueError(NOT_REACHED.format(which="head above the layer that the maps are of"))


def depends_on(value: Tensor, others: Sequence[Tensor]) -> list[bool]:
    """Whether the value's graph leads to each of the others; the graph is kept."""
    within = [other for other in others if other.requires_grad]
    if not value.requires_grad or not within:
        return [False] * len(others)
    found = iter(torch.autograd.grad(value.sum(), within, retain_graph=True, allow_unused=True))
    return [other.requires_grad and next(found) is not None for other in others]
