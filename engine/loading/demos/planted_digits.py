"""Planted digits: ten classes with three known faults in what the classifier is trained on.

One label has few samples, one only a narrow slice of its samples, and a few labels are wrong. A scan is drawn
several times in random poses and colours; it is never turned by more than a few degrees nor blurred.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np

from engine.loading.demos.drawing import Poses, enlarged, ink, on_paper
from engine.loading.demos.scans import cast, scans
from engine.subject.frame import Frame
from engine.subject.image_set import ArrayPixels, ImageSet, Role, Seen, content_ids

SIDE = 32  # pixels
COPIES = {Role.TRAIN: 6, Role.POOL: 6, Role.DIAGNOSIS: 4, Role.TEST: 4}  # drawings of each scan
WRONG_SHARE = 0.03  # of the labels in train, and of those in pool
FEW_SCANS = 42  # of the under-trained label, each drawn once
SLICE_SCANS, SLICE_COPIES = 12, 32  # of the over-fitted label: about as many images as any other label has
GRAIN = 10  # standard deviation of the noise, in grey levels
BATCH = 500  # images drawn at once, for the memory's sake

# (lowest, highest); size and shift in pixels, slant in pixels a pixel, turn in degrees
SIZE, SLANT, TURN, SHIFT = (16.0, 27.0), (-0.45, 0.45), (-5.0, 5.0), (-3.0, 3.0)
SLICE_SIZE, SLICE_SLANT = (16.0, 19.0), (0.25, 0.45)


@dataclass(frozen=True, eq=False)
class DigitsTruth:
    """What was planted; the arrays (N,) are in the order of the ImageSet.

    `under_trained` and `over_fitted` are labels; `labels` what each image shows; `wrong` whether its label in the
    ImageSet is another.
    """

    under_trained: int
    over_fitted: int
    labels: np.ndarray
    wrong: np.ndarray


@dataclass(frozen=True, eq=False)
class Plan:
    """What will be drawn; arrays (N,), colours (N, 3) in grey levels."""

    under_trained: int
    over_fitted: int
    roles: np.ndarray
    scans: np.ndarray
    copies: np.ndarray
    shown: np.ndarray
    labels: np.ndarray
    poses: Poses
    inks: np.ndarray
    papers: np.ndarray


def make_planted_digits(seed: int) -> ImageSet:
    """About 9,000 images (32 x 32, colour) of ten classes; another seed makes others throughout, and other faults.

    The drawings of a scan are one group. `digits_truth` tells what was planted.
    """
    made = plan(seed)
    images = drawn(made, np.random.default_rng([seed, 1]))
    rows = zip(made.roles, made.labels, made.scans, made.copies, strict=True)
    return ImageSet(
        name="planted digits" if seed == 0 else f"planted digits, seed {seed}",
        classes=tuple("0123456789"),
        ids=content_ids([image.data for image in images]),
        labels=made.labels,
        names=np.array([f"{role}/{label}/{scan:04d}_{copy:02d}.png" for role, label, scan, copy in rows]),
        roles=made.roles,
        seen=np.where(made.roles == Role.TRAIN, Seen.YES, Seen.NO).astype(np.int8),
        groups=np.array([f"scan {scan:04d}" for scan in made.scans]),
        pixels=ArrayPixels(images),
        frame=Frame(channels=3, height=SIDE, width=SIDE),
    )


def digits_truth(seed: int) -> DigitsTruth:
    """What `make_planted_digits` plants with this seed, without drawing anything."""
    made = plan(seed)
    return DigitsTruth(made.under_trained, made.over_fitted, made.shown, made.labels != made.shown)


def planted_labels(seed: int) -> tuple[int, int]:
    """The under-trained and the over-fitted label; over ten seeds in a row each label is once either."""
    under_trained = seed % 10
    return under_trained, (under_trained + 3 + seed // 10 % 7) % 10


@cache
def plan(seed: int) -> Plan:
    """Everything that chance decides but the noise in the pixels."""
    random = np.random.default_rng([seed, 0])
    under_trained, over_fitted = planted_labels(seed)
    _, digits = scans()
    chosen = {role: [(scan, COPIES[role]) for scan in found] for role, found in cast(digits, random).items()}
    chosen[Role.TRAIN] = faulty(chosen[Role.TRAIN], under_trained, over_fitted)
    rows = [
        (str(role), scan, copy) for role, found in chosen.items() for scan, copies in found for copy in range(copies)
    ]
    roles, scan, copies = (np.array(column) for column in zip(*rows, strict=True))
    shown = digits[scan]
    return Plan(
        under_trained,
        over_fitted,
        roles,
        scan,
        copies,
        shown,
        labels=mislabelled(shown, roles, random),
        poses=drawn_poses(narrow=(roles == Role.TRAIN) & (shown == over_fitted), random=random),
        inks=random.integers(150, 256, (len(rows), 3)),
        papers=random.integers(0, 100, (len(rows), 3)),
    )


def faulty(train: list[tuple[int, int]], under_trained: int, over_fitted: int) -> list[tuple[int, int]]:
    """The scans of train with their number of copies, thinned out for the two planted labels."""
    _, digits = scans()
    few = [(scan, 1) for scan, _ in train if digits[scan] == under_trained][:FEW_SCANS]
    alike = tightest(np.array([scan for scan, _ in train if digits[scan] == over_fitted]), SLICE_SCANS)
    rest = [(scan, copies) for scan, copies in train if digits[scan] not in (under_trained, over_fitted)]
    return [*rest, *few, *((scan, SLICE_COPIES) for scan in alike)]


def tightest(chosen: np.ndarray, count: int) -> np.ndarray:
    """Of these scans, the one whose nearest are nearest to it, with those: `count` that look alike."""
    ink_of, _ = scans()
    flat = ink_of[chosen].reshape(len(chosen), -1)
    distances = ((flat[:, None] - flat[None]) ** 2).sum(axis=2)
    centre = np.sort(distances, axis=1)[:, :count].sum(axis=1).argmin()
    return chosen[np.argsort(distances[centre], kind="stable")[:count]]


def mislabelled(shown: np.ndarray, roles: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """The labels (N,), of which `WRONG_SHARE` in train and in pool are exchanged with one another."""
    labels = shown.copy()
    for role in (Role.TRAIN, Role.POOL):
        own = np.flatnonzero(roles == role)
        victims = random.choice(own, round(WRONG_SHARE * len(own)), replace=False)
        labels[victims] = exchanged(shown[victims], random)
    return labels


def exchanged(labels: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """The labels in another order, in which none is what it was; none may make up more than half of them."""
    given = random.permutation(labels)
    while (same := np.flatnonzero(given == labels)).size:
        places = np.union1d(same, random.choice(len(labels), same.size))
        given[places] = given[random.permutation(places)]
    return given


def drawn_poses(narrow: np.ndarray, random: np.random.Generator) -> Poses:
    """A pose for each image, out of the slice where `narrow` (N,) says so."""
    count = len(narrow)
    size, slant = random.uniform(*SIZE, count), random.uniform(*SLANT, count)
    return Poses(
        size=np.where(narrow, random.uniform(*SLICE_SIZE, count), size),
        slant=np.where(narrow, random.uniform(*SLICE_SLANT, count), slant),
        turn=np.deg2rad(random.uniform(*TURN, count)),
        down=random.uniform(*SHIFT, count),
        right=random.uniform(*SHIFT, count),
    )


def drawn(made: Plan, noise: np.random.Generator) -> np.ndarray:
    """The planned images, uint8 (N, 32, 32, 3)."""
    fine = enlarged(scans()[0])
    images = np.empty((len(made.scans), SIDE, SIDE, 3), np.uint8)
    for start in range(0, len(images), BATCH):
        part = slice(start, start + BATCH)
        strokes = ink(fine[made.scans[part]], made.poses.part(part), SIDE)
        papers = made.papers[part, None, None].astype(float)
        images[part] = on_paper(papers, strokes, made.inks[part], GRAIN * noise.standard_normal((*strokes.shape, 3)))
    return images
