"""Some more steps of training on chosen images, with or without a replay of what it was trained on."""

from __future__ import annotations

from copy import deepcopy

import numpy as np
import torch
from torch import nn

from engine.methods.input_selection.settings import RetrainingSettings
from engine.runs.progress import Progress
from engine.subject.classifier import Classifier
from engine.subject.image_set import Role
from engine.subject.subject import Subject
from engine.toolkit.channels_last import lay_channels_last
from engine.toolkit.prediction import as_tensor, batches
from engine.toolkit.seeding import seeded
from engine.toolkit.training import Batch, TrainingSettings, cross_entropy, optimizer_of, take_step
from engine.toolkit.turns import in_turn

REPLAYED = 0.5  # of a batch
FEW = 16  # images in a batch, of fewer of which a batch norm should not learn


def fine_tuned(
    subject: Subject, rounds: list[np.ndarray], settings: RetrainingSettings, progress: Progress
) -> Classifier:
    """A copy of the subject's classifier after `steps` steps on the images chosen in all rounds, of indices (B,) each.

    With `replay` half of each batch is images of train; with `batch` it is those of the last round that chose any;
    `scratch` begins with weights drawn from the seed, on train and all that was chosen. The learning rate falls to 0 as
    half a cosine. The seed and the round decide the order, the same for all arms. Batch norms learn as in training,
    which was better than holding them still on the one seed of the demo that was tried; in batches of fewer than 16
    images they are held.
    ValueError where there is nothing to replay.
    """
    seed = settings.selection.seed
    if settings.how == "scratch":
        classifier = subject.from_scratch(seed).to(subject.classifier.device)
    else:
        classifier = deepcopy(subject.classifier)
    lay_channels_last(classifier.network)
    rows = order(subject, rounds, settings, np.random.default_rng([seed, 3, len(rounds)]))
    plan = TrainingSettings(batch_size=settings.batch_size, learning_rate=settings.learning_rate)
    optimizer = optimizer_of(classifier, plan)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=settings.steps)
    labels = torch.from_numpy(subject.images.labels)
    classifier.train()
    if settings.batch_size < FEW:
        hold_batch_norms(classifier)
    with seeded(seed):
        for step, (own, pixels) in enumerate(batches(subject.images, rows, settings.batch_size)):
            progress.report(step / settings.steps, "retraining")
            chosen = torch.from_numpy(own)
            images = as_tensor(pixels, classifier.device)
            batch = Batch(step, chosen, images, labels[chosen].to(classifier.device))
            take_step(classifier, optimizer, cross_entropy, batch)
            schedule.step()
    progress.report(1.0, "retraining")
    return classifier.eval()


def order(
    subject: Subject, rounds: list[np.ndarray], settings: RetrainingSettings, generator: np.random.Generator
) -> np.ndarray:
    """(steps * batch_size,) the indices of the images that each step sees, one batch after the other."""
    steps, size = settings.steps, settings.batch_size
    if settings.how == "batch":
        return in_turn(next(each for each in reversed(rounds) if len(each)), steps * size, generator)
    train, chosen = subject.images.labelled(Role.TRAIN), np.concatenate(rounds)
    if not len(train):
        raise ValueError("no labelled image has the role 'train', so none can be replayed; retrain on the batch alone")
    if settings.how == "scratch":
        return in_turn(np.concatenate([train, chosen]), steps * size, generator)
    old = round(REPLAYED * size)
    replayed = in_turn(train, steps * old, generator).reshape(steps, old)
    fresh = in_turn(chosen, steps * (size - old), generator).reshape(steps, size - old)
    return np.hstack([replayed, fresh]).ravel()


def hold_batch_norms(classifier: Classifier) -> None:
    """Let batch norms go on with the means and variances that they have learned."""
    for module in classifier.modules():
        if isinstance(module, nn.modules.batchnorm._BatchNorm):
            module.eval()
