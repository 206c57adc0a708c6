"""A built-in example with data and classifier drawn anew, as the inputs of a step."""

from __future__ import annotations

from functools import lru_cache, partial
from typing import TYPE_CHECKING

from engine.loading import demos
from engine.runs.progress import Progress
from engine.runs.run import Input

if TYPE_CHECKING:
    from engine.subject.classifier import Classifier


def demo_images(name: str, seed: int) -> Input:
    """The example's images of this seed: a function that draws them when called."""
    return Input(f"demo {name} {demos.VERSION} seed {seed}", partial(demos.make_demo, name, seed))


def demo_anew(name: str, seed: int) -> dict[str, Input]:
    """The `images` and the `classifier` of this seed: functions that draw and train them when called."""
    named = f"demo classifier {name} {demos.VERSION} seed {seed}"
    return {"images": demo_images(name, seed), "classifier": Input(named, partial(demo_classifier, name, seed))}


@lru_cache(maxsize=1)  # the arms of a seed, one after the other, start from the same one
def demo_classifier(name: str, seed: int) -> Classifier:
    """The example's classifier of this seed."""
    return trained_anew(name, seed, Progress())


def trained_anew(name: str, seed: int, progress: Progress) -> Classifier:
    """The example's classifier, trained on the images of this seed; the same on machines with more and fewer cores."""
    from engine.toolkit.threads import one_thread

    with one_thread():  # two are no faster, and four times slower where others use the same cores
        return demos.train_demo(name, seed, progress)
