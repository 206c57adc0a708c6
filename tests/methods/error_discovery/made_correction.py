"""All that a correction builds on, in small: a net with a batch norm, a random generator, four labelled regions."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import torch
from torch import Tensor, nn

from engine.methods.error_discovery.findings import Found
from engine.methods.error_discovery.labelling import labels_of
from engine.methods.error_discovery.region_tests import tested
from engine.methods.error_discovery.settings import CorrectionSettings, IdentificationSettings, TestSettings
from engine.runs.progress import Progress
from engine.subject.classifier import Classifier
from engine.subject.subject import joined
from engine.toolkit.seeding import seeded
from tests.conftest import BLUE, GREEN, RED, colour_images, rgb_blueprint
from tests.methods.error_discovery.made_errors import made_errors, made_regions
from tests.methods.error_discovery.made_generator import DIMENSIONS, made_generator

COUNT = 120
PLACES = [(0, 1, -2.0), (0, 2, -1.5), (2, 0, 0.0), (0, 2, 2.0)]  # label, prediction and place of errors
TARGETS = {0: 0, 1: 0, 2: 2, 3: 1}  # what each region is said to show
EACH = 12
SETTINGS = CorrectionSettings(steps=8, batch_size=16, learning_rate=5e-3, per_region=20, fresh=2, held_out=0.25)


class Normed(nn.Module):
    """A convolution, a batch norm, the mean and a linear layer."""

    def __init__(self) -> None:
        super().__init__()
        self.features = nn.Sequential(nn.Conv2d(3, 8, 3), nn.BatchNorm2d(8), nn.ReLU())
        self.head = nn.Linear(8, 3)

    def forward(self, images: Tensor) -> Tensor:
        return self.head(self.features(images).mean(dim=(2, 3)))


def built(blueprint) -> Classifier:
    with seeded(3):
        return Classifier(Normed(), blueprint).eval()


def made_subject():
    """Sixty images of train, two a group, thirty of diagnosis and thirty of test, in three colours."""
    colours = [RED, GREEN, BLUE] * (COUNT // 3)
    roles = np.repeat(["train", "diagnosis", "test"], [60, 30, 30])
    groups = np.array([f"g{place // 2}" for place in range(COUNT)])
    images = colour_images(colours, [place % 3 for place in range(COUNT)], roles=roles, groups=groups)
    return joined(rgb_blueprint(), images, built)


def made_inputs(panel=None, shared: bool = False, **changed) -> dict:
    """The inputs of a correction. Errors are around images of train, four of each unit; with `shared`, region 1 has
    half of its errors around the seeds of region 0.
    """
    subject = made_subject()
    units = np.repeat(subject.images.units()[: 2 * len(PLACES) * EACH // 4 : 2], 4)
    if shared:
        units[EACH : EACH + EACH // 3] = units[: EACH // 3]
    errors = made_errors(PLACES, EACH, dimensions=DIMENSIONS, units=units, ids=units)
    regions = made_regions(errors, PLACES, EACH)
    generator = replace(
        made_generator(),
        ids=subject.images.ids[:90],
        units=subject.images.units()[:90],
        roles=subject.images.roles[:90],
    )
    testing = TestSettings(draws=40, agreement=0.0)
    tests = tested(subject, testing, errors, regions, generator, Progress())
    inputs = {
        "generator": generator,
        "errors": errors,
        "regions": regions,
        "tests": tests,
        "labels": labels_of({region: ("class", label) for region, label in TARGETS.items()}, (), "ada"),
        "search": IdentificationSettings(agreement=0.0, manifold=False),
        "testing": testing,
        **changed,
    }
    return inputs if panel is None else {**inputs, "oracle": panel}


def found_of(**changed) -> Found:
    return Found.of(made_subject(), made_inputs(**changed))


class MeanPanel:
    """Reads an image by its mean: above `limit` it is a 1, below a 0; nothing in between the limits is readable."""

    fingerprint = "mean"
    classifiers = (None,)

    def labels(self, images: Tensor) -> np.ndarray:
        mean = images.mean(dim=(1, 2, 3))
        middle = mean.median()
        return torch.where(mean > middle, 1, torch.where(mean < middle, 0, -1)).numpy()
