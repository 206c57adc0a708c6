"""How long the training of a generator and a search for errors will take, from a few images and steps."""

from __future__ import annotations

import time
from dataclasses import replace

import numpy as np
import torch

from engine.methods.error_discovery.decoding import Decoder
from engine.methods.error_discovery.generating import ROLES, multiplications
from engine.methods.error_discovery.generator_images import chosen, few_images
from engine.methods.error_discovery.generator_training import Training
from engine.methods.error_discovery.identification import seeds_of
from engine.methods.error_discovery.result import Generator
from engine.methods.error_discovery.settings import GeneratorSettings, IdentificationSettings
from engine.runs.progress import Progress
from engine.subject.subject import Subject
from engine.toolkit.pace import FEW, pace
from engine.toolkit.prediction import as_tensor, batch_size
from engine.toolkit.threads import one_if_small

SECONDS = 0.3  # that finding out a pace may take
STEPS = 4
PASSES = 3  # of the classifier's time that an image of which the code is taken down costs
BARE = 0.9  # of a search's time goes into decoding and classifying


def seconds_of_generator(subject: Subject, settings: GeneratorSettings) -> float:
    """Seconds for a generator that is trained to its last epoch, and for the codes; ValueError with too few images."""
    few = few_images(subject, settings)
    count = len(chosen(subject, settings))
    steps = settings.epochs * -(-count // settings.batch_size)
    classes = len(subject.blueprint.classes) if settings.conditional else 0
    with one_if_small(multiplications(few, classes, settings)), torch.random.fork_rng():
        training = Training(few, classes, replace(settings, epochs=STEPS + 1), subject.classifier.device)
        rows = np.resize(training.rows, settings.batch_size)
        times = [seconds_a_step(training, rows) for _ in range(STEPS)]
    coded = int(np.isin(subject.images.roles, [str(role) for role in ROLES]).sum())
    return steps * min(times) + coded * PASSES * seconds_an_answer(subject, chosen(subject, settings))


def seconds_a_step(training: Training, rows: np.ndarray) -> float:
    """The seconds that a step takes."""
    begin = time.perf_counter()
    training.step(rows, 1.0).tolist()  # which waits for an accelerator, too
    return time.perf_counter() - begin


def seconds_an_answer(subject: Subject, indices: np.ndarray) -> float:
    """Seconds an image for classifying images like those at these indices."""
    pixels, classifier = subject.images.read(indices[:FEW]), subject.classifier

    def ask(count: int) -> None:
        with torch.inference_mode():
            classifier(as_tensor(pixels[np.arange(count) % len(pixels)], classifier.device)).argmax(dim=1).tolist()

    return pace(ask, batch_size(classifier), SECONDS)


def seconds_of_search(subject: Subject, settings: IdentificationSettings, generator: Generator) -> float:
    """Seconds for decoding and classifying all draws, and what comes with them; ValueError as of the search."""
    seeds = seeds_of(generator, settings, [])
    decoder = Decoder(generator, subject)

    def ask(count: int) -> None:
        rows = np.resize(seeds, count)
        decoder.classified(generator.codes[rows], generator.labels[rows], Progress())

    return len(seeds) * settings.draws * pace(ask, decoder.size, SECONDS) / BARE
