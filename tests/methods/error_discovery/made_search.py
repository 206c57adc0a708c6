"""A subject whose classifier is wrong in a known place, and a small generator of its images."""

from functools import cache

import numpy as np
import torch
from torch import nn

from engine.methods.error_discovery.generating import trained_generator
from engine.methods.error_discovery.settings import GeneratorSettings
from engine.runs.progress import Progress
from engine.subject.classifier import Classifier
from engine.subject.image_set import ArrayPixels, content_ids
from engine.subject.subject import joined
from tests.conftest import colour_images, rgb_blueprint

COUNTS = {"train": 240, "pool": 20, "diagnosis": 90, "test": 30}
BRIGHTNESS = (80, 200)  # grey levels
PLANTED = (0.49, 0.57)  # of the brightest colour: here the answer is the next class
DRAWINGS = 3  # of one scan
SETTINGS = GeneratorSettings(dimensions=4, epochs=25, batch_size=16, conditional=False, learning_rate=4e-3)


class WrongInBetween(nn.Module):
    """The strongest colour, but in a range of brightness the next one."""

    def __init__(self, low, high):
        super().__init__()
        self.low, self.high = low, high

    def forward(self, images):
        colours = images.mean(dim=(2, 3))
        brightest = colours.amax(dim=1, keepdim=True)
        planted = (brightest > self.low) & (brightest < self.high)
        return 20 * torch.where(planted, colours.roll(1, dims=1), colours)


def made_images(counts=COUNTS, seed=0):
    """Images of one colour each, more or less bright; the drawings of a scan are one group."""
    random = np.random.default_rng(seed)
    count = sum(counts.values())
    scan = np.arange(count) // DRAWINGS
    labels = scan % 3
    level = random.integers(*BRIGHTNESS, count)
    array = random.integers(0, 20, (count, 8, 8, 3))
    array[np.arange(count), :, :, labels] += level[:, None, None]
    array = array.astype(np.uint8)
    return colour_images(
        [(0, 0, 0)] * count, labels.tolist(), ids=content_ids([image.tobytes() for image in array]),
        roles=np.repeat(list(counts), list(counts.values())), groups=np.array([f"scan {each}" for each in scan]),
        pixels=ArrayPixels(array),
    )  # fmt: skip


def made_subject(planted=PLANTED, images=None):
    """Real images are classified correctly but for those in the planted place."""
    given = images if images is not None else made_images()
    return joined(rgb_blueprint(), given, lambda blueprint: Classifier(WrongInBetween(*planted), blueprint))


@cache
def made_generator(conditional=False, planted=PLANTED):
    """Trained once for all tests; about two seconds."""
    settings = SETTINGS if not conditional else GeneratorSettings(**{**vars(SETTINGS), "conditional": True})
    return trained_generator(made_subject(planted), settings, Progress())
