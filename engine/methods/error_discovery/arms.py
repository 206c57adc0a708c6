"""What each arm of a correction learns from, beside real images or instead of them."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from engine.methods.error_discovery.findings import Drawn, Found
from engine.methods.error_discovery.generated_sets import Sets
from engine.methods.error_discovery.noise import moved
from engine.methods.error_discovery.oracle import ABSTAINED, single_labels
from engine.methods.error_discovery.settings import CorrectionSettings
from engine.subject.image_set import Role

ALONE = ("identified",)  # arms without real images
PLAIN = ("before", "continued")  # arms without generated ones


@dataclass(frozen=True, eq=False)
class Lesson:
    """`real`, the indices (n,) of real images, and the generated ones; `labels`, how many labels these cost."""

    real: np.ndarray
    generated: Drawn
    labels: int


def lesson_of(found: Found, sets: Sets, settings: CorrectionSettings) -> Lesson:
    """What the arm of the settings learns from; the real images are the same for all that have any.

    ValueError where it would have nothing.
    """
    real, none = real_images(found, sets), sets.learned.take(np.zeros(0, dtype=np.int64))
    if not len(real):
        raise ValueError("no labelled image of train is left beside the seeds of held-out regions; hold out fewer")
    if settings.arm in PLAIN:
        return Lesson(real, none, 0)
    if settings.arm == "regions":
        drawn, labels = sets.learned, len(found.labels.region) - len(sets.division.held)
    elif settings.arm == "unlabelled":
        drawn, labels = moved_images(found, sets, settings), 0
    else:
        drawn, labels = single_errors(found, sets)
    if not len(drawn.codes):
        raise ValueError(f"the arm {settings.arm} has no generated image to learn from")
    return Lesson(real[:0] if settings.arm in ALONE else real, drawn, labels)


def real_images(found: Found, sets: Sets) -> np.ndarray:
    """The indices of the labelled images of train, without the units of held-out regions' seeds."""
    images = found.subject.images
    own = images.labelled(Role.TRAIN)
    return own[~np.isin(images.units()[own], sets.division.held_units)]


def single_errors(found: Found, sets: Sets) -> tuple[Drawn, int]:
    """Single errors on which the classifier is wrong, and how many were looked at for that.

    Of all that are not aside nor around a held-out seed, by the oracle's label of each; without an oracle those of the
    used regions, by the label of their region.
    """
    errors, regions, division = found.errors, found.regions, sets.division
    free = ~errors.aside & ~np.isin(errors.units, division.held_units)
    if found.panel is None:
        free &= np.isin(regions.member, division.used)
    rows = np.flatnonzero(free)
    labels = errors.labels[rows]
    drawn = Drawn(errors.codes[rows], labels, labels, regions.member[rows], errors.units[rows])
    if found.panel is None:
        truth = np.array([division.target[int(number)] for number in drawn.of], dtype=np.int64)
    else:
        own = replace(errors, codes=drawn.codes, labels=drawn.labels)
        truth = single_labels(own, found.decoder, found.panel)
    wrong = (truth != ABSTAINED) & (truth != errors.predictions[rows])
    return replace(drawn, truth=truth).take(np.flatnonzero(wrong)), len(rows)


def moved_images(found: Found, sets: Sets, settings: CorrectionSettings) -> Drawn:
    """As many images as the regions give: codes of real images of train, moved as in the search, with their labels."""
    generator, images = found.generator, found.subject.images
    allowed = set(images.ids[real_images(found, sets)].tolist())
    rows = np.flatnonzero([each in allowed for each in generator.ids.tolist()])
    random = np.random.default_rng([settings.seed, 17])
    chosen = random.choice(rows, len(sets.learned.codes), replace=len(sets.learned.codes) > len(rows))
    codes, _ = moved(generator.codes[chosen], generator.spread, found.search.noise, found.search.scale, 1, random)
    labels = generator.labels[chosen]
    return Drawn(codes, labels, labels, np.full(len(codes), -1, dtype=np.int64), generator.units[chosen])
