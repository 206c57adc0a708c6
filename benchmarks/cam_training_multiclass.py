"""Which contrast to train on where there are more than two classes, on planted backgrounds of k of them."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterator, Sequence

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from benchmarks.cam_training_classes import planted_classes, subject_of
from engine.methods.cam_training.arms import drawn
from engine.methods.cam_training.contrast import against_rest, score_map
from engine.methods.cam_training.losses import mse
from engine.methods.cam_training.objective import TaughtLoss, Term
from engine.methods.cam_training.parts import parts_of
from engine.methods.cam_training.settings import TeachingSettings
from engine.methods.cam_training.teaching import starting, training_images, training_settings
from engine.methods.cam_training.training_images import Masking
from engine.runs.progress import Progress
from engine.subject.classifier import Classifier
from engine.subject.image_set import ImageSet
from engine.subject.subject import Subject
from engine.toolkit.prediction import predict
from engine.toolkit.training import Batch, train

Weights = Callable[[Tensor, Tensor], Sequence[Tensor]]  # logits, labels -> weights (n, classes), one for each map

CLASSES = (3, 6, 10)


def detached_shares(logits: Tensor, labels: Tensor) -> Iterator[Tensor]:
    """Ours: the others by their softmax shares, which keep no graph."""
    yield against_rest(logits, labels)


def live_shares(logits: Tensor, labels: Tensor) -> Iterator[Tensor]:
    """The same with shares in the graph, so that the term can also be lowered by moving them."""
    ours = F.one_hot(labels, logits.shape[1]).to(logits.dtype)
    yield ours - logits.masked_fill(ours > 0, -torch.inf).softmax(dim=1)


def label_alone(logits: Tensor, labels: Tensor) -> Iterator[Tensor]:
    """The label's map, told apart from nothing."""
    yield F.one_hot(labels, logits.shape[1]).to(logits.dtype)


def runner_up(logits: Tensor, labels: Tensor) -> Iterator[Tensor]:
    """The label less the strongest other class."""
    ours = F.one_hot(labels, logits.shape[1]).to(logits.dtype)
    best = logits.masked_fill(ours > 0, -torch.inf).argmax(dim=1)
    yield ours - F.one_hot(best, logits.shape[1]).to(logits.dtype)


def even_shares(logits: Tensor, labels: Tensor) -> Iterator[Tensor]:
    """The label less the mean of the others."""
    ours = F.one_hot(labels, logits.shape[1]).to(logits.dtype)
    yield ours - (1 - ours) / (logits.shape[1] - 1)


def every_other(logits: Tensor, labels: Tensor) -> Iterator[Tensor]:
    """The label less each other class in turn, the mean of their terms."""
    ours = F.one_hot(labels, logits.shape[1]).to(logits.dtype)
    for away in range(1, logits.shape[1]):
        yield ours - ours.roll(away, dims=1)


CONTRASTS = (detached_shares, live_shares, label_alone, runner_up, even_shares, every_other)


class OtherContrast(TaughtLoss):
    """The squared loss on the maps of other weights."""

    weights: Weights

    def term(self, activations: Tensor, logits: Tensor, plain: Tensor, batch: Batch) -> Term:
        """The mean of the terms of all maps, and the first of them."""
        del plain
        head, forbidden = self.place.head_weight(), self.of_rows(batch.rows)
        maps = [score_map(activations, logits, each, head) for each in self.weights(logits, batch.labels)]
        return Term(torch.stack([mse(each, forbidden) for each in maps]).mean(), maps[0])


def accuracies(subject: Subject, settings: TeachingSettings, weights: Weights) -> dict[str, float]:
    """Accuracy on train and on each part of the test images after training with this contrast."""
    masking, silent = Masking(settings.mask), Progress()
    images = subject.images
    training = training_images(images, settings, masking, silent)
    classifier, place, cells = starting(subject, settings, training)
    plan, labels = training_settings(settings), torch.from_numpy(training.labels)
    loss = OtherContrast(settings, place, cells, plan.epochs * -(-len(labels) // plan.batch_size), silent)
    loss.weights = weights
    train(classifier, drawn(settings, training), labels, plan, settings.seed, silent, "", loss)
    sets = {"train": images.take(training.indices)} | {
        part.name: part.images for part in parts_of(images, masking, silent)
    }
    return {name: share_right(classifier, own) for name, own in sets.items()}


def share_right(classifier: Classifier, images: ImageSet) -> float:
    """The accuracy on all of these images."""
    answers = predict(classifier, images, np.arange(len(images)), Progress()).argmax(dim=1).numpy()
    return float((answers == images.labels).mean())


def measure_multiclass(seeds: Sequence[int]) -> None:
    """Prints, for each number of classes, what each contrast brings."""
    for classes in CLASSES:
        subjects = {seed: subject_of(planted_classes(classes, seed)) for seed in seeds}
        for weight, contrast in [(0.0, detached_shares), *((1.0, each) for each in CONTRASTS)]:
            rows = [
                accuracies(subject, TeachingSettings(weight=weight, seed=seed), contrast)
                for seed, subject in subjects.items()
            ]
            name = contrast.__name__.replace("_", " ") if weight else "plain training"
            said = ", ".join(f"{part} {statistics.mean(row[part] for row in rows):.3f}" for part in rows[0])
            lowest = min(row["swapped"] for row in rows)
            print(f"  {classes} classes, {name}: {said} (lowest swapped {lowest:.3f})", flush=True)
