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

    `model` and `dataset` are the names under which the store keeps the two, "" where it doesn't. `draw` gives the
    blueprint's network with weights drawn from a seed, where that can be done.
    """

    blueprint: Blueprint
    images: ImageSet
    build: Callable[[Blueprint], Classifier] = field(repr=False)
    model: str = ""
    dataset: str = ""
    draw: Callable[[Blueprint, int], Classifier] | None = field(default=None, repr=False)

    @cached_property
    def classifier(self) -> Classifier:
        """The network itself, in evaluation mode, on its device."""
        import torch

        with torch.inference_mode(False):  # whoever asks first may be in it, and such weights give no gradient ever
            return self.build(self.blueprint).eval()

    @cached_property
    def fingerprint(self) -> str:
        """The same classifier on the same images has the same one."""
        both = f"{self.blueprint.fingerprint} {self.images.fingerprint}"
        return hashlib.sha256(both.encode()).hexdigest()[:16]

    def from_scratch(self, seed: int) -> Classifier:
        """The network with weights drawn from the seed, untrained; ValueError where nothing can draw them."""
        if self.draw is None:
            raise ValueError(f"the weights of a {self.blueprint.architecture} can't be drawn; go on from those given")
        return self.draw(self.blueprint, seed).eval()

    def afresh(self) -> Subject:
        """The same subject with a network of its own, for another thread."""
        return replace(self)


def joined(
    blueprint: Blueprint,
    images: ImageSet,
    build: Callable[[Blueprint], Classifier],
    model: str = "",
    dataset: str = "",
    draw: Callable[[Blueprint, int], Classifier] | None = None,
) -> Subject:
    """The subject of a classifier and images: labels in the classifier's class order, images in its frame.

    Images of one small size keep it (the classifier resizes them); photographs, which differ in size or are
    cropped, are decoded straight into the classifier's input. Raises ValueError where classes don't agree.
    """
    given = blueprint.classes
    blueprint = replace(blueprint, classes=agreed_classes(blueprint, images))
    aligned = images.with_classes(blueprint.classes)
    if is_numbered(given) and not is_numbered(blueprint.classes):
        said = (
            f"The classifier's outputs have no names and take the data's, in their order: {listed(blueprint.classes)}."
        )
        aligned = replace(aligned, remarks=(*aligned.remarks, said))
    wanted = Frame.of(blueprint.preprocessing)
    own = images.frame
    fits = own.height <= wanted.height and own.width <= wanted.width
    if wanted.crop_share < 1 or own.crop_share < 1 or not fits or not images.pixels.one_size:
        aligned = aligned.in_frame(replace(wanted, channels=own.channels))
    return Subject(blueprint, aligned, build, model, dataset, draw)


def agreed_classes(blueprint: Blueprint, images: ImageSet) -> tuple[str, ...]:
    """The classifier's class names, which must cover those of the images that carry a label.

    A classifier whose classes are only numbered takes the names of the data, if there are as many.
    """
    if is_numbered(blueprint.classes) and len(images.classes) == len(blueprint.classes):
        return images.classes
    used = {images.classes[label] for label in np.unique(images.labels) if label != UNLABELLED}
    if strangers := sorted(used - set(blueprint.classes)):
        raise ValueError(
            f"the classifier tells {len(blueprint.classes)} classes apart ({listed(blueprint.classes)}), "
            f"but the data has images of {listed(strangers)}, which it doesn't know; "
            "rename or leave out classes of the data, or give the classifier's class names in their order"
        )
    return blueprint.classes


def is_numbered(classes: tuple[str, ...]) -> bool:
    """Whether the classes are called 0, 1, 2 and so on, as where nobody has named them."""
    return classes == tuple(str(number) for number in range(len(classes)))


def listed(names: tuple[str, ...] | list[str], most: int = 6) -> str:
    """The names in a row, the first few where there are many."""
    return ", ".join(names[:most]) + (f" and {len(names) - most} more" if len(names) > most else "")
