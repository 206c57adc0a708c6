"""Planted backgrounds: threes and eights on plates, before a background that gives the class away in training.

The plate is opaque and its colours say nothing, so that only the strokes tell the classes apart once the background
is another: swapped, of a colour never seen, or with the plate off the centre.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from functools import cache

import numpy as np

from engine.loading.demos.drawing import Poses, enlarged, ink, on_paper
from engine.loading.demos.scans import cast, scans
from engine.subject.frame import Frame
from engine.subject.image_set import ArrayPixels, ImageSet, Role, Seen, content_ids

SIDE = 32  # pixels
PLATE, DIGIT = 18, 16  # their sides, in pixels
COPIES = 3  # drawings of each scan
OWN = ("blue", "green")  # the background of each class in training
STRANGE = ("brown", "grey")  # those that come only in `test`, with either class
HUES = {"blue": (75, 100, 145), "green": (80, 130, 90), "brown": (140, 95, 55), "grey": (125, 125, 125)}
TINT = 18  # how far a background's colour may lie from its hue, in grey levels
CLOUDS, GRAIN = 18, 10  # standard deviations of the smooth and of the fine noise, in grey levels
CLOUD_SAMPLES = 5  # the smooth noise's, a side
NEAR, FAR = 2, 5  # how far the plate's centre may lie from the image's, and how far it must lie off the centre


class Part(StrEnum):
    """What of an image differs from training; all but those of `test` are unchanged."""

    UNCHANGED = "unchanged"
    SWAPPED = "swapped"
    UNSEEN = "unseen"
    OFF_CENTRE = "off_centre"


@dataclass(frozen=True, eq=False)
class BackgroundsTruth:
    """What was planted; in the order of the ImageSet.

    `parts` (N,) str of `Part`; `backgrounds` (N,) str, the background's hue; `plates` (N, 4) int64, the box around the
    plate as (top, left, bottom, right) in pixels, the last two exclusive.
    """

    parts: np.ndarray
    backgrounds: np.ndarray
    plates: np.ndarray


@dataclass(frozen=True, eq=False)
class Plan:
    """What will be drawn; arrays (N,) but for `centres` (N, 2), pixels down and right of the image's centre.

    `motifs` says which images have scan, plate, colours and noise in common; the parts of `test` repeat them.
    """

    roles: np.ndarray
    parts: np.ndarray
    scans: np.ndarray
    copies: np.ndarray
    labels: np.ndarray
    motifs: np.ndarray
    backgrounds: np.ndarray
    centres: np.ndarray


def make_planted_backgrounds(seed: int) -> ImageSet:
    """About 1,900 images (32 x 32, colour) of two classes, 3 and 8; another seed makes others throughout.

    The drawings of a scan are one group. Each drawing in `test` comes in all four parts, as
    `test/<part>/<digit>_<scan>_<copy>.png`, with the same plate and the same noise.
    """
    made = plan(seed)
    images = drawn(made, np.random.default_rng([seed, 3]))
    return ImageSet(
        name="planted backgrounds" if seed == 0 else f"planted backgrounds, seed {seed}",
        classes=("3", "8"),
        ids=content_ids([image.data for image in images]),
        labels=made.labels,
        names=np.array(file_names(made)),
        roles=made.roles,
        seen=np.where(made.roles == Role.TRAIN, Seen.YES, Seen.NO).astype(np.int8),
        groups=np.array([f"scan {scan:04d}" for scan in made.scans]),
        pixels=ArrayPixels(images),
        frame=Frame(channels=3, height=SIDE, width=SIDE),
    )


def backgrounds_truth(seed: int) -> BackgroundsTruth:
    """What `make_planted_backgrounds` plants with this seed, without drawing anything."""
    made = plan(seed)
    corners = made.centres + (SIDE - PLATE) // 2
    return BackgroundsTruth(made.parts, made.backgrounds, np.hstack([corners, corners + PLATE]))


def file_names(made: Plan) -> list[str]:
    """The images' names, those of `test` with their part."""
    rows = zip(made.roles, made.parts, made.labels, made.scans, made.copies, strict=True)
    return [
        f"{role}/{f'{part}/' if role == Role.TEST else ''}{'38'[label]}_{scan:04d}_{copy}.png"
        for role, part, label, scan, copy in rows
    ]


