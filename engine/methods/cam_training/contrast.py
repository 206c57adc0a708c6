"""Maps that are trained on: of the label against the rest, signed, in the graph of the pass that gave the logits.

With two classes the rest is the other one. With more, it was found by experiment what to set the label against
(`python -m benchmarks.cam_training --part multiclass`: digits on plates before a hue for each class, squared loss,
weight 1; accuracy on swapped backgrounds with 3 and with 6 classes, where plain training has 0.00 of both):

- the others by their softmax shares, shares taken as constants: 0.97 and 0.93, which is why it is what we do;
- each other class in turn, the mean of the losses: 0.96 and 0.90, as many maps as there are classes;
- the mean of the others: 0.88 and 0.73;
- the strongest other class: 0.50 and 0.12, and it learns badly, for the rival jumps from step to step;
- shares that keep their gradient: 0.34 and 0.11, for the term falls when confidence moves to a class whose map is
  alike, and the evidence stays where it is;
- nothing, so the label's own map: 0.00 and 0.00, for the evidence moves to the other classes' maps.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor


def score_against_rest(logits: Tensor, labels: Tensor) -> Tensor:
    """(n,) the label's logit less the log-sum-exp of the others, the log-odds of the label.

    softplus of its negative is the cross-entropy. logits (n, classes), labels (n,).
    """
    ours = labels[:, None]
    others = logits.scatter(1, ours, -torch.inf)
    return logits.gather(1, ours)[:, 0] - others.logsumexp(dim=1)


def against_rest(logits: Tensor, labels: Tensor) -> Tensor:
    """(n, classes) the gradient of `score_against_rest` with respect to the logits: 1, and the others' softmax shares.

    The shares are negative, sum to -1 and keep no graph.
    """
    ours = labels[:, None]
    shares = logits.detach().scatter(1, ours, -torch.inf).softmax(dim=1)
    return F.one_hot(labels, logits.shape[1]).to(logits.dtype) - shares


def contrast(activations: Tensor, logits: Tensor, labels: Tensor, head: Tensor | None) -> Tensor:
    """The map (n, h, w) of the label's log-odds; see `score_map`."""
    return score_map(activations, logits, against_rest(logits, labels), head)


def score_map(activations: Tensor, logits: Tensor, weights: Tensor, head: Tensor | None) -> Tensor:
    """The map (n, h, w) of the logits (n, classes), weighed by `weights` (n, classes), in logits a cell.

    activations (n, C, h, w) lie in the graph between the images and the logits. With the `head` (classes, C) of a
    network that averages and takes one linear layer it is the class activation map of Zhou et al. 2016, whose mean
    over the cells is the weighed logits less the bias. Without, it is the gradient at each cell times the activation
    there, summed over the channels (HiResCAM, Draelos and Carin 2020) and multiplied by the number of cells, which is
    the same for such a head. The graph of the gradient is kept: through the activations alone no weight of the head
    would learn from the map.
    """
    if head is not None:
        return torch.einsum("nc,nchw->nhw", weights @ head, activations)
    score = (weights * logits).sum()
    heard = score.requires_grad and activations.requires_grad
    found = torch.autograd.grad(score, activations, create_graph=True, allow_unused=True) if heard else (None,)
    if (gradients := found[0]) is None:
        raise ValueError(
            "the logits don't hang on this layer's maps in a way that can be differentiated; choose another"
        )
    return activations.shape[-2] * activations.shape[-1] * (gradients * activations).sum(dim=1)
