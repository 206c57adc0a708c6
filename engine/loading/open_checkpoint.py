"""From a checkpoint and a person's few choices to a classifier; the rest is read off the weights or the data."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from engine.subject.image_set import ImageSet
from engine.subject.preprocessing import Preprocessing
from engine.subject.subject import listed

if TYPE_CHECKING:
    from engine.loading.checkpoints import Checkpoint
    from engine.subject.classifier import Classifier

LARGEST_OWN_SIZE = 128  # pixels: networks that take any size are given the data's own up to here


@dataclass(frozen=True)
class CheckpointOptions:
    """What a person says of a checkpoint; what is left out is found out, or has the architecture's usual value.

    `height` and `width` in pixels, `mean` and `std` per channel for images in [0, 1], `crop_share` in (0, 1].
    """

    architecture: str = ""
    classes: tuple[str, ...] = ()
    name: str = ""
    height: int | None = None
    width: int | None = None
    mean: tuple[float, ...] = ()
    std: tuple[float, ...] = ()
    interpolation: str = ""
    crop_share: float | None = None


@dataclass(frozen=True)
class Examined:
    """What a checkpoint says of itself: the architectures that fit, its class names, what was noticed."""

    architectures: tuple[str, ...]
    classes: tuple[str, ...]
    remarks: tuple[str, ...]


def examine(path: Path, name: str = "") -> Examined:
    """Read a checkpoint and see what it could be; raises ValueError where the file can't be used."""
    from engine.loading.checkpoints import fitting_architectures, read_checkpoint

    checkpoint = read_checkpoint(path, name)
    fitting = fitting_architectures(checkpoint)
    said = checkpoint.architecture
    ordered = (said, *(each for each in fitting if each != said)) if said else tuple(fitting)
    return Examined(ordered, checkpoint.classes, checkpoint.remarks)


def open_checkpoint(path: Path, options: CheckpointOptions, images: ImageSet | None = None) -> Classifier:
    """The classifier in a file. `images` lend it their class names and size where nothing else says them.

    Raises ValueError in one sentence where the file, the architecture or the class names don't fit.
    """
    from engine.loading.checkpoints import build_classifier, match, read_checkpoint

    checkpoint = read_checkpoint(path)
    architecture = options.architecture or checkpoint.architecture or only_fitting(checkpoint)
    matched = match(checkpoint, architecture)
    name = options.name or path.stem
    if not matched.fits:
        return build_classifier(checkpoint, architecture, name)  # which says what doesn't
    classes = class_names(options.classes or checkpoint.classes, max(2, matched.outputs), images)
    found = checkpoint.preprocessing or usual(architecture, matched.channels, images)
    return build_classifier(checkpoint, architecture, name, classes, chosen_preprocessing(found, options))


def only_fitting(checkpoint: Checkpoint) -> str:
    """The architecture whose shapes fit; ValueError where none or several do."""
    from engine.loading.checkpoints import fitting_architectures

    fitting = fitting_architectures(checkpoint)
    if len(fitting) == 1:
        return fitting[0]
    if not fitting:
        raise ValueError(
            f"{checkpoint.name}: no architecture fits these weights exactly; name the one that they were trained with, "
            "such as resnet18 or timm/resnet18"
        )
    raise ValueError(f"{checkpoint.name}: several architectures fit these weights ({listed(fitting)}); say which it is")


def class_names(said: tuple[str, ...], count: int, images: ImageSet | None) -> tuple[str, ...]:
    """Names for the outputs: those that were said, else the data's if there are as many, else numbers."""
    if said:
        return said
    if images is not None and len(images.classes) == count:
        return images.classes
    return tuple(str(number) for number in range(count))


def usual(architecture: str, channels: int, images: ImageSet | None) -> Preprocessing:
    """The architecture's usual preprocessing; nets of our own that take any size are given the data's."""
    from engine.loading.architectures import default_preprocessing, own

    found = default_preprocessing(architecture, channels)
    if images is None or architecture not in own.NAMES or architecture == "spinal_vgg":
        return found
    height, width = images.frame.height, images.frame.width
    return replace(found, height=height, width=width) if max(height, width) <= LARGEST_OWN_SIZE else found


def chosen_preprocessing(found: Preprocessing, options: CheckpointOptions) -> Preprocessing:
    """The preprocessing with what the person said in place of what was found."""
    return Preprocessing(
        channels=found.channels,
        height=found.height if options.height is None else options.height,
        width=found.width if options.width is None else options.width,
        mean=options.mean or found.mean,
        std=options.std or found.std,
        interpolation=options.interpolation or found.interpolation,
        crop_share=found.crop_share if options.crop_share is None else options.crop_share,
    )
