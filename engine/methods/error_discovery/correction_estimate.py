"""How long one correction will take, from a few steps and a few answers."""

from __future__ import annotations

import time
from copy import deepcopy

import numpy as np
import torch

from engine.methods.error_discovery.correction import corrected_once
from engine.methods.error_discovery.decoding import Decoder
from engine.methods.error_discovery.result import Generator
from engine.methods.error_discovery.settings import CorrectionSettings
from engine.runs.progress import Progress
from engine.subject.image_set import Role
from engine.subject.subject import Subject
from engine.toolkit.pace import pace
from engine.toolkit.prediction import as_tensor
from engine.toolkit.threads import as_many_as_help
from engine.toolkit.training import TrainingSettings, optimizer_of

SECONDS = 0.3  # that finding out a pace may take
STEPS = 4


def seconds_of_correction(subject: Subject, settings: CorrectionSettings, generator: Generator) -> float:
    """Seconds for training one arm and answering test, diagnosis and their perturbations afterwards.

    Drawing the perturbations, which the arms of a seed share, is not in it.
    """
    images = subject.images
    count = sum(len(images.indices(role)) for role in (Role.TEST, Role.DIAGNOSIS))
    decoder = Decoder(generator, subject)

    def ask(many: int) -> None:
        rows = np.resize(np.arange(len(generator.codes)), many)
        decoder.classified(generator.codes[rows], generator.labels[rows], Progress())

    answers = (1 + settings.fresh) * count * pace(ask, decoder.size, SECONDS)
    return answers + (0.0 if settings.arm == "before" else settings.steps * seconds_a_step(subject, settings))


def seconds_a_step(subject: Subject, settings: CorrectionSettings) -> float:
    """Seconds for a step on a batch of real images and one of generated ones; the subject stays as it is."""
    classifier = deepcopy(subject.classifier)
    rows = np.resize(np.arange(len(subject.images)), settings.batch_size)
    pixels = as_tensor(subject.images.read(rows), classifier.device)
    pair = (pixels, torch.zeros(len(pixels), dtype=torch.int64, device=classifier.device))
    optimizer = optimizer_of(classifier, TrainingSettings(learning_rate=settings.learning_rate))
    classifier.train()
    times = []
    with as_many_as_help(classifier, settings.batch_size):
        for step in range(STEPS):
            begin = time.perf_counter()
            corrected_once(classifier, optimizer, step, pair, pair, settings.weight)
            times.append(time.perf_counter() - begin)
    return min(times)
