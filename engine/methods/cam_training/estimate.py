"""How long maps, hiding what is hot in them, and grouping them will take, from a few images."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import torch

from engine.methods.cam_training.cams import maps_of_batch
from engine.methods.cam_training.chosen_images import candidates, with_labels
from engine.methods.cam_training.groups import (
    CLOUDS,
    MEASURED,
    evidence_of,
    groupable,
    grouping,
    most_groups,
    of_length_one,
    silhouette_of,
)
from engine.methods.cam_training.looking import lookout
from engine.methods.cam_training.result import Cams
from engine.methods.cam_training.rules import RULES
from engine.methods.cam_training.settings import PREDICTION, REST, CamSettings, GroupSettings, HidingSettings
from engine.methods.cam_training.variants import resolved
from engine.runs.progress import Progress
from engine.subject.subject import Subject
from engine.toolkit.pace import FEW, pace
from engine.toolkit.prediction import as_tensor, batch_size

SECONDS = 0.3  # that finding out may take
FEW_MAPS = 256  # to group, for an estimate


def seconds_of_cams(subject: Subject, settings: CamSettings, selection: Sequence[str] | None) -> float:
    """Seconds for the maps, at the pace of their rule; where answers are asked for, of classifying all images, too.

    Raises ValueError where there is no image, or no such map.
    """
    there = with_labels(subject.images, settings, candidates(subject.images, settings, selection), Progress())
    count = len(there) if selection is not None else min(len(there), settings.images)
    place = lookout(subject.classifier, subject.images, settings.layer)
    # of the prediction, whatever was asked: it takes as long
    asked = replace(settings, method=resolved(settings.method, place.head), of=PREDICTION, against=REST)
    rule = RULES[asked.method]
    few = np.resize(there, FEW)
    pixels = subject.images.read(few)

    def look(images: int) -> None:
        rows = np.arange(images) % FEW
        maps_of_batch(subject, place, asked, few[rows], pixels[rows])

    # by channel a few images alone could take minutes
    asking = count * rule.passes(place.layer.channels) if rule.by_channel else 0
    asking += 0 if settings.answers == "all" else len(there)
    looking = 0.0 if rule.by_channel else count * pace(look, batch_size(subject.classifier), SECONDS)
    return looking + (asking * seconds_an_answer(subject, pixels) if asking else 0.0)


def seconds_of_hiding(subject: Subject, settings: HidingSettings, cams: Cams) -> float:
    """Seconds for classifying every labelled image, once as it is and for each share hidden here and elsewhere."""
    ids = cams.ids[cams.labels >= 0].tolist()
    if not ids:
        return 0.0
    few = [subject.images.position[each] for each in ids[:FEW]]
    asked = 1 + len(settings.shares) * (1 + settings.places)
    return len(ids) * asked * seconds_an_answer(subject, subject.images.read(few))


def seconds_of_groups(cams: Cams, settings: GroupSettings) -> float:
    """Seconds for looking for groups, here and in clouds, from one grouping of noise.

    k-means takes longer as the maps and the groups become more, a silhouette as the pairs of maps do.
    """
    evidence = evidence_of(cams)
    unit = of_length_one(evidence[groupable(evidence, cams, settings)])
    if (most := most_groups(unit, settings)) < 2:
        return 0.0
    few = min(FEW_MAPS, len(unit))
    noise = of_length_one(np.random.default_rng(settings.seed).random((few, unit.shape[1])))
    grouping(noise, 2, settings.seed)  # the first one loads what is needed
    begin = time.perf_counter()
    found = grouping(noise, 2, settings.seed)
    middle = time.perf_counter()
    silhouette_of(noise, found, settings.seed)
    end = time.perf_counter()
    counts = range(2, most + 1)
    k_means = (middle - begin) * len(unit) / few * sum(counts) / 2
    silhouettes = (end - middle) * (min(MEASURED, len(unit)) / few) ** 2 * len(counts)
    return (1 + CLOUDS) * (k_means + silhouettes)


def seconds_an_answer(subject: Subject, pixels: np.ndarray) -> float:
    """Seconds an image for classifying images like these (n, C, H, W) uint8."""
    classifier = subject.classifier

    def ask(count: int) -> None:
        with torch.inference_mode():
            classifier(as_tensor(pixels[np.arange(count) % len(pixels)], classifier.device)).argmax(dim=1).tolist()

    return pace(ask, batch_size(classifier), SECONDS)
