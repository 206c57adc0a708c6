"""Labels without a person: stronger classifiers that must agree, and say nothing where they don't."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from engine.methods.error_discovery.labelling import labels_of
from engine.methods.error_discovery.result import Errors, Labels, Regions, RegionTests
from engine.methods.error_discovery.shown import shown_draws
from engine.runs.progress import Progress
from engine.subject.classifier import Classifier
from engine.subject.subject import listed

if TYPE_CHECKING:
    from engine.methods.error_discovery.decoding import Decoder

ABSTAINED = -1
SURE = 0.8  # the mean probability of the common answer, at least
READABLE = 0.5  # the share of a region's images that must be readable, at least
PURE = 0.8  # the share of a region's readable images that must have one label, at least
CHUNK = 512  # images at once
SHOWN = 10  # images of a region that are looked at


@dataclass(frozen=True, eq=False)
class Panel:
    """Classifiers that label images for somebody else's; `orders` are the places of `classes` among their outputs."""

    classifiers: tuple[Classifier, ...]
    classes: tuple[str, ...]
    orders: tuple[tuple[int, ...], ...]

    @cached_property
    def fingerprint(self) -> str:
        """The same classifiers for the same classes have the same one."""
        said = [each.blueprint.fingerprint for each in self.classifiers]
        return hashlib.sha256(repr(("panel", SURE, self.classes, said)).encode()).hexdigest()[:16]

    def labels(self, images: Tensor) -> np.ndarray:
        """(n,) int64: the label of each image (n, C, H, W) in [0, 1], -1 where the panel abstains.

        It does where its classifiers disagree, or give their common answer less than 0.8 on average.
        """
        found = [self._labels(part) for part in images.split(CHUNK)]
        return np.concatenate(found) if found else np.zeros(0, dtype=np.int64)

    def _labels(self, images: Tensor) -> np.ndarray:
        answers = []
        with torch.inference_mode():
            for classifier, order in zip(self.classifiers, self.orders, strict=True):
                logits = classifier(images.to(classifier.device)).float().cpu()
                answers.append(logits[:, list(order)].softmax(dim=1))
        each = torch.stack(answers)
        sure, label = each.mean(dim=0).max(dim=1)
        agreed = (each.argmax(dim=2) == label).all(dim=0) & (sure >= SURE)
        return torch.where(agreed, label, ABSTAINED).numpy()


def panel_of(classifiers: Sequence[Classifier], classes: tuple[str, ...]) -> Panel:
    """The panel that labels with these classes; ValueError where a classifier doesn't tell just these apart."""
    if not classifiers:
        raise ValueError("an oracle needs at least one classifier")
    for each in classifiers:
        if sorted(each.classes) != sorted(classes):
            raise ValueError(
                f"the oracle {each.blueprint.name} tells {listed(each.classes)} apart, not {listed(classes)}; "
                "an oracle needs the same classes"
            )
    orders = tuple(tuple(each.classes.index(name) for name in classes) for each in classifiers)
    return Panel(tuple(each.eval() for each in classifiers), classes, orders)


def decoded_labels(
    codes: np.ndarray, labels: np.ndarray, decoder: Decoder, panel: Panel, progress: Progress | None = None
) -> np.ndarray:
    """(n,) int64: what the panel sees in the images of codes (n, d) with labels (n,), -1 where it abstains."""
    found = np.full(len(codes), ABSTAINED, dtype=np.int64)
    for start in range(0, len(codes), CHUNK):
        part = slice(start, start + CHUNK)
        if progress is not None:
            progress.report(start / len(codes), "asking the oracle")
        found[part] = panel.labels(decoder.images(codes[part], labels[part]))
    return found


def single_labels(errors: Errors, decoder: Decoder, panel: Panel) -> np.ndarray:
    """(m,) int64: what the panel sees in each error by itself, -1 where it abstains."""
    return decoded_labels(errors.codes, errors.labels, decoder, panel)


def annotated(regions: Regions, tests: RegionTests, decoder: Decoder, panel: Panel, shown: int = SHOWN) -> Labels:
    """The panel's judgement of every living region by the first `shown` of its fresh draws that count.

    `unreadable` where it can read fewer than half of them; `mixed` where fewer than 80 % of those have one label; else
    `model_right` where that label is the prediction, and `class` where it is another.
    """
    judged = {
        number: _judged(number, regions, tests, decoder, panel, shown)
        for number in np.flatnonzero(regions.alive).tolist()
        if tests.kept[number].any()
    }
    return labels_of(judged, (), f"oracle of {len(panel.classifiers)}")


def _judged(
    number: int, regions: Regions, tests: RegionTests, decoder: Decoder, panel: Panel, shown: int
) -> tuple[str, int]:
    """The kind of a region, with the label that it is given, -1 for none."""
    draws = shown_draws(tests, number, shown)
    own = np.full(len(draws), regions.label[number])
    seen = decoded_labels(tests.codes[number][draws], own, decoder, panel)
    return verdict(seen, int(regions.prediction[number]))


def verdict(seen: np.ndarray, prediction: int) -> tuple[str, int]:
    """What the labels (n,) that were seen in a region's images, -1 for unreadable ones, say of the whole region."""
    readable = seen[seen != ABSTAINED]
    if len(readable) < READABLE * len(seen) or not len(readable):
        return "unreadable", ABSTAINED
    values, counts = np.unique(readable, return_counts=True)
    label, share = int(values[counts.argmax()]), counts.max() / len(readable)
    if share < PURE:
        return "mixed", ABSTAINED
    return ("model_right" if label == prediction else "class"), label
