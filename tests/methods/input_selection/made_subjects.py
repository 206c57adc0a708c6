"""A small subject with all roles: red, green or blue under noise, of which the network has hardly seen any blue."""

import numpy as np
import torch
from torch import nn

from engine.subject.classifier import Classifier
from engine.subject.image_set import ArrayPixels, Seen, content_ids
from engine.subject.subject import joined
from engine.toolkit.seeding import seeded
from tests.conftest import colour_images, rgb_blueprint

COUNTS = {"train": 60, "diagnosis": 60, "pool": 90, "test": 60}


def network(seed=0):
    with seeded(seed):
        return nn.Sequential(
            nn.Conv2d(3, 6, 3), nn.BatchNorm2d(6), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(6, 3)
        )


def made_images(seed=0):
    random = np.random.default_rng(seed)
    labels = np.concatenate([random.permutation(np.arange(count) % 3) for count in COUNTS.values()])
    array = random.integers(0, 90, (len(labels), 8, 8, 3))
    array[np.arange(len(labels)), :, :, labels] += 60
    array = array.astype(np.uint8)
    roles = np.repeat(list(COUNTS), list(COUNTS.values()))
    return colour_images(
        [(0, 0, 0)] * len(labels), labels.tolist(), ids=content_ids([image.tobytes() for image in array]),
        roles=roles, pixels=ArrayPixels(array),
        seen=np.where(roles == "train", Seen.YES, Seen.NO).astype(np.int8),
    )  # fmt: skip


def made_subject(seed=0, images=None):
    """Its weights are drawn from the seed, but the bias against blue is strong, so that blue is under-fitted."""

    def draw(blueprint, seed):
        return Classifier(network(seed), blueprint)

    def build(blueprint):
        classifier = draw(blueprint, seed).eval()
        with torch.no_grad():
            images = torch.rand(256, 3, 8, 8, generator=torch.Generator().manual_seed(0))
            classifier.network[1].running_mean.copy_(classifier.network[0](images).mean(dim=(0, 2, 3)))
            classifier.network[-1].bias.copy_(torch.tensor([0.0, 0.0, -5.0]))
        return classifier

    return joined(rgb_blueprint(), images if images is not None else made_images(seed), build, draw=draw)
