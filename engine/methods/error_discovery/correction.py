"""One arm of a correction with one seed: trained on from the given weights, and judged by every set."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from copy import deepcopy
from dataclasses import replace
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from engine.methods.error_discovery.arms import ALONE, Lesson, lesson_of
from engine.methods.error_discovery.decoding import Decoder
from engine.methods.error_discovery.findings import Drawn, Found
from engine.methods.error_discovery.generated_sets import Sets, sets_of
from engine.methods.error_discovery.result import Corrected
from engine.methods.error_discovery.settings import CorrectionSettings
from engine.runs.progress import Progress
from engine.subject.classifier import Classifier
from engine.subject.image_set import ImageSet, Role
from engine.subject.subject import Subject
from engine.toolkit.frozen import evaluating
from engine.toolkit.prediction import as_tensor, batches, predict
from engine.toolkit.seeding import seeded
from engine.toolkit.threads import as_many_as_help
from engine.toolkit.training import Batch, TrainingSettings, cross_entropy, optimizer_of, take_step
from engine.toolkit.turns import in_turn
from engine.toolkit.weights import saved

Pair = tuple[Tensor, Tensor]  # images (b, C, H, W) in [0, 1] and the answers (b,) that they must get


def corrected(
    subject: Subject, settings: CorrectionSettings, inputs: Mapping[str, Any], progress: Progress
) -> Corrected:
    """The classifier after an arm's training, on test and diagnosis, regions, held-out regions and fresh images.

    Inputs: `generator`, `errors`, `regions`, `tests`, `labels` and `search` (IdentificationSettings); `oracle` (Panel)
    and `testing` (TestSettings) where there are any. The subject stays as it is. ValueError in one sentence where no
    region was given a class, or the arm has nothing to learn from.
    """
    found = Found.of(subject, inputs)
    with as_many_as_help(subject.classifier, settings.batch_size):
        sets = sets_of(found, settings, progress.part(0, 0.4))
        lesson = lesson_of(found, sets, settings)
        classifier, loss = trained_on(found, lesson, settings, progress.part(0.4, 0.8))
        return judged(found, sets, lesson, classifier, loss, settings, progress.part(0.8, 1))


def trained_on(
    found: Found, lesson: Lesson, settings: CorrectionSettings, progress: Progress
) -> tuple[Classifier, np.ndarray]:
    """A copy of the subject's classifier after `steps` steps, and the loss of each (steps,) float32.

    That is CE(real) + weight * CE(generated), in batches of `batch_size` each, the real ones the same for all arms;
    without real images CE(generated). Both batches go through the network together, so that batch norms see the same
    mixture all along; on generated images alone, which would shift them, they are held still. Without generated images,
    and with weight 0, it is plain training. The learning rate falls to 0 as half a cosine.
    """
    classifier = deepcopy(found.subject.classifier)
    if settings.arm == "before":
        return classifier, np.zeros(0, dtype=np.float32)
    plan = TrainingSettings(batch_size=settings.batch_size, learning_rate=settings.learning_rate)
    optimizer = optimizer_of(classifier, plan)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=settings.steps)
    weight = 1.0 if settings.arm in ALONE else settings.weight
    real = real_batches(found.subject.images, lesson.real, classifier.device, settings)
    generated = generated_batches(found, lesson.generated, settings) if weight else iter(())
    losses = np.zeros(settings.steps, dtype=np.float32)
    classifier.train()
    with seeded(settings.order):
        for step in progress.steps(settings.steps, "correcting"):
            losses[step] = corrected_once(classifier, optimizer, step, next(real), next(generated, None), weight)
            schedule.step()
    return classifier.eval(), losses


def corrected_once(
    classifier: Classifier, optimizer: torch.optim.Optimizer, step: int, real: Pair, made: Pair | None, weight: float
) -> float:
    """Take one step on a batch of real images, which may be empty, and on one of generated ones; gives the loss."""

    def objective(network: Classifier, batch: Batch) -> Tensor:
        if made is None:
            return cross_entropy(network, batch)
        if not len(batch.labels):
            with evaluating(network):
                return F.cross_entropy(network(made[0]), made[1])
        on_real, on_made = network(torch.cat([batch.images, made[0]])).split([len(batch.labels), len(made[1])])
        return F.cross_entropy(on_real, batch.labels) + weight * F.cross_entropy(on_made, made[1])

    return float(take_step(classifier, optimizer, objective, Batch(step, torch.arange(len(real[1])), *real)))


def real_batches(
    images: ImageSet, real: np.ndarray, device: torch.device, settings: CorrectionSettings
) -> Iterator[Pair]:
    """A batch of real images for each step, in the order that `order` draws; empty ones where there are none."""
    size, labels = settings.batch_size, torch.from_numpy(images.labels)
    if not len(real):
        nothing = torch.zeros(0, device=device)
        yield from ((nothing, nothing) for _ in range(settings.steps))
        return
    rows = in_turn(real, settings.steps * size, np.random.default_rng([settings.order, 18]))
    for own, pixels in batches(images, rows, size):
        yield as_tensor(pixels, device), labels[torch.from_numpy(own)].to(device)


def generated_batches(found: Found, generated: Drawn, settings: CorrectionSettings) -> Iterator[Pair]:
    """A batch of generated images for each step, none where there is nothing generated."""
    if not len(generated.codes):
        return
    images = found.decoder.images(generated.codes, generated.labels)
    truth = torch.from_numpy(generated.truth).to(images.device)
    random = np.random.default_rng([settings.order, 19])
    rows = torch.from_numpy(in_turn(np.arange(len(truth)), settings.steps * settings.batch_size, random))
    for own in rows.split(settings.batch_size):
        yield images[own], truth[own]


def judged(
    found: Found,
    sets: Sets,
    lesson: Lesson,
    classifier: Classifier,
    loss: np.ndarray,
    settings: CorrectionSettings,
    progress: Progress,
) -> Corrected:
    """All answers of the classifier after the training."""
    images, generated = found.subject.images, [sets.region, sets.held, sets.fresh, sets.tuning]
    after = Decoder(found.generator, replace(found.subject, build=lambda _: classifier))
    right = [
        after.classified(each.codes, each.labels, progress.part(0.1 * place, 0.1 * place + 0.1)).predictions
        == each.truth
        for place, each in enumerate(generated)
    ]
    test, diagnosis = (images.labelled(role) for role in (Role.TEST, Role.DIAGNOSIS))
    on_test, on_diagnosis = (
        predict(classifier, images, own, progress.part(0.4 + 0.3 * place, 0.7 + 0.3 * place)).argmax(dim=1).numpy()
        for place, own in enumerate((test, diagnosis))
    )
    return Corrected(
        arm=settings.arm,
        weight=settings.weight,
        seed=settings.seed,
        order=settings.order,
        used=sets.division.used,
        held=sets.division.held,
        labels=lesson.labels,
        loss=loss,
        test_ids=images.ids[test],
        test_units=images.units()[test],
        test_labels=images.labels[test],
        test_predictions=on_test,
        diagnosis_labels=images.labels[diagnosis],
        diagnosis_predictions=on_diagnosis,
        region_right=right[0],
        region_of=sets.region.of,
        held_right=right[1],
        held_of=sets.held.of,
        fresh_right=right[2],
        fresh_units=sets.fresh.units,
        fresh_wrong=sets.fresh_wrong,
        tuning_right=right[3],
        tuning_wrong=sets.tuning_wrong,
        weights=saved(classifier.network) if settings.keep_weights else np.empty(0, np.uint8),
        notes=notes_on(found, sets),
    )


def notes_on(found: Found, sets: Sets) -> tuple[str, ...]:
    """What a person should know of the sets."""
    notes, division = [], sets.division
    if neither := len(division.target) - len(division.used) - len(division.held):
        notes.append(
            f"{neither} labelled regions are neither used nor held out: most of their errors are around seed images of "
            "held-out ones."
        )
    if not division.held:
        notes.append("No region is held out, so whether it helps where nobody labelled anything can't be told.")
    if not len(sets.fresh.codes):
        notes.append("No perturbation of a test image keeps its label beyond doubt, so there are no fresh images.")
    if found.panel is None:
        notes.append("Without an oracle, generated images are judged by the label of their region or of their seed.")
    return tuple(notes)
