"""The step that makes maps: of many images by one rule, or of one image by all."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch

from engine.methods.cam_training.chosen_images import chosen_images
from engine.methods.cam_training.looking import Lookout, lookout
from engine.methods.cam_training.result import Cams
from engine.methods.cam_training.rules import RULES
from engine.methods.cam_training.settings import METHODS, CamSettings
from engine.methods.cam_training.targets import check_class
from engine.methods.cam_training.variants import Maps, maps_of, resolved
from engine.runs.progress import Progress
from engine.subject.subject import Subject
from engine.toolkit.answers import certainty
from engine.toolkit.prediction import as_tensor, in_batches

MOST_CHANNELS = 64  # that one image's maps by all rules ask the network about, one by one
PIECE_IMAGES = 512  # kept together, so that resumed work repeats no more than these
MANY_CHANNELS = "one pass for each of {channels:,} channels; choose it as the map to have it computed"
EXACT = ("cam", "gradcam", "hirescam", "xgradcam")  # all the same for a head of one average and one linear layer


@dataclass(frozen=True)
class OneImage:
    """An image's maps by all rules: `maps` (h, w) float32 by the rule's name; `missing` has why others can't be had."""

    maps: dict[str, np.ndarray]
    missing: dict[str, str]


def cams(subject: Subject, settings: CamSettings, selection: Sequence[str] | None, progress: Progress) -> Cams:
    """Maps of the images asked for; ValueError where there are none, no map can be had, or the network gives NaN."""
    for what in (settings.of, settings.against):
        check_class(what, len(subject.blueprint.classes))
    begin = 0.0 if settings.answers == "all" else 0.3
    indices = chosen_images(subject, settings, selection, progress.part(0, begin))
    classifier, images = subject.classifier, subject.images
    place = lookout(classifier, images, settings.layer)
    settings = replace(settings, method=resolved(settings.method, place.head))
    pieces = []
    for start in range(0, len(indices), PIECE_IMAGES):
        part = indices[start : start + PIECE_IMAGES]
        reach = (begin + (1 - begin) * done / len(indices) for done in (start, start + len(part)))
        within = progress.part(*reach)

        def compute(part: np.ndarray = part, within: Progress = within) -> dict[str, np.ndarray]:
            return columns(subject, place, settings, part, within)

        pieces.append(progress.kept(f"maps {start} to {start + len(part)}", compute))
    found = {name: np.concatenate([piece[name] for piece in pieces]) for name in pieces[0]}
    return Cams(
        method=settings.method,
        layer=place.layer.name,
        exact=place.head is not None and settings.method in EXACT,
        of=settings.of,
        against=settings.against,
        classes=subject.blueprint.classes,
        ids=images.ids[indices],
        labels=images.labels[indices],
        seen=place.seen,
        **found,
    )


def columns(
    subject: Subject, place: Lookout, settings: CamSettings, indices: np.ndarray, progress: Progress
) -> dict[str, np.ndarray]:
    """The columns of `Cams` that the network decides, for these images; in halved batches where need be."""
    parts: list[dict[str, np.ndarray]] = []

    def work(_place: slice, part: np.ndarray, pixels: np.ndarray) -> None:
        parts.append(outcomes(maps_of_batch(subject, place, settings, part, pixels)))

    in_batches(subject.classifier, subject.images, indices, work, progress, "looking")
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


def maps_of_batch(
    subject: Subject, place: Lookout, settings: CamSettings, indices: np.ndarray, pixels: np.ndarray
) -> Maps:
    """The maps of the images at these indices, whose pixels are uint8 (n, C, H, W); ValueError at NaN."""
    device = subject.classifier.device
    found = maps_of(
        subject.classifier,
        place.layer,
        place.head,
        as_tensor(pixels, device),
        torch.from_numpy(subject.images.labels[indices]).to(device),
        settings.method,
        settings.of,
        settings.against,
    )
    broken = ~(found.logits.isfinite().all(dim=1) & found.maps.isfinite().all(dim=(1, 2))).cpu().numpy()
    if broken.any():
        first = subject.images.names[indices[broken][0]]
        raise ValueError(f"the network gives NaN or infinity for {first}; check mean, std and the weights")
    return found


def outcomes(found: Maps) -> dict[str, np.ndarray]:
    """The columns of `Cams` that the network decides."""
    predictions, confidence = certainty(found.logits.float())
    columns = {"predictions": predictions, "confidence": confidence, "scores": found.scores.float(), "maps": found.maps}
    return {name: column.cpu().numpy() for name, column in columns.items()}


def one_image(subject: Subject, index: int, settings: CamSettings) -> OneImage:
    """The maps of the image at this index by every rule, at the layer and of the target that `settings` name.

    Rules that ask about every channel are left out where there are many. ValueError where the layer can't be had.
    """
    where = np.array([index])
    pixels = subject.images.read(where)
    place = lookout(subject.classifier, subject.images, settings.layer)
    found: dict[str, np.ndarray] = {}
    missing: dict[str, str] = {}
    for method in METHODS:
        if method == "auto":
            continue
        if RULES[method].by_channel and place.layer.channels > MOST_CHANNELS:
            missing[method] = MANY_CHANNELS.format(channels=place.layer.channels)
            continue
        try:
            asked = replace(settings, method=resolved(method, place.head))
            found[method] = maps_of_batch(subject, place, asked, where, pixels).maps[0].cpu().numpy()
        except ValueError as error:
            missing[method] = str(error)
    return OneImage(found, missing)
