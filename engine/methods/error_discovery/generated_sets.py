"""The generated images that a correction learns from, and those that it is judged by."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from engine.methods.error_discovery.findings import Drawn, Found, together
from engine.methods.error_discovery.gaussians import drawn, fitted, is_full
from engine.methods.error_discovery.holding import Division, divided
from engine.methods.error_discovery.noise import moved
from engine.methods.error_discovery.settings import CorrectionSettings
from engine.runs.progress import Progress
from engine.subject.image_set import Role
from engine.toolkit.latest import Latest
from engine.toolkit.prediction import as_tensor, in_batches


@dataclass(frozen=True, eq=False)
class Sets:
    """What the runs of all arms with one seed share.

    `learned` the draws of used regions to train on, `region` new ones to judge by, `held` draws of held-out regions,
    `fresh` perturbed images of test and `tuning` of diagnosis, and of both what the classifier got wrong at first.
    """

    division: Division
    learned: Drawn
    region: Drawn
    held: Drawn
    fresh: Drawn
    fresh_wrong: np.ndarray
    tuning: Drawn
    tuning_wrong: np.ndarray


latest: Latest[Sets] = Latest()  # the arms of a seed come one after the other


def sets_of(found: Found, settings: CorrectionSettings, progress: Progress) -> Sets:
    """The sets of this seed, the same for all arms, weights and orders."""
    asked = (settings.seed, settings.per_region, settings.held_out, settings.fresh)
    return latest.of(f"{found.fingerprint} {asked}", lambda: made_sets(found, settings, progress))


def made_sets(found: Found, settings: CorrectionSettings, progress: Progress) -> Sets:
    """All of them, drawn and judged."""
    division = divided(found.labels, found.regions, found.errors, settings.held_out, settings.seed)
    region = new_draws(found, division, division.used, settings, 12)
    held = new_draws(found, division, division.held, settings, 13)
    fresh = perturbed(found, Role.TEST, settings, progress.part(0, 0.1))
    tuning = perturbed(found, Role.DIAGNOSIS, settings, progress.part(0.1, 0.2))
    fresh = found.judged(fresh, progress.part(0.2, 0.5))
    tuning = found.judged(tuning, progress.part(0.5, 0.8))
    return Sets(
        division=division,
        learned=draws_to_learn(found, division, settings),
        region=found.judged(region, progress.part(0.8, 0.85)),
        held=found.judged(held, progress.part(0.85, 0.9)),
        fresh=fresh,
        fresh_wrong=wrong(found, fresh, progress.part(0.9, 0.95)),
        tuning=tuning,
        tuning_wrong=wrong(found, tuning, progress.part(0.95, 1)),
    )


def wrong(found: Found, drawn: Drawn, progress: Progress) -> np.ndarray:
    """(n,) bool, what the classifier gets wrong before any correction."""
    return found.decoder.classified(drawn.codes, drawn.labels, progress).predictions != drawn.truth


def draws_to_learn(found: Found, division: Division, settings: CorrectionSettings) -> Drawn:
    """At most `per_region` draws of each used region with its class: those that were shown, if they can be seen."""
    parts = []
    for number in division.used:
        codes = shown_codes(found, number)
        if len(division.rows[number]) < found.regions.size[number]:
            codes = kept_codes(found, division, number, settings.per_region, [settings.seed, 14, number])
        parts.append(of_region(found, division, number, codes[: settings.per_region]))
    return together(parts, found.generator.codes.shape[1])


def shown_codes(found: Found, number: int) -> np.ndarray:
    """The fresh draws of a region that count and that nobody has excluded."""
    excluded = found.labels.excluded
    out = excluded[excluded[:, 0] == number, 1]
    kept = np.setdiff1d(np.flatnonzero(found.tests.kept[number]), out)
    return found.tests.codes[number][kept]


def kept_codes(found: Found, division: Division, number: int, count: int, seed: list[int]) -> np.ndarray:
    """At most `count` new draws of a region that keep its label, without what is around held-out seeds."""
    mean, covariance = found.regions.mean[number], found.regions.covariance[number]
    left = division.rows.get(number)
    if left is not None and len(left) < found.regions.size[number]:
        mean, covariance = fitted(found.errors.codes[left], is_full(covariance))
    random = np.random.default_rng(seed)
    codes = drawn(mean, covariance, found.testing.spread, max(count, found.testing.draws), random)
    labels = np.full(len(codes), found.regions.label[number])
    codes = codes[found.keeps_label(codes, labels, found.testing.agreement)]
    return codes[:count]


def new_draws(
    found: Found, division: Division, numbers: tuple[int, ...], settings: CorrectionSettings, stream: int
) -> Drawn:
    """`per_region` draws of each of these regions that nobody has seen yet."""
    parts = []
    for number in numbers:
        codes = kept_codes(found, division, number, settings.per_region, [settings.seed, stream, number])
        parts.append(of_region(found, division, number, codes))
    return together(parts, found.generator.codes.shape[1])


def of_region(found: Found, division: Division, number: int, codes: np.ndarray) -> Drawn:
    """Codes of one region, whose truth is the class that it was given."""
    count = len(codes)
    return Drawn(
        codes=codes,
        labels=np.full(count, found.regions.label[number], dtype=np.int64),
        truth=np.full(count, division.target[number], dtype=np.int64),
        of=np.full(count, number, dtype=np.int64),
        units=np.full(count, ""),
    )


def perturbed(found: Found, role: Role, settings: CorrectionSettings, progress: Progress) -> Drawn:
    """`fresh` perturbations of every labelled image of the role that keep its label, which is their truth."""
    images = found.subject.images
    own = images.labelled(role)
    codes = encoded(found, own, progress)
    labels = np.repeat(images.labels[own], settings.fresh)
    random = np.random.default_rng([settings.seed, 15 if role == Role.TEST else 16])
    spread, search = found.generator.spread, found.search
    codes, _ = moved(codes, spread, search.noise, search.scale, settings.fresh, random)
    units = np.repeat(images.units()[own], settings.fresh)
    all_of_them = Drawn(codes, labels, labels, np.full(len(codes), -1, dtype=np.int64), units)
    return all_of_them.take(np.flatnonzero(found.keeps_label(codes, labels, found.search.agreement)))


def encoded(found: Found, indices: np.ndarray, progress: Progress) -> np.ndarray:
    """(n, d) float32, the codes of the images at these indices."""
    classifier, images = found.subject.classifier, found.subject.images
    codes = np.zeros((len(indices), found.generator.codes.shape[1]), np.float32)

    def work(place: slice, part: np.ndarray, pixels: np.ndarray) -> None:
        codes[place] = found.decoder.encode(as_tensor(pixels, classifier.device), images.labels[part])

    in_batches(classifier, images, indices, work, progress, "encoding")
    return codes
