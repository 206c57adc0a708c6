"""Planted backgrounds with more than two classes, made as the built-in ones are: digits on plates, a hue for each."""

from __future__ import annotations

import colorsys
from itertools import product

import numpy as np

from engine.loading.checkpoints import drawn
from engine.loading.demos.drawing import Poses, enlarged, ink, on_paper
from engine.loading.demos.planted_backgrounds import (
    CLOUD_SAMPLES,
    CLOUDS,
    COPIES,
    DIGIT,
    GRAIN,
    NEAR,
    SIDE,
    TINT,
    Part,
    covered,
    smooth,
)
from engine.loading.demos.scans import cast, scans
from engine.subject.blueprint import Blueprint
from engine.subject.frame import Frame
from engine.subject.image_set import ArrayPixels, ImageSet, Role, Seen, content_ids
from engine.subject.preprocessing import Preprocessing
from engine.subject.subject import Subject, joined

LIGHTNESS, SATURATION = 0.45, 0.35  # of the hues, as dull as the built-in ones
HALF = 0.5


def planted_classes(classes: int, seed: int) -> ImageSet:
    """The digits from 0 on, `classes` of them; in train each before its hue, in test before its own or another's.

    As `test/unchanged/` and `test/swapped/`, with the same plate and the same noise.
    """
    random = np.random.default_rng([seed, 6])
    _, digits = scans()
    own = np.flatnonzero(digits < classes)
    rows = [
        (str(role), str(part), int(scan), copy)
        for role, found in cast(digits[own], random).items()
        for part in ((Part.UNCHANGED, Part.SWAPPED) if role == Role.TEST else (Part.UNCHANGED,))
        for scan, copy in product(own[found], range(COPIES))
    ]
    roles, parts, scan, copies = (np.array(column) for column in zip(*rows, strict=True))
    labels = digits[scan].astype(np.int64)
    motifs = np.unique(scan * COPIES + copies, return_inverse=True)[1]
    others = random.integers(1, classes, motifs.max() + 1)[motifs]
    hues = np.where(parts == Part.SWAPPED, (labels + others) % classes, labels)
    images = pictures(scan, motifs, np.array([hue(place, classes) for place in range(classes)])[hues], random)
    names = [
        f"{role}/{part}/{label}_{one:04d}_{copy}.png"
        for role, part, label, one, copy in zip(roles, parts, labels, scan, copies, strict=True)
    ]
    return ImageSet(
        name=f"{classes} planted backgrounds",
        classes=tuple(str(digit) for digit in range(classes)),
        ids=content_ids([image.data for image in images]),
        labels=labels,
        names=np.array(names),
        roles=roles,
        seen=np.full(len(roles), Seen.NO, np.int8),
        groups=np.array([f"scan {each:04d}" for each in scan]),
        pixels=ArrayPixels(images),
        frame=Frame(3, SIDE, SIDE),
    )


def pictures(scan: np.ndarray, motifs: np.ndarray, hues: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """The images (N, 32, 32, 3) of scans before these hues (N, 3), drawn as the built-in ones."""
    count = motifs.max() + 1
    centres = random.integers(-NEAR, NEAR + 1, (count, 2))[motifs]
    inks, plates = random.integers(180, 256, (count, 3))[motifs], random.integers(0, 60, (count, 3))[motifs]
    tints = random.uniform(-TINT, TINT, (count, 3))[motifs]
    clouds = smooth(CLOUDS * random.standard_normal((count, CLOUD_SAMPLES, CLOUD_SAMPLES)))[motifs]
    grain = GRAIN * random.standard_normal((count, SIDE, SIDE, 3))
    on_plate = covered(centres)
    around = (hues + tints)[:, None, None] + clouds[..., None]
    flat = np.zeros(len(scan))
    poses = Poses(flat + DIGIT, flat, flat, centres[:, 0], centres[:, 1])
    papers = np.where(on_plate[..., None], plates[:, None, None], around)
    return on_paper(papers, ink(enlarged(scans()[0])[scan], poses, SIDE) * on_plate, inks, grain[motifs])


def hue(place: int, classes: int) -> tuple[float, float, float]:
    """The colour of a class's background, in grey levels; they lie evenly round the wheel."""
    red, green, blue = colorsys.hls_to_rgb(place / classes, LIGHTNESS, SATURATION)
    return 255 * red, 255 * green, 255 * blue


def subject_of(images: ImageSet, architecture: str = "plate_cnn") -> Subject:
    """The images with a network that has not been trained."""
    frame = images.frame
    preprocessing = Preprocessing(3, frame.height, frame.width, (HALF,) * 3, (HALF / 2,) * 3)
    outputs = len(images.classes)
    blueprint = Blueprint("planted classes", architecture, outputs, 3, images.classes, preprocessing, "untrained")
    return joined(blueprint, images, lambda known: drawn(known, 0), draw=drawn)
