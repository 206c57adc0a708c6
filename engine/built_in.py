"""Built-in examples drawn and trained anew, as inputs of a step or as subjects, and the oracle that labels for one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache, partial
from typing import TYPE_CHECKING

import numpy as np

from engine.loading import demos
from engine.runs.documents import Documents
from engine.runs.progress import Progress
from engine.runs.run import Input
from engine.subject.blueprint import Blueprint
from engine.subject.subject import Subject, joined

if TYPE_CHECKING:
    from engine.methods.error_discovery.oracle import Panel
    from engine.subject.classifier import Classifier
    from engine.subject.image_set import ImageSet

PANELS = ("digits",)  # examples that have an oracle


@dataclass(frozen=True)
class KeptClassifiers:
    """The files of classifiers, uint8 each."""

    files: tuple[np.ndarray, ...]


def demo_images(name: str, seed: int) -> Input:
    """The example's images of this seed: a function that draws them when called."""
    return Input(f"demo {name} {demos.VERSION} seed {seed}", partial(images_of, name, seed))


@lru_cache(maxsize=1)  # the arms of a seed, one after the other, have the same ones
def images_of(name: str, seed: int) -> ImageSet:
    """The example's images of this seed."""
    return demos.make_demo(name, seed)


def demo_anew(name: str, seed: int) -> dict[str, Input]:
    """The `images` and the `classifier` of this seed: functions that draw and train them when called."""
    own = Input(classifier_key(name, seed), partial(demo_classifier, name, seed))
    return {"images": demo_images(name, seed), "classifier": own}


def classifier_key(name: str, seed: int) -> str:
    """What the example's classifier of this seed is kept and asked for by."""
    return f"demo classifier {name} {demos.VERSION} seed {seed} in one thread"


@lru_cache(maxsize=1)  # the arms of a seed, one after the other, start from the same one
def demo_classifier(name: str, seed: int) -> Classifier:
    """The example's classifier of this seed."""
    return trained_anew(name, seed, Progress())


def trained_anew(name: str, seed: int, progress: Progress) -> Classifier:
    """The example's classifier, trained on the images of this seed; the same on machines with more and fewer cores."""
    from engine.toolkit.threads import one_thread

    with one_thread():  # two are no faster, and take four times the processor's time where others use the same cores
        return demos.train_demo(name, seed, progress)


def demo_subject(documents: Documents, name: str, seed: int, progress: Progress) -> Subject:
    """A built-in example of this seed with the classifier that was trained on it; 0 is the shipped one."""
    if seed == 0:
        classifier, images = demos.open_demo(name)
        files = [file_of(classifier)]
    else:
        images = images_of(name, seed)
        files = kept(documents, classifier_key(name, seed), lambda: [trained_anew(name, seed, progress)])
    own = partial(opened, files[0])
    return joined(own().blueprint, images, lambda _: own(), draw=drawn_anew)


def demo_panel(documents: Documents, name: str, progress: Progress) -> Panel:
    """The oracle of a built-in example; ValueError where it has none."""
    from engine.loading.demos import panel
    from engine.methods.error_discovery.oracle import panel_of

    if name not in PANELS:
        raise ValueError(f"the example {name} has no oracle of its own; name classifiers with --oracle FILE")
    files = kept(documents, f"oracle of {name} {panel.VERSION}", lambda: panel.make_panel(progress))
    return panel_of([opened(file) for file in files], demos.make_demo(name, 0).classes)


def kept(documents: Documents, key: str, make: Callable[[], list[Classifier]]) -> list[bytes]:
    """The files of the classifiers kept under a key, which are made where there are none."""
    found = documents.find(key, KeptClassifiers)
    if found is None:
        found = KeptClassifiers(tuple(np.frombuffer(file_of(each), np.uint8) for each in make()))
        documents.save(key, key, found)
    return [file.tobytes() for file in found.files]


def file_of(classifier: Classifier) -> bytes:
    """A classifier as the bytes of a file."""
    from engine.loading.checkpoints import to_safetensors

    return to_safetensors(classifier)


def opened(file: bytes) -> Classifier:
    """The classifier in a file, on the device that computes."""
    from engine.loading.checkpoints import from_safetensors
    from engine.toolkit.device import best_device

    return from_safetensors(file).to(best_device())


def drawn_anew(blueprint: Blueprint, seed: int) -> Classifier:
    """The blueprint's network with weights drawn from the seed."""
    from engine.loading.checkpoints import drawn
    from engine.toolkit.device import best_device

    return drawn(blueprint, seed).to(best_device())
