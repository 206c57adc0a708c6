"""One arm trained with one seed, and how it does on images that nothing decided on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor

from engine.methods.cam_training.arms import drawn, shown, started, within
from engine.methods.cam_training.balance import as_they_are, filled_up, sampled
from engine.methods.cam_training.geometry import WHOLE, seen_box
from engine.methods.cam_training.localisation import energy
from engine.methods.cam_training.looking import Lookout, label_maps, looked_again, lookout
from engine.methods.cam_training.masks import check, on_grid, without_mask
from engine.methods.cam_training.objective import TaughtLoss
from engine.methods.cam_training.parts import MOST, outcome, parts_of
from engine.methods.cam_training.result import Curves, Taught
from engine.methods.cam_training.schedule import check_schedule
from engine.methods.cam_training.settings import TeachingSettings
from engine.methods.cam_training.training_images import Masking, TrainingImages, reader
from engine.runs.progress import Progress
from engine.subject.classifier import Classifier
from engine.subject.image_set import ImageSet, Role
from engine.subject.subject import Subject
from engine.toolkit.prediction import as_tensor, predict
from engine.toolkit.threads import as_many_as_help
from engine.toolkit.training import TrainingSettings, train
from engine.toolkit.weights import saved

LEARNED = 0.25  # of the way from chance to everything right
TRAINING = 0.8  # of the time
LEVEL = 1e-3  # a mask whose cells differ by less tells none from another


def teach(subject: Subject, settings: TeachingSettings, inputs: Mapping[str, Any], progress: Progress) -> Taught:
    """Train the subject's network on its labelled `train` images and look at it on the others.

    Inputs, all optional: `images`, a function that gives an ImageSet to take the subject's place (data drawn anew);
    `picture`, a mask (H, W) for all images; `masks`, ImageMasks. ValueError in one sentence where the CAM term can't
    train the network, where a mask is missing or says nothing, and where there is nothing to train on. The tight crop's
    weights are never kept: without the crop, which no blueprint tells of, they are another classifier's.
    """
    images = images_of(subject, inputs)
    masking = Masking(settings.mask, inputs.get("picture"), inputs.get("masks"))
    training = training_images(images, settings, masking, progress.part(0, 0.05))
    with as_many_as_help(subject.classifier, settings.batch_size):
        classifier, place, curves = trained(subject, settings, training, progress.part(0.05, TRAINING))
        return looked_at(classifier, place, curves, training, settings, progress.part(TRAINING, 1))


def looked_at(
    classifier: Classifier,
    place: Lookout,
    curves: Curves,
    training: TrainingImages,
    settings: TeachingSettings,
    progress: Progress,
) -> Taught:
    """How a trained classifier does on what it trained on, on diagnosis, and on each part of what is reported on."""
    images, masking = training.images, training.masking
    place = looked_again(classifier, images, place)
    found = predict(classifier, images, training.indices, progress.part(0, 0.2), "classifying what it trained on")
    right = (found.argmax(dim=1).numpy() == images.labels[training.indices]).astype(np.float64)
    progress.report(0.2, "looking where it looks")
    # the tight crop sees nothing but the allowed part
    inside = np.empty(0) if settings.arm == "crop" else energy_inside(classifier, place, images, masking)
    progress.report(0.4, "making images to compare on")
    parts = parts_of(images, masking, progress, settings.report)
    ends = np.linspace(0.5, 1, len(parts) + 1)
    outcomes = [
        outcome(part, classifier, place, progress.part(*ends[number : number + 2])) for number, part in enumerate(parts)
    ]
    return Taught(
        arm=settings.arm,
        seed=settings.seed,
        layer=place.layer.name,
        exact=place.head is not None,
        curves=curves,
        train_accuracy=float(right.mean()),
        learned=has_learned(right, images.labels[training.indices]),
        energy_inside=inside,
        parts=tuple(outcomes),
        weights=saved(classifier.network)
        if settings.keep_weights and settings.arm != "crop"
        else np.empty(0, np.uint8),
    )


def images_of(subject: Subject, inputs: Mapping[str, Any]) -> ImageSet:
    """The subject's images, or those given in their place, with its classes and in its frame."""
    if "images" not in inputs:
        return subject.images
    return inputs["images"]().with_classes(subject.blueprint.classes).in_frame(subject.images.frame)


