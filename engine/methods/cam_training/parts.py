"""The kinds of images that trainings are compared on: as they are, with other backgrounds, with the object elsewhere.

They are those of one role, `test` or `diagnosis`. Where a folder of them is called `unchanged`, `swapped`, `unseen` or
`off_centre`, what is in it is that part; what is in none of these is unchanged where no folder is called so. Where none
is called `swapped`, the three others are pasted together from the unchanged images and their masks. They are the same
for every arm and seed.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from pathlib import PurePosixPath

import numpy as np

from engine.methods.cam_training.evidence import PARTS
from engine.methods.cam_training.looking import Lookout, label_cams
from engine.methods.cam_training.masks import without_mask
from engine.methods.cam_training.pasting import (
    OBJECT,
    laid_over,
    off_centre,
    pasted,
    room,
    strange_backgrounds,
    swapped_with,
)
from engine.methods.cam_training.result import PartOutcome
from engine.methods.cam_training.training_images import Masking
from engine.runs.progress import Progress
from engine.subject.classifier import Classifier
from engine.subject.frame import Frame
from engine.subject.image_set import UNLABELLED, ArrayPixels, ImageSet, Role
from engine.toolkit.prediction import pools, predict

UNCHANGED, SWAPPED, UNSEEN, OFF_CENTRE = PARTS
MOST = 2000  # images of a part
MADE_BYTES = 1 << 26  # of the images of a part that is pasted together
SHOWN = 12  # images of a part with their maps


@dataclass(frozen=True, eq=False)
class Part:
    """Images of one kind and role; `made`: they were pasted.

    `ids` (n,) str are those of the objects' images, in the order of the images.
    """

    name: str
    role: str
    made: bool
    ids: np.ndarray
    images: ImageSet


def parts_of(images: ImageSet, masking: Masking, progress: Progress, report: str = Role.TEST.value) -> tuple[Part, ...]:
    """The parts that images of a role have or that can be made of them, each of at most 2,000 by the hash of its id.

    Of diagnosis where there are no labelled `test` images; none where there are none of these either.
    """
    named = named_parts(images, reported(images, report))
    twins = twins_of(images, named[UNCHANGED]) if UNCHANGED in named else {}
    found = {
        name: found_part(images, name, indices, {} if name == UNCHANGED else twins) for name, indices in named.items()
    }
    if UNCHANGED in found and SWAPPED not in found:
        found = {part.name: part for part in made_parts(found[UNCHANGED], masking, progress)} | found
    return tuple(found[name] for name in PARTS if name in found)


def reported(images: ImageSet, report: str) -> np.ndarray:
    """The indices of the labelled images of a role, of those of diagnosis where there are none of `test`."""
    has_label = images.labels != UNLABELLED
    own = np.flatnonzero(has_label & (images.roles == report))
    return own if len(own) else np.flatnonzero(has_label & (images.roles == Role.DIAGNOSIS))


def named_parts(images: ImageSet, own: np.ndarray) -> dict[str, np.ndarray]:
    """The images at these indices by the part that a folder of theirs is called like.

    Those in no such folder are the unchanged ones, unless a folder is called so.
    """
    names = np.array([part_in(images.names[index]) for index in own], dtype=np.str_)
    if not (names == UNCHANGED).any():
        names = np.where(names == "", UNCHANGED, names)
    return {name: own[names == name] for name in PARTS if (names == name).any()}


def part_in(file_name: str) -> str:
    """The part whose name a folder on the file's path has, "" without one."""
    return next((folder for folder in PurePosixPath(file_name).parts[:-1] if folder in PARTS), "")


def twins_of(images: ImageSet, unchanged: np.ndarray) -> dict[str, str]:
    """The id of each unchanged image by its file name without the part's folder: another part's twin has the same."""
    return {elsewhere(images.names[index]): images.ids[index] for index in unchanged}


def elsewhere(file_name: str) -> str:
    """The file name without the folder that is called like a part."""
    folders = PurePosixPath(file_name).parts
    part = part_in(file_name)
    return "/".join(folder for folder in folders if folder != part) if part else file_name


