"""Supervised training: cross-entropy or another objective, AdamW, a learning rate that falls to nothing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from engine.runs.progress import Progress
from engine.subject.classifier import Classifier
from engine.toolkit.seeding import seeded


@dataclass(frozen=True)
class TrainingSettings:
    """How long, in what portions and how fast. The learning rate falls from its value to 0 as half a cosine.

    `weight_decay` is AdamW's (Loshchilov and Hutter 2019).
    """

    epochs: int = 10
    batch_size: int = 64
    learning_rate: float = 2e-3
    weight_decay: float = 1e-2

    def __post_init__(self) -> None:
        if self.epochs < 1 or self.batch_size < 1:
            raise ValueError(f"epochs and batch_size must be at least 1, got {self.epochs} and {self.batch_size}")
        if self.learning_rate <= 0:
            raise ValueError(f"learning_rate must be above 0, got {self.learning_rate}")
        if self.weight_decay < 0:
            raise ValueError(f"weight_decay must be at least 0, got {self.weight_decay}")


@dataclass(frozen=True)
class Batch:
    """What one step is given: `rows` (b,) of the training images, `images` (b, C, H, W) in [0, 1], `labels` (b,).

    `step` counts all steps of the training from 0; `rows` are on the CPU, the others where the classifier computes.
    """

    step: int
    rows: Tensor
    images: Tensor
    labels: Tensor


Objective = Callable[[Classifier, Batch], Tensor]  # the loss, a scalar
Order = Callable[[], Tensor]  # the rows of an epoch, as many as there are labels, drawn anew each time
Drawn = Callable[[Tensor, int], Tensor]  # rows (b,) and the epoch's number -> their images


def cross_entropy(classifier: Classifier, batch: Batch) -> Tensor:
    """The usual objective."""
    return F.cross_entropy(classifier(batch.images), batch.labels)


def train(
    classifier: Classifier,
    images: Tensor | Drawn,
    labels: Tensor,
    settings: TrainingSettings,
    seed: int,
    progress: Progress,
    label: str = "training",
    objective: Objective = cross_entropy,
    order: Order | None = None,
) -> np.ndarray:
    """Train the classifier in place, leave it in evaluation mode, and give the loss of each step (steps,).

    images (N, C, H, W), float in [0, 1] or uint8, or what gives those of some rows; labels (N,), indices of classes.
    Without an `order` each image comes once an epoch. The seed decides that order and dropout; the global random
    state is left as it was.
    """
    count = len(labels)
    if count == 0 or (isinstance(images, Tensor) and len(images) != count):
        given = len(images) if isinstance(images, Tensor) else count
        raise ValueError(f"training needs a label for each image and at least one of them, got {count} and {given}")
    device = classifier.device
    batches = -(-count // settings.batch_size)
    steps = settings.epochs * batches
    optimizer = optimizer_of(classifier, settings)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=steps)
    losses = torch.zeros(steps)
    classifier.train()
    with seeded(seed):
        for step in progress.steps(steps, label):
            if step % batches == 0:
                rows = (order() if order else torch.randperm(count)).tensor_split(batches)
            own = rows[step % batches]
            pixels = images[own] if isinstance(images, Tensor) else images(own, step // batches)
            batch = Batch(step, own, in_unit_range(pixels.to(device)), labels[own].to(device))
            losses[step] = take_step(classifier, optimizer, objective, batch)
            schedule.step()
    classifier.eval()
    return losses.numpy()


def optimizer_of(classifier: Classifier, settings: TrainingSettings) -> torch.optim.Optimizer:
    """AdamW over all weights."""
    return torch.optim.AdamW(classifier.parameters(), lr=settings.learning_rate, weight_decay=settings.weight_decay)


def take_step(classifier: Classifier, optimizer: torch.optim.Optimizer, objective: Objective, batch: Batch) -> Tensor:
    """Move the weights once against the gradient of the batch's loss, which it gives, a scalar."""
    optimizer.zero_grad(set_to_none=True)
    loss = objective(classifier, batch)
    loss.backward()
    optimizer.step()
    return loss.detach()


def in_unit_range(images: Tensor) -> Tensor:
    """Images as floats in [0, 1]; uint8 ones are divided by 255, others are that already."""
    return images.float() / 255 if images.dtype == torch.uint8 else images
