"""Which images maps are made of."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import numpy as np

from engine.methods.cam_training.settings import LABEL, CamSettings
from engine.runs.progress import Progress
from engine.subject.image_set import UNLABELLED, ImageSet
from engine.subject.subject import Subject


def chosen_images(
    subject: Subject, settings: CamSettings, selection: Sequence[str] | None, progress: Progress
) -> np.ndarray:
    """The indices (n,) of the images to look at, in an order that their ids decide.

    Of a role at most `settings.images` are drawn; a selection is taken whole, those of `test` included. Where answers
    are asked for, the images are classified first. Raises ValueError where nothing is left.
    """
    found = candidates(subject.images, settings, selection)
    found = with_labels(subject.images, settings, found, progress)
    found = drawn_by_hash(subject.images, found)
    if settings.answers != "all":
        found = with_answers(subject, settings.answers, found, progress)
    return found if selection is not None else found[: settings.images]


def candidates(images: ImageSet, settings: CamSettings, selection: Sequence[str] | None) -> np.ndarray:
    """The indices of the role's images, or of the selection's that are there."""
    if selection is None:
        found = images.indices(settings.role)
        nothing = f"no image has the role {settings.role!r}, so there is nothing to look at"
    else:
        places = [images.position[each] for each in dict.fromkeys(selection) if each in images.position]
        found = np.array(places, dtype=np.int64)
        nothing = "none of the selection's images is in this data set, so there is nothing to look at"
    if len(found) == 0:
        raise ValueError(nothing)
    return found


def with_labels(images: ImageSet, settings: CamSettings, found: np.ndarray, progress: Progress) -> np.ndarray:
    """Those of the images that have one of the labels asked for, or any, where one is needed."""
    labels = images.labels[found]
    if settings.labels:
        if strange := [label for label in settings.labels if not 0 <= label < len(images.classes)]:
            raise ValueError(f"there is no class {strange[0]}; they are numbered 0 to {len(images.classes) - 1}")
        found = found[np.isin(labels, settings.labels)]
        if len(found) == 0:
            names = " or ".join(images.classes[label] for label in settings.labels)
            raise ValueError(f"none of the images has the label {names}, so there is nothing to look at")
        return found
    if LABEL not in (settings.of, settings.against) and settings.answers == "all":
        return found
    found = found[labels != UNLABELLED]
    if len(found) == 0:
        raise ValueError("none of the images has a label; ask for the map of the prediction, of all answers")
    if missing := len(labels) - len(found):
        progress.note(f"{missing:,} images were left out: they have no label")
    return found


def drawn_by_hash(images: ImageSet, found: np.ndarray) -> np.ndarray:
    """The indices in the order of their ids' hashes, so that the first few are a fair draw of all."""
    return found[np.argsort([hashlib.sha256(each.encode()).hexdigest() for each in images.ids[found].tolist()])]


def with_answers(subject: Subject, answers: str, found: np.ndarray, progress: Progress) -> np.ndarray:
    """Those of the labelled images that the classifier gets `right` or `wrong`."""
    from engine.toolkit.prediction import predict

    predictions = predict(subject.classifier, subject.images, found, progress).argmax(dim=1).numpy()
    right = predictions == subject.images.labels[found]
    kept = found[right if answers == "right" else ~right]
    if len(kept) == 0:
        raise ValueError(f"the classifier gets none of the {len(found):,} images {answers}, so there is nothing to see")
    return kept
