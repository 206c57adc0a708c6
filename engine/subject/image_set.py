"""Labelled images that may not fit in memory, with who they are, what they are for and who has seen them."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, field, replace
from enum import IntEnum, StrEnum
from functools import cached_property
from typing import Protocol

import numpy as np
from PIL import Image

from engine.subject.frame import Frame

UNLABELLED = -1


class Role(StrEnum):
    """What an image is for. `test` is only ever reported, never used to decide."""

    TRAIN = "train"
    POOL = "pool"
    DIAGNOSIS = "diagnosis"
    TEST = "test"


class Seen(IntEnum):
    """Whether the classifier trained on an image."""

    UNKNOWN = -1
    NO = 0
    YES = 1


class Pixels(Protocol):
    """Where images come from, one at a time; called from several threads at once."""

    @property
    def one_size(self) -> bool:
        """Whether all images have the same size."""

    def image(self, index: int) -> Image.Image:
        """The image at this index, decoded and upright."""

    def block(self, indices: np.ndarray, frame: Frame) -> np.ndarray | None:
        """Several at once, uint8 (n, channels, height, width), or None where they must be decoded one by one."""


@dataclass(frozen=True)
class Skipped:
    """A file that is not among the images, and why."""

    file_name: str
    reason: str


@dataclass(frozen=True, eq=False)
class ImageSet:
    """Images read by index, decoded when needed, and what is known of each; N images.

    `ids` (N,) str, hash of the content; `labels` (N,) int64, index into `classes`, -1 without a label; `names` (N,)
    str, relative file names; `roles` (N,) str of `Role`; `seen` (N,) int8 of `Seen`; `groups` (N,) str, images of
    one group (renderings of one scan, frames of one track) share a role, "" where an image stands alone.
    `skipped` and `remarks` are what a person should know of the loading.
    """

    name: str
    classes: tuple[str, ...]
    ids: np.ndarray
    labels: np.ndarray
    names: np.ndarray
    roles: np.ndarray
    seen: np.ndarray
    groups: np.ndarray
    pixels: Pixels = field(repr=False)
    frame: Frame
    skipped: tuple[Skipped, ...] = ()
    remarks: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for column in ("labels", "names", "roles", "seen", "groups"):
            if len(getattr(self, column)) != len(self.ids):
                raise ValueError(f"{column} has {len(getattr(self, column))} rows, ids has {len(self.ids)}")
        if len(self.labels) and self.labels.max() >= len(self.classes):
            raise ValueError(f"label {self.labels.max()} has no name; there are {len(self.classes)} classes")

    def __len__(self) -> int:
        return len(self.ids)

    @cached_property
    def fingerprint(self) -> str:
        """The same images, labels, roles and frame have the same one, wherever they came from."""
        digest = hashlib.sha256(repr((self.classes, self.frame)).encode())
        for column in (self.ids, self.roles, self.groups):
            digest.update("\n".join(column.tolist()).encode() + b"\0")
        digest.update(np.ascontiguousarray(self.labels, dtype=np.int64).tobytes())
        digest.update(np.ascontiguousarray(self.seen, dtype=np.int8).tobytes())
        return digest.hexdigest()[:16]

    @cached_property
    def position(self) -> dict[str, int]:
        """The index of each id."""
        return {sample_id: index for index, sample_id in enumerate(self.ids.tolist())}

    def indices(self, role: Role | str) -> np.ndarray:
        """The indices of the images with this role, in order; `all` gives every image."""
        return np.arange(len(self)) if role == "all" else np.flatnonzero(self.roles == str(role))

    def labelled(self, role: Role | str) -> np.ndarray:
        """The indices of the images with this role that have a label, in order."""
        own = self.indices(role)
        return own[self.labels[own] != UNLABELLED]

    def units(self) -> np.ndarray:
        """(N,) str, what counts as one independent observation: the group, or the image with its exact copies."""
        contents = np.array([sample_id.partition("~")[0] for sample_id in self.ids.tolist()], dtype=np.str_)
        return np.where(self.groups == "", contents, self.groups)

    def read(self, indices: Sequence[int] | np.ndarray, threads: Executor | None = None) -> np.ndarray:
        """The images at these indices in the set's frame, uint8 (n, channels, height, width)."""
        if (found := self.pixels.block(np.asarray(indices), self.frame)) is not None:
            return found
        out = np.empty((len(indices), self.frame.channels, self.frame.height, self.frame.width), np.uint8)

        def decode(place: int) -> None:
            out[place] = self.frame.fit(self.pixels.image(int(indices[place])))

        for _ in (threads.map if threads else map)(decode, range(len(indices))):
            pass
        return out

    def in_frame(self, frame: Frame) -> ImageSet:
        """The same images, handed out in another size or colour."""
        return self if frame == self.frame else replace(self, frame=frame)

    def take(self, indices: np.ndarray) -> ImageSet:
        """Only the images at these indices, in that order."""
        chosen = np.asarray(indices, dtype=np.int64)
        columns = {name: getattr(self, name)[chosen] for name in ("ids", "labels", "names", "roles", "seen", "groups")}
        return replace(self, pixels=Chosen(self.pixels, chosen), **columns)

    def with_classes(self, classes: Sequence[str]) -> ImageSet:
        """The same images with the classes in this order; every class that has images must be among them."""
        order = {name: index for index, name in enumerate(classes)}
        used = {self.classes[label] for label in np.unique(self.labels) if label != UNLABELLED}
        if missing := sorted(used - set(order)):
            raise ValueError(f"images of {', '.join(missing)} would lose their class")
        table = np.array([order.get(name, UNLABELLED) for name in self.classes] + [UNLABELLED], dtype=np.int64)
        return replace(self, classes=tuple(classes), labels=table[self.labels])


