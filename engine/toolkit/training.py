"""Plain supervised training: cross-entropy, Adam, a learning rate that falls to nothing."""

from __future__ import annotations

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


def train(
    classifier: Classifier,
    images: Tensor,
    labels: Tensor,
    settings: TrainingSettings,
    seed: int,
    progress: Progress,
    label: str = "training",
) -> np.ndarray:
    """Train the classifier in place, leave it in evaluation mode, and give the loss of each step (steps,).

    images (N, C, H, W), float in [0, 1] or uint8; labels (N,), indices of classes. The seed decides the order of
    the images (each once an epoch) and dropout; the global random state is left as it was.
    """
    count = len(images)
    if len(labels) != count or count == 0:
        raise ValueError(
            f"training needs a label for each image and at least one of them, got {len(labels)} and {count}"
        )
    device = classifier.device
    batches = -(-count // settings.batch_size)
    steps = settings.epochs * batches
    optimizer = torch.optim.AdamW(
        classifier.parameters(), lr=settings.learning_rate, weight_decay=settings.weight_decay
    )
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=steps)
    losses = torch.zeros(steps)
    classifier.train()
    with seeded(seed):
        for step in progress.steps(steps, label):
            if step % batches == 0:
                order = torch.randperm(count).tensor_split(batches)
            batch = order[step % batches]
            optimizer.zero_grad(set_to_none=True)
            logits = classifier(in_unit_range(images[batch].to(device)))
            loss = F.cross_entropy(logits, labels[batch].to(device))
            loss.backward()
            optimizer.step()
            schedule.step()
            losses[step] = loss.detach()
    classifier.eval()
    return losses.numpy()


def in_unit_range(images: Tensor) -> Tensor:
    """Images as floats in [0, 1]; uint8 ones are divided by 255, others are that already."""
    return images.float() / 255 if images.dtype == torch.uint8 else images
