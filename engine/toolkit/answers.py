"""What logits say of an image whose label is known."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor


def margin(logits: Tensor, labels: Tensor) -> Tensor:
    """(n,) the label's logit minus the best other one: above 0 where the answer is right.

    logits (n, classes), labels (n,).
    """
    ours = labels[:, None]
    return logits.gather(1, ours)[:, 0] - logits.scatter(1, ours, -torch.inf).amax(dim=1)


def loss(logits: Tensor, labels: Tensor) -> Tensor:
    """(n,) the cross-entropy of each row in nats; logits (n, classes), labels (n,)."""
    return F.cross_entropy(logits, labels, reduction="none")


def certainty(logits: Tensor) -> tuple[Tensor, Tensor]:
    """The likeliest class (n,) and its probability (n,) in [0, 1]."""
    confidence, prediction = logits.softmax(dim=1).max(dim=1)
    return prediction, confidence
