"""A generator of a subject's images, the codes of its real ones, and the gate: how far it can be trusted."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch

from engine.methods.error_discovery.decoding import shrunk
from engine.methods.error_discovery.generator_images import GeneratorImages, generator_images
from engine.methods.error_discovery.generator_training import trained_vae
from engine.methods.error_discovery.result import Generator
from engine.methods.error_discovery.settings import GeneratorSettings
from engine.methods.error_discovery.vae import VAE, divergence
from engine.runs.progress import Progress
from engine.subject.classifier import resize
from engine.subject.image_set import UNLABELLED, Role
from engine.subject.subject import Subject
from engine.toolkit.prediction import as_tensor, in_batches
from engine.toolkit.statistics import Rate, rate
from engine.toolkit.threads import one_if_small
from engine.toolkit.weights import saved

READ, TRAINED = 0.05, 0.85  # of the time
USED = 0.01  # nats an image, less of which a dimension says nothing
FEWEST_USED = 2  # dimensions
ROLES = (Role.TRAIN, Role.POOL, Role.DIAGNOSIS)  # those of test stay unseen
SPARE = 0.5  # of the dimensions; where fewer are used, a person is told


@dataclass(frozen=True)
class Coded:
    """Codes (n, d) float32 of real images, their indices (n,), `divergence` (n, d) in nats, and answers (n,) int64."""

    indices: np.ndarray
    codes: np.ndarray
    divergence: np.ndarray
    predictions: np.ndarray
    reconstructed: np.ndarray


def trained_generator(subject: Subject, settings: GeneratorSettings, progress: Progress) -> Generator:
    """A generator trained on train; ValueError where there are too few images, or where it collapsed."""
    images = generator_images(subject, settings, progress.part(0, READ))
    classes = len(subject.blueprint.classes) if settings.conditional else 0
    with one_if_small(multiplications(images, classes, settings)):
        device = subject.classifier.device
        network, course = trained_vae(images, classes, settings, device, progress.part(READ, TRAINED))
        coded = codes_of(subject, network, progress.part(TRAINED, 1))
    train = subject.images.roles[coded.indices] == Role.TRAIN
    used = coded.divergence[train].mean(axis=0)
    notes = collapse(used)
    return Generator(
        classes=subject.blueprint.classes,
        conditional=settings.conditional,
        channels=images.pixels.shape[1],
        height=network.height,
        width=network.width,
        weights=saved(network),
        reconstruction=np.array(course.reconstruction),
        divergence=np.array(course.divergence),
        validation=np.array(course.validation),
        best=course.best,
        spread=coded.codes[train].std(axis=0),
        used=used,
        ids=subject.images.ids[coded.indices],
        units=subject.images.units()[coded.indices],
        roles=subject.images.roles[coded.indices],
        labels=subject.images.labels[coded.indices],
        predictions=coded.predictions,
        reconstructed=coded.reconstructed,
        codes=coded.codes,
        **vars(gate(subject, coded)),
        notes=notes,
    )


def multiplications(images: GeneratorImages, classes: int, settings: GeneratorSettings) -> float:
    """About how many a batch takes."""
    channels, height, width = images.pixels.shape[1:]
    return settings.batch_size * VAE(channels, height, width, settings.dimensions, classes).multiplications()


def codes_of(subject: Subject, network: VAE, progress: Progress) -> Coded:
    """The codes of all images of train, pool and diagnosis, and what the classifier answers before and after."""
    images, classifier = subject.images, subject.classifier
    indices = np.flatnonzero(np.isin(images.roles, [str(role) for role in ROLES]))
    dimensions = network.from_code.in_features - network.classes
    codes = torch.empty(len(indices), dimensions)
    diverged = torch.empty(len(indices), dimensions)
    answers = torch.empty(len(indices), 2, dtype=torch.int64)

    def work(place: slice, part: np.ndarray, pixels: np.ndarray) -> None:
        read = as_tensor(pixels, classifier.device)
        answers[place, 0] = said = classifier(read).argmax(dim=1).cpu()
        labels = torch.from_numpy(images.labels[part])
        labels = torch.where(labels == UNLABELLED, said, labels).to(classifier.device)
        mean, log_variance = network.encode(shrunk(read, network), labels)
        rebuilt = resize(network.decode(mean, labels), images.frame.height, images.frame.width, "bilinear")
        codes[place], diverged[place] = mean.cpu(), divergence(mean, log_variance).cpu()
        answers[place, 1] = classifier(rebuilt).argmax(dim=1).cpu()

    with torch.inference_mode():
        in_batches(classifier, images, indices, work, progress, "encoding the images")
    return Coded(indices, codes.numpy(), diverged.numpy(), answers[:, 0].numpy(), answers[:, 1].numpy())


def collapse(used: np.ndarray) -> tuple[str, ...]:
    """A sentence where few of the dimensions say anything; ValueError where hardly one does.

    `used` (d,) is each dimension's divergence in nats.
    """
    count = int((used >= USED).sum())
    if count < FEWEST_USED:
        raise ValueError(
            f"the generator collapsed: {count} of its {len(used)} dimensions say anything of an image, so that all its "
            "images look alike; give it more epochs, a smaller beta or more images"
        )
    if count < SPARE * len(used):
        return (f"Only {count} of {len(used)} dimensions are used; as few would do.",)
    return ()


@dataclass(frozen=True)
class Gate:
    """What the classifier gets right of real images and of their reconstructions."""

    gate_role: str
    gate_real: Rate
    gate_reconstructed: Rate
    class_real: tuple[Rate, ...]
    class_reconstructed: tuple[Rate, ...]


def gate(subject: Subject, coded: Coded) -> Gate:
    """On the labelled images of diagnosis, on those of train where there are none."""
    images = subject.images
    roles, labels, units = images.roles[coded.indices], images.labels[coded.indices], images.units()[coded.indices]
    known = labels != UNLABELLED
    role = Role.DIAGNOSIS if (known & (roles == Role.DIAGNOSIS)).any() else Role.TRAIN
    own = known & (roles == role)

    def right(answers: np.ndarray, rows: np.ndarray) -> Rate:
        return rate(answers[rows] == labels[rows], units[rows])

    each = [own & (labels == label) for label in range(len(images.classes))]
    return Gate(
        str(role),
        right(coded.predictions, own),
        right(coded.reconstructed, own),
        tuple(right(coded.predictions, rows) for rows in each),
        tuple(right(coded.reconstructed, rows) for rows in each),
    )