def training_images(
    images: ImageSet, settings: TeachingSettings, masking: Masking, progress: Progress
) -> TrainingImages:
    """The labelled images of `train`, balanced; ValueError where there are none, or of one class only."""
    own = images.labelled(Role.TRAIN)
    labels = images.labels[own]
    if len(np.unique(labels)) < 2:
        raise ValueError(
            f"teaching needs labelled images of two classes or more in train, and there are {len(own):,} images of "
            f"{len(np.unique(labels))}"
        )
    height, width = images.frame.height, images.frame.width
    filled = settings.balance == "augmentation"
    copies = filled_up(labels, height, width, settings.seed) if filled else as_they_are(len(own))
    return TrainingImages(images, own, copies, masking, reader(images, own, progress))


def starting(
    subject: Subject, settings: TeachingSettings, training: TrainingImages
) -> tuple[Classifier, Lookout, Tensor]:
    """The arm's classifier before training, where its maps are looked at, and what is forbidden on their grid.

    ValueError where no layer has a map, or where a mask is missing or tells no place from another.
    """
    example = as_tensor(training.pixels(np.arange(1)), subject.classifier.device)
    classifier, box = shown(started(subject, settings, example), settings, training)
    seen = within(seen_box(classifier.blueprint, training.images.frame), box)
    place = lookout(classifier, training.images, settings.layer, seen)
    training.check_masks()
    cells = training.forbidden_cells(seen, place.layer.height, place.layer.width)
    if box == WHOLE:
        check(cells)
    if settings.arm == "cam" and settings.weight > 0:
        check_grid(cells, place)
    return classifier, place, torch.from_numpy(cells).to(classifier.device)


def check_grid(cells: np.ndarray, place: Lookout) -> None:
    """ValueError where the map's grid is too coarse for masks on it (n, h, w) to tell one cell from another."""
    if (np.ptp(cells, axis=(1, 2)) < LEVEL).all():
        layer = place.layer
        raise ValueError(
            f"on the {layer.height} x {layer.width} cells of {layer.name} the mask forbids every cell alike, so it "
            "can't teach where to look: choose an earlier layer, larger images or another mask"
        )


def trained(
    subject: Subject, settings: TeachingSettings, training: TrainingImages, progress: Progress
) -> tuple[Classifier, Lookout, Curves]:
    """The arm's classifier after training, where its maps are looked at, and how it went."""
    classifier, place, cells = starting(subject, settings, training)
    plan = training_settings(settings)
    labels = torch.from_numpy(training.labels)
    steps = plan.epochs * -(-len(labels) // plan.batch_size)
    check_schedule(settings, steps)
    loss = TaughtLoss(settings, place, cells, steps, progress)
    order = sampled(training.labels, settings.seed) if settings.balance == "sampling" else None
    pixels = drawn(settings, training)
    train(classifier, pixels, labels, plan, settings.seed, progress, f"training, {settings.arm}", loss, order)
    return classifier, place, loss.result()


def training_settings(settings: TeachingSettings) -> TrainingSettings:
    """How long, in what portions and how fast."""
    return TrainingSettings(settings.epochs, settings.batch_size, settings.learning_rate, settings.weight_decay)


def has_learned(right: np.ndarray, labels: np.ndarray) -> bool:
    """Whether the mean of the classes' accuracies is at least a quarter of the way from chance to 1.

    `right` (n,) 1 where the answer is. A constant answer is at chance however frequent its class is.
    """
    classes = np.unique(labels)
    recall = np.mean([right[labels == label].mean() for label in classes])
    return bool(recall >= 1 / len(classes) + LEARNED * (1 - 1 / len(classes)))


def energy_inside(classifier: Classifier, place: Lookout, images: ImageSet, masking: Masking) -> np.ndarray:
    """(n,) the energy inside of at most 2,000 labelled images of diagnosis (by the hash), for the label's contrast."""
    own = images.labelled(Role.DIAGNOSIS)
    if masking.settings.shape == "each" and masking.image_masks is not None:
        own = own[~without_mask(images.ids[own], masking.image_masks)]
    own = own[np.argsort(images.ids[own], kind="stable")][:MOST]
    if not len(own):
        return np.empty(0)
    _, maps = label_maps(classifier, place, images, own)
    masks = masking.over(images.ids[own], images.frame.height, images.frame.width)
    return energy(maps, on_grid(masking.settings, masks, place.seen, *maps.shape[1:]))
