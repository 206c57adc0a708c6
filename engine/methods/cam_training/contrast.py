"""Maps that are trained on: of the label against the rest, signed, in the graph of the pass that gave the logits.

With two classes the rest is the other one. With more, it was found by experiment what to set the label against
(`python -m benchmarks.cam_training --part multiclass`: digits on plates before a hue for each class, squared loss,
weight 1, the seeds 0 and 1, on which this was chosen; accuracy on swapped backgrounds with 3, 6 and 10 classes, where
plain training has 0 to 0.01):

- the others by their softmax shares, the shares taken as constants: 0.98, 0.94, 0.82; what is done here;
- each other class in turn, the mean of the losses: 0.97, 0.92, 0.82, no better for a map more with every class;
- the mean of the others: 0.88, 0.75, 0.73;
- the strongest other class: 0.80, 0.16, 0.15, and training accuracy falls to 0.90, for the rival keeps changing;
- shares that keep their gradient: 0.34, 0.12, 0.12, perhaps for the term falls when confidence moves to a class whose
  map is alike, with the evidence where it was;
- nothing, so the label's own map: 0.00, 0.00, 0.01, for the evidence moves to the other classes' maps.
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
    """The map (n, h, w) of the label's logit less the others' mean by softmax share; see `score_map`.

    With two classes that is the label's log-odds; with more these differ from it by the entropy of the others' shares.
    """
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