@dataclass(frozen=True, eq=False)
class Chosen:
    """Some of the images of another source."""

    source: Pixels
    indices: np.ndarray

    def image(self, index: int) -> Image.Image:
        """The image at this index of the choice."""
        return self.source.image(int(self.indices[index]))

    @property
    def one_size(self) -> bool:
        """Whether all images of the source have the same size."""
        return self.source.one_size

    def block(self, indices: np.ndarray, frame: Frame) -> np.ndarray | None:
        """Several at once, where the source can."""
        return self.source.block(self.indices[indices], frame)


@dataclass(frozen=True, eq=False)
class ArrayPixels:
    """Images that are in memory (or memory-mapped): uint8 (N, H, W) grey or (N, H, W, 3)."""

    array: np.ndarray
    one_size = True

    def image(self, index: int) -> Image.Image:
        """The image at this index."""
        return Image.fromarray(np.ascontiguousarray(self.array[index]))

    def block(self, indices: np.ndarray, frame: Frame) -> np.ndarray | None:
        """Several at once, uint8 (n, channels, height, width), where the frame is the array's own."""
        colour = self.array.ndim == 4
        own = (3 if colour else 1, *self.array.shape[1:3])
        if (frame.channels, frame.height, frame.width) != own or frame.crop_share < 1:
            return None
        chosen = self.array[indices]
        return np.ascontiguousarray(chosen.transpose(0, 3, 1, 2)) if colour else chosen[:, None]


def content_ids(contents: Sequence[bytes | memoryview]) -> np.ndarray:
    """An id for each content (n,) str: its SHA-256, with a number where the same content comes again."""
    return numbered([hashlib.sha256(content).hexdigest()[:16] for content in contents])


def numbered(hashes: Sequence[str]) -> np.ndarray:
    """The hashes (n,) str, the second of the same ones ending in ~2, the third in ~3."""
    count: dict[str, int] = {}
    ids = []
    for name in hashes:
        count[name] = count.get(name, 0) + 1
        ids.append(name if count[name] == 1 else f"{name}~{count[name]}")
    return np.array(ids, dtype=np.str_)
