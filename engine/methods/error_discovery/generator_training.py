"""A variational autoencoder trained: the divergence comes in slowly, and it ends where validation gets no better."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import torch
from torch import Tensor

from engine.methods.error_discovery.generator_images import GeneratorImages
from engine.methods.error_discovery.settings import GeneratorSettings
from engine.methods.error_discovery.vae import VAE, divergence, negative_log_likelihood, reconstruction_loss
from engine.runs.progress import Progress
from engine.toolkit.prediction import as_tensor
from engine.toolkit.seeding import seeded

RISE = 0.1  # of the steps, in which the learning rate rises to its value; then it falls to nothing
AT_ONCE = 512  # images of validation


@dataclass
class Course:
    """One number an epoch, in nats an image: of what was trained on, and of validation at the full weight."""

    reconstruction: list[float] = field(default_factory=list)
    divergence: list[float] = field(default_factory=list)
    validation: list[float] = field(default_factory=list)

    def note(self, losses: np.ndarray, validation: float) -> None:
        """Add an epoch, of whose batches the two losses (b, 2) are; ValueError where one is no number any more."""
        reconstruction, diverged = losses.mean(axis=0).tolist()
        if not np.isfinite([reconstruction, diverged, validation]).all():
            raise ValueError(
                f"the generator's loss was no number any more in epoch {len(self.validation) + 1}; "
                "choose a smaller learning rate"
            )
        self.reconstruction.append(reconstruction)
        self.divergence.append(diverged)
        self.validation.append(validation)

    @property
    def best(self) -> int:
        """The epoch with the least loss on validation."""
        return int(np.argmin(self.validation))

    def shown(self) -> dict[str, list[float]]:
        """The curves so far."""
        return {name: list(getattr(self, name)) for name in ("reconstruction", "divergence", "validation")}


def trained_vae(
    images: GeneratorImages, classes: int, settings: GeneratorSettings, device: torch.device, progress: Progress
) -> tuple[VAE, Course]:
    """The network with the weights of its best epoch, in evaluation mode, and how it went.

    `classes` is 0 where it is not given the label. The seed decides weights, order and draws.
    """
    course = Course()
    with seeded(settings.seed):
        training = Training(images, classes, settings, device)
        best = training.state()
        for epoch in progress.steps(settings.epochs, "training the generator"):
            course.note(training.epoch(epoch), training.validated())
            progress.show(course.shown())
            if course.best == epoch:
                best = training.state()
            elif epoch - max(course.best, round(settings.warm_up * settings.epochs)) >= settings.patience:
                break
    training.network.load_state_dict(best)
    return training.network.eval(), course


class Training:
    """A network with its optimiser, one epoch at a time."""

    def __init__(
        self, images: GeneratorImages, classes: int, settings: GeneratorSettings, device: torch.device
    ) -> None:
        self.images, self.settings, self.device = images, settings, device
        self.rows, self.kept = np.flatnonzero(~images.kept), np.flatnonzero(images.kept)
        self.batches = -(-len(self.rows) // settings.batch_size)
        channels, height, width = images.pixels.shape[1:]
        network = VAE(channels, height, width, settings.dimensions, classes).to(device)
        self.network = network.to(memory_format=torch.channels_last)  # a quarter faster on processors
        self.optimizer = torch.optim.Adam(self.network.parameters(), lr=settings.learning_rate, fused=True)
        self.schedule = torch.optim.lr_scheduler.OneCycleLR(
            self.optimizer, settings.learning_rate, total_steps=settings.epochs * self.batches, pct_start=RISE
        )
        self.draws = torch.randn(len(self.kept), settings.dimensions).to(device)

    def epoch(self, number: int) -> np.ndarray:
        """Train on every image once; both losses of each batch (b, 2), in nats an image."""
        order = torch.randperm(len(self.rows)).numpy()
        losses = torch.zeros(self.batches, 2, device=self.device)
        self.network.train()
        for batch, rows in enumerate(np.array_split(self.rows[order], self.batches)):
            weight = self.settings.beta * warmth(number + (batch + 1) / self.batches, self.settings)
            losses[batch] = self.step(rows, weight)
        return losses.cpu().numpy()

    def step(self, rows: np.ndarray, weight: float) -> Tensor:
        """Move the weights once; the two losses (2,)."""
        images, labels = self.read(rows)
        mean, log_variance = self.network.encode(images, labels)
        codes = mean + torch.randn_like(mean) * (log_variance / 2).exp()
        reconstruction = reconstruction_loss(images, self.network.decode(codes, labels))
        diverged = divergence(mean, log_variance).sum(dim=1).mean()
        self.optimizer.zero_grad(set_to_none=True)
        (reconstruction + weight * diverged).backward()
        self.optimizer.step()
        self.schedule.step()
        return torch.stack([reconstruction.detach(), diverged.detach()])

    def validated(self) -> float:
        """The loss at the full weight, in nats an image, of the images kept aside; every epoch with the same draws."""
        self.network.eval()
        values, squares, diverged = self.images.pixels[0].size, 0.0, 0.0
        with torch.no_grad():
            for start in range(0, len(self.kept), AT_ONCE):
                images, labels = self.read(self.kept[start : start + AT_ONCE])
                mean, log_variance = self.network.encode(images, labels)
                codes = mean + self.draws[start : start + AT_ONCE] * (log_variance / 2).exp()
                squares += float((self.network.decode(codes, labels) - images).square().sum())
                diverged += float(divergence(mean, log_variance).sum())
        count = len(self.kept)
        square = torch.tensor(squares / (count * values))
        return float(negative_log_likelihood(square, values)) + self.settings.beta * diverged / count

    def read(self, rows: np.ndarray) -> tuple[Tensor, Tensor]:
        """Images in [0, 1] and labels of these rows, where the network computes."""
        images = as_tensor(self.images.pixels[rows], self.device).contiguous(memory_format=torch.channels_last)
        return images, torch.from_numpy(self.images.labels[rows]).to(self.device)

    def state(self) -> dict[str, Tensor]:
        """A copy of the weights and buffers."""
        return {name: tensor.clone() for name, tensor in self.network.state_dict().items()}


def warmth(epoch: float, settings: GeneratorSettings) -> float:
    """The share in [0, 1] of the divergence's weight that counts so many epochs after the start."""
    return min(1.0, epoch / (settings.warm_up * settings.epochs)) if settings.warm_up else 1.0
