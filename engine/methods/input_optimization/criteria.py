"""What an optimised input should reach: a loss to descend, and a level at which it is enough."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from torch import Tensor

from engine.methods.input_optimization.settings import OptimisationSettings
from engine.toolkit.answers import loss as cross_entropy
from engine.toolkit.answers import margin
from engine.toolkit.similarity import ssim

Loss = Callable[[Tensor, Tensor], Tensor]  # outputs (n, ...), targets (n, ...) -> (n,)


@dataclass(frozen=True)
class Criterion:
    """`loss` is descended; a row is done where `judged` is at most `level`. Both give one number a row, unreduced."""

    says: str
    loss: Loss
    judged: Loss
    level: float

    def passes(self, outputs: Tensor, targets: Tensor) -> Tensor:
        """(n,) bool, which rows are done."""
        return self.judged(outputs, targets) <= self.level


def lead_of_others(logits: Tensor, labels: Tensor) -> Tensor:
    """(n,) the best other logit minus the label's: below 0 where the answer is right."""
    return -margin(logits, labels)


def squared_error(outputs: Tensor, targets: Tensor) -> Tensor:
    """(n,) the mean squared error of each row."""
    return (outputs - targets).square().flatten(1).mean(dim=1)


def dissimilarity(outputs: Tensor, targets: Tensor) -> Tensor:
    """(n,) 1 - SSIM of images (n, C, H, W) in [0, 1]; 0 where they are equal."""
    return 1 - ssim(outputs, targets)


def sure(level: float) -> Criterion:
    """The label's cross-entropy is at most `level` nats."""
    return Criterion(f"loss at most {level:g} nats", cross_entropy, cross_entropy, level)


def right(lead: float) -> Criterion:
    """The label's logit leads all others by at least `lead`; descends the cross-entropy."""
    return Criterion(f"margin at least {lead:g}", cross_entropy, lead_of_others, -lead)


BOUNDARY = Criterion("the answer is right", lead_of_others, lead_of_others, 0.0)
# a tie is no failure yet, but any margin below 0 is, however small the logits are
FAILING = Criterion("the answer is wrong", margin, margin, -1e-30)


def near(level: float) -> Criterion:
    """The mean squared error to a target output is at most `level`: for image-to-image models."""
    return Criterion(f"mean squared error at most {level:g}", squared_error, squared_error, level)


def similar(level: float) -> Criterion:
    """1 - SSIM to a target output is at most `level`: for image-to-image models."""
    return Criterion(f"1 - SSIM at most {level:g}", dissimilarity, dissimilarity, level)


def of_settings(settings: OptimisationSettings) -> Criterion:
    """The criterion for a classifier that the settings ask for."""
    return sure(settings.loss_level) if settings.success == "loss" else right(settings.margin_level)
