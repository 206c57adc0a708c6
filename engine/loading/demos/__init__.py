"""The two built-in demos: images with planted faults, and a classifier that was trained on them.

Making images needs no torch; opening or training a classifier does.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from engine.loading.demos.planted_backgrounds import make_planted_backgrounds
from engine.loading.demos.planted_digits import make_planted_digits
from engine.loading.roles import described
from engine.subject.image_set import ImageSet

if TYPE_CHECKING:
    from engine.runs.progress import Progress
    from engine.subject.classifier import Classifier

VERSION = 1  # goes up when the images or the shipped weights change
MAKERS = {"digits": make_planted_digits, "backgrounds": make_planted_backgrounds}
NAMES = tuple(MAKERS)
PLANTED = {
    "digits": "Planted: a label with few training images, one trained on a narrow slice of its images, and 3 % wrong "
    "labels in train and pool.",
    "backgrounds": "Planted: in train the background gives the class away; in test it is unchanged, swapped, of unseen "
    "colours, or the digit is off-centre, a quarter each.",
}


def make_demo(name: str, seed: int) -> ImageSet:
    """A demo's images, drawn anew from this seed; the shipped ones are those of seed 0."""
    check_name(name)
    images = MAKERS[name](seed)
    return replace(images, remarks=(described(images.roles, images.roles, images.seen), PLANTED[name]))


def open_demo(name: str) -> tuple[Classifier, ImageSet]:
    """A demo's shipped classifier, in evaluation mode on the CPU, and its images, those it was trained on included."""
    check_name(name)
    from engine.loading.demos.trained import shipped

    return shipped(name), make_demo(name, 0)


def train_demo(name: str, seed: int, progress: Progress) -> Classifier:
    """A demo's classifier, trained on the images of this seed; seed 0 gives the shipped one anew."""
    check_name(name)
    from engine.loading.demos.trained import trained

    return trained(name, make_demo(name, seed), seed, progress)


def check_name(name: str) -> None:
    """Raise ValueError where there is no such demo."""
    if name not in NAMES:
        raise ValueError(f"there is no demo called {name!r}; the built-in ones are {' and '.join(NAMES)}")