def found_part(images: ImageSet, name: str, indices: np.ndarray, twins: dict[str, str]) -> Part:
    """A part of images as they are; one that has an unchanged twin goes by its id."""
    own = [twins.get(elsewhere(images.names[index]), images.ids[index]) for index in indices]
    ids = np.array(own, dtype=np.str_)
    order = np.argsort(ids, kind="stable")[:MOST]
    return Part(name, str(images.roles[indices[0]]), False, ids[order], images.take(indices[order]))


def made_parts(unchanged: Part, masking: Masking, progress: Progress) -> list[Part]:
    """The unchanged images' objects on backgrounds of other classes and of none, and off the centre."""
    source = some(unchanged, maskable(unchanged, masking, progress))
    if not len(source.ids):
        return []
    frame, ids = source.images.frame, source.images.ids
    pixels = source.images.read(np.arange(len(ids)), pools()[0])
    forbidden = masking.over(ids, frame.height, frame.width)
    inside = np.broadcast_to(1 - forbidden, (len(ids), frame.height, frame.width))
    generator = seeded_by(source.ids)
    found = []
    if len(np.unique(source.images.labels)) > 1:
        behind = swapped_with(source.images.labels, generator)
        found.append(made(SWAPPED, source, pasted(pixels, inside, pixels[behind], inside[behind])))
    strange = strange_backgrounds(len(ids), frame.channels, frame.height, frame.width, generator)
    found.append(made(UNSEEN, source, laid_over(pixels, inside, strange)))
    movable = np.flatnonzero(has_room(inside > OBJECT))
    if len(movable):
        moved = off_centre(pixels[movable], inside[movable], generator)
        found.append(made(OFF_CENTRE, some(source, movable), moved))
    return found


def maskable(unchanged: Part, masking: Masking, progress: Progress) -> np.ndarray:
    """The rows of the images whose object is known, as many as may be pasted in memory."""
    images, rows = unchanged.images, np.arange(len(unchanged.ids))
    if masking.settings.shape == "each" and masking.image_masks is not None:
        rows = np.flatnonzero(~without_mask(images.ids, masking.image_masks))
        if missing := len(unchanged.ids) - len(rows):
            progress.note(
                f"{missing:,} {unchanged.role} images have no mask of their own, so nothing is pasted from them"
            )
    frame = images.frame
    return rows[: max(1, MADE_BYTES // (frame.channels * frame.height * frame.width))]


def some(part: Part, rows: np.ndarray) -> Part:
    """Some of a part's images."""
    return replace(part, ids=part.ids[rows], images=part.images.take(rows))


def made(name: str, source: Part, pixels: np.ndarray) -> Part:
    """The source's images with other pixels, uint8 (n, C, H, W), as a part of this name."""
    return Part(name, source.role, True, source.ids, with_pixels(source.images, pixels))


def with_pixels(images: ImageSet, pixels: np.ndarray) -> ImageSet:
    """The images with other pixels, uint8 (n, C, H, W)."""
    channels, height, width = pixels.shape[1:]
    array = pixels[:, 0] if channels == 1 else np.ascontiguousarray(pixels.transpose(0, 2, 3, 1))
    return replace(images, pixels=ArrayPixels(array), frame=Frame(channels, height, width))


def has_room(objects: np.ndarray) -> np.ndarray:
    """(n,) bool, which objects (n, H, W) leave room to move in."""
    above, below = room(np.any(objects, axis=2))
    left, beside = room(np.any(objects, axis=1))
    return above + below + left + beside > 0


def seeded_by(ids: np.ndarray) -> np.random.Generator:
    """A generator that hangs on the images alone."""
    digest = hashlib.sha256("\n".join(ids.tolist()).encode()).digest()
    return np.random.default_rng(int.from_bytes(digest[:8], "little"))


def outcome(part: Part, classifier: Classifier, place: Lookout, progress: Progress) -> PartOutcome:
    """What a classifier answers to a part, with the maps of the first few images."""
    everyone = np.arange(len(part.ids))
    few = everyone[:SHOWN]
    predictions = predict(classifier, part.images, everyone, progress, f"classifying {part.name} images").argmax(dim=1)
    return PartOutcome(
        name=part.name,
        role=part.role,
        made=part.made,
        ids=part.ids,
        labels=part.images.labels,
        predictions=predictions.numpy(),
        units=part.images.units(),
        looks=label_cams(classifier, place, part.images, few, part.ids[few]),
        pictures=part.images.read(few),
    )
