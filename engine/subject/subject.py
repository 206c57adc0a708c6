"""A classifier and the images it is examined on."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from engine.subject.blueprint import Blueprint
from engine.subject.frame import Frame
from engine.subject.image_set import UNLABELLED, ImageSet

if TYPE_CHECKING:
    from engine.subject.classifier import Classifier


@dataclass(frozen=True, eq=False)
class Subject:
    """What a step examines. The network is built when `classifier` is first asked for, not before.

    `model` and `dataset` are the names under which the store keeps the two, "" where it doesn't.
    """

    blueprint: Blueprint
    images: ImageSet
    build: Callable[[Blueprint], Classifier] = field(repr=False)
    model: str = ""
    dataset: str = ""

    @cached_property
    def classifier(self) -> Classifier:
        """The network itself, in evaluation mode, on its device."""
        return self.build(self.blueprint).eval()

    @cached_property
    def fingerprint(self) -> str:
        """The same classifier on the same images has the same one."""
        both = f"{self.blueprint.fingerprint} {self.images.fingerprint}"
        return hashlib.sha256(both.encode()).hexdigest()[:16]

    def afresh(self) -> Subject:
        """The same subject with a network of its own, for another thread."""
        return replace(self)


def joined(
    blueprint: Blueprint, images: ImageSet, build: Callable[[Blueprint], Classifier], model: str = "", dataset: str = ""
) -> Subject:
    """The subject of a classifier and images: labels in the classifier's class order, images in its frame.

    Images of one small size keep it (the classifier resizes them); photographs, which differ in size or are
    cropped, are decoded straight into the classifier's input. Raises ValueError where classes don't agree.
    """
    blueprint = replace(blueprint, classes=agreed_classes(blueprint, images))
    aligned = images.with_classes(blueprint.classes)
    wanted = Frame.of(blueprint.preprocessing)
    own = images.frame
    fits = own.height <= wanted.height and own.width <= wanted.width
    if wanted.crop_share < 1 or own.crop_share < 1 or not fits or not keeps_one_size(images):
        aligned = aligned.in_frame(replace(wanted, channels=own.channels))
    return Subject(blueprint, aligned, build, model, dataset)


def keeps_one_size(images: ImageSet) -> bool:
    """Whether all images have the size of the set's frame, so that none needs resizing to be handed out."""
    return bool(getattr(images.pixels, "one_size", True))


def agreed_classes(blueprint: Blueprint, images: ImageSet) -> tuple[str, ...]:
    """The classifier's class names, which must cover those of the images that carry a label.

    A classifier whose classes are only numbered takes the names of the data, if there are as many.
    """
    numbered = tuple(str(number) for number in range(len(blueprint.classes)))
    if blueprint.classes == numbered and len(images.classes) == len(numbered):
        return images.classes
    used = {images.classes[label] for label in np.unique(images.labels) if label != UNLABELLED}
    if strangers := sorted(used - set(blueprint.classes)):
        raise ValueError(
            f"the classifier tells {len(blueprint.classes)} classes apart ({listed(blueprint.classes)}), "
            f"but the data has images of {listed(strangers)}, which it doesn't know; "
            "rename or leave out classes of the data, or give the classifier's class names in their order"
        )
    return blueprint.classes


def listed(names: tuple[str, ...] | list[str], most: int = 6) -> str:
    """The names in a row, the first few where there are many."""
    return ", ".join(names[:most]) + (f" and {len(names) - most} more" if len(names) > most else "")
