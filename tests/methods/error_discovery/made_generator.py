"""A generator with weights drawn at random, and real images whose codes lie around known places."""

from __future__ import annotations

import numpy as np
import safetensors.torch
import torch

from engine.methods.error_discovery.result import Generator
from engine.methods.error_discovery.vae import VAE
from engine.subject.classifier import Classifier
from engine.subject.subject import joined
from engine.toolkit.seeding import seeded
from engine.toolkit.statistics import rate
from tests.conftest import BLUE, GREEN, RED, RedGreenBlue, colour_images, rgb_blueprint

DIMENSIONS, COUNT = 4, 90
PLACES = [(0, 1, -2.0), (0, 2, 2.0), (1, 0, 0.0)]  # label, prediction and place of errors
LABELS_AT = {-2.0: 0, 2.0: 0, 0.0: 2}  # of the real images around these places


def made_subject(role="train"):
    """Ninety images in three colours, labelled rightly but for every tenth."""
    colours = [RED, GREEN, BLUE] * (COUNT // 3)
    labels = [(place % 3 + (place % 10 == 0)) % 3 for place in range(COUNT)]
    images = colour_images(colours, labels, role=role)
    return joined(rgb_blueprint(), images, lambda blueprint: Classifier(RedGreenBlue(), blueprint))


def made_generator(conditional: bool = False) -> Generator:
    """A third of the images around each place, with the place's label."""
    with seeded(0):
        network = VAE(3, 8, 8, DIMENSIONS, 3 if conditional else 0)
        for weight in network.parameters():
            torch.nn.init.normal_(weight, std=0.3)
    random = np.random.default_rng(0)
    place = np.repeat(list(LABELS_AT), COUNT // 3)
    codes = (place[:, None] + random.normal(0, 0.3, (COUNT, DIMENSIONS))).astype(np.float32)
    labels = np.repeat(list(LABELS_AT.values()), COUNT // 3)
    images = made_subject().images
    known = rate(np.ones(COUNT, bool), np.arange(COUNT))
    return Generator(
        classes=images.classes,
        conditional=conditional,
        channels=3,
        height=8,
        width=8,
        weights=np.frombuffer(safetensors.torch.save(network.state_dict()), np.uint8),
        reconstruction=np.zeros(1),
        divergence=np.zeros(1),
        validation=np.zeros(1),
        best=0,
        spread=codes.std(axis=0),
        used=np.ones(DIMENSIONS),
        ids=images.ids,
        units=images.units(),
        roles=np.full(COUNT, "train"),
        labels=labels,
        predictions=labels,
        reconstructed=labels,
        codes=codes,
        gate_role="train",
        gate_real=known,
        gate_reconstructed=known,
        class_real=(known,) * 3,
        class_reconstructed=(known,) * 3,
        notes=(),
    )
