"""What a map speaks for: one class, or one told apart from another or from all others."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from engine.methods.cam_training.settings import LABEL, NOTHING, PREDICTION, REST

NOBODY, ALL_OTHERS = -1, -2  # in place of a class to be told apart from


@dataclass(frozen=True, eq=False)
class Target:
    """For each image the class spoken for, `of` (n,), and the one that it is told apart from, `against` (n,).

    The latter may also be NOBODY or ALL_OTHERS.
    """

    of: Tensor
    against: Tensor

    def score(self, logits: Tensor) -> Tensor:
        """(n,) logits: that of the class, less that of the other or the log-sum-exp of all others."""
        ours = logits.gather(1, self.of[:, None])[:, 0]
        others = logits.scatter(1, self.of[:, None], -torch.inf).logsumexp(dim=1)
        other = logits.gather(1, self.against.clamp(min=0)[:, None])[:, 0]
        less = torch.where(self.against == ALL_OTHERS, others, other)
        return torch.where(self.against == NOBODY, ours, ours - less)

    def take(self, rows: Tensor) -> Target:
        """The targets of these images (m,), which may come several times."""
        return Target(self.of[rows], self.against[rows])


def explained(logits: Tensor, labels: Tensor, of: str, against: str) -> Tensor:
    """(n,) the score that is explained, in logits; see `target`."""
    return target(logits, labels, of, against).score(logits)


def target(logits: Tensor, labels: Tensor, of: str, against: str) -> Target:
    """What `of` and `against` (as in `CamSettings`) mean for images with these logits (n, classes), labels (n,).

    Where both are the same class (the label and the prediction of an image that is right), the class is told apart
    from the runner-up. ValueError where a label is needed and missing, and where there is no class of a number.
    """
    logits = logits.detach()
    ours = class_of(logits, labels, of)
    if against in (NOTHING, REST):
        return Target(ours, torch.full_like(ours, NOBODY if against == NOTHING else ALL_OTHERS))
    theirs = class_of(logits, labels, against)
    runner_up = logits.scatter(1, ours[:, None], -torch.inf).argmax(dim=1)
    return Target(ours, torch.where(theirs == ours, runner_up, theirs))


def class_of(logits: Tensor, labels: Tensor, what: str) -> Tensor:
    """(n,) the class that `label`, `prediction` or a number means for each image."""
    if what == PREDICTION:
        return logits.argmax(dim=1)
    if what == LABEL:
        if (labels < 0).any():
            raise ValueError("an image without a label can't have a map for its label")
        return labels
    check_class(what, logits.shape[1])
    return torch.full_like(labels, int(what))


def check_class(what: str, classes: int) -> None:
    """ValueError where `what` is the number of a class that doesn't exist."""
    if what.isdecimal() and int(what) >= classes:
        raise ValueError(f"there is no class {what}: the network tells {classes} apart, numbered 0 to {classes - 1}")