@cache
def plan(seed: int) -> Plan:
    """Which scan comes in which role and part, before what background and where."""
    random = np.random.default_rng([seed, 2])
    _, digits = scans()
    both = np.flatnonzero((digits == 3) | (digits == 8))
    rows = [
        (str(role), str(part), scan, copy)
        for role, found in cast(digits[both], random).items()
        for part in (Part if role == Role.TEST else (Part.UNCHANGED,))
        for scan in both[found]
        for copy in range(COPIES)
    ]
    roles, parts, scan, copies = (np.array(column) for column in zip(*rows, strict=True))
    labels = (digits[scan] == 8).astype(np.int64)
    motifs = np.unique(scan * COPIES + copies, return_inverse=True)[1]
    strange = np.array(STRANGE)[random.integers(len(STRANGE), size=motifs.max() + 1)][motifs]
    backgrounds = np.select(
        [parts == Part.UNCHANGED, parts == Part.SWAPPED], [np.array(OWN)[labels], np.array(OWN)[1 - labels]], strange
    )
    centres = np.where((parts == Part.OFF_CENTRE)[:, None], *places(motifs, random))
    return Plan(roles, parts, scan, copies, labels, motifs, backgrounds, centres)


def places(motifs: np.ndarray, random: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Where each motif lies off the centre and where in it, (N, 2) each, pixels down and right of the centre."""
    room = np.arange(-(SIDE - PLATE) // 2, (SIDE - PLATE) // 2 + 1)
    grid = np.stack(np.meshgrid(room, room, indexing="ij"), axis=-1).reshape(-1, 2)
    distance = np.abs(grid).max(axis=1)
    far, near = grid[distance >= FAR], grid[distance <= NEAR]
    count = motifs.max() + 1
    return far[random.integers(len(far), size=count)][motifs], near[random.integers(len(near), size=count)][motifs]


def drawn(made: Plan, random: np.random.Generator) -> np.ndarray:
    """The planned images, uint8 (N, 32, 32, 3)."""
    count = made.motifs.max() + 1
    inks, plates = random.integers(180, 256, (count, 3))[made.motifs], random.integers(0, 60, (count, 3))[made.motifs]
    tints = random.uniform(-TINT, TINT, (count, 3))[made.motifs]
    clouds = smooth(CLOUDS * random.standard_normal((count, CLOUD_SAMPLES, CLOUD_SAMPLES)))[made.motifs]
    grain = GRAIN * random.standard_normal((count, SIDE, SIDE, 3))
    hues = np.array([HUES[background] for background in made.backgrounds]) + tints
    on_plate = covered(made.centres)
    papers = np.where(on_plate[..., None], plates[:, None, None], hues[:, None, None] + clouds[..., None])
    flat = np.zeros(len(made.scans))
    poses = Poses(flat + DIGIT, flat, flat, made.centres[:, 0], made.centres[:, 1])
    strokes = ink(enlarged(scans()[0])[made.scans], poses, SIDE) * on_plate
    return on_paper(papers, strokes, inks, grain[made.motifs])


def covered(centres: np.ndarray) -> np.ndarray:
    """Which pixels the plates with these centres (N, 2) cover, bool (N, 32, 32)."""
    corners = centres + (SIDE - PLATE) // 2
    pixels = np.arange(SIDE)
    inside = (pixels >= corners[..., None]) & (pixels < corners[..., None] + PLATE)  # (N, 2, 32)
    return inside[:, 0, :, None] & inside[:, 1, None, :]


def smooth(rough: np.ndarray) -> np.ndarray:
    """Coarse noise (n, s, s) drawn out to (n, 32, 32) with straight lines between its samples."""
    from scipy.ndimage import zoom

    lines = zoom(np.eye(CLOUD_SAMPLES), (SIDE / CLOUD_SAMPLES, 1), order=1, grid_mode=True, mode="nearest")
    return lines @ rough @ lines.T
