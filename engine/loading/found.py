"""What the readers of the several formats find: the same few columns, whatever the files were."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from engine.subject.image_set import UNLABELLED, Skipped

SPLITS = {  # what data sets call their parts -> our word for it
    "train": "train",
    "training": "train",
    "val": "val",
    "valid": "val",
    "validation": "val",
    "test": "test",
    "testing": "test",
    "t10k": "test",
    "pool": "pool",
    "diagnosis": "diagnosis",
}


@dataclass(frozen=True, eq=False)
class Found:
    """N images as a format describes them, before classes are chosen, files opened and roles given.

    `names` (N,) str; `labels` (N,) int64, index into `classes`, -1 without a label; `splits` (N,) str, a value of
    SPLITS or "" where the data isn't split; `groups` (N,) str, "" for an image alone. `source` is the folder that
    holds the files `names`, or the pixels, uint8 (N, H, W) or (N, H, W, 3).
    """

    classes: tuple[str, ...]
    names: np.ndarray
    labels: np.ndarray
    splits: np.ndarray
    groups: np.ndarray
    source: Path | np.ndarray
    skipped: tuple[Skipped, ...] = ()
    remarks: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.names)

    def take(self, indices: np.ndarray) -> Found:
        """Only the images at these indices."""
        columns = {name: getattr(self, name)[indices] for name in ("names", "labels", "splits", "groups")}
        return replace(self, source=self.source if isinstance(self.source, Path) else self.source[indices], **columns)


def in_class_order(names: Sequence[str] | set[str]) -> tuple[str, ...]:
    """The class names sorted; by value where all are numbers, so that 10 follows 9 and not 1."""
    if all(re.fullmatch(r"-?[0-9]+", name) for name in names):
        return tuple(sorted(names, key=lambda name: (int(name), name)))
    return tuple(sorted(names))


def numbered_labels(texts: Sequence[str], classes: Sequence[str]) -> np.ndarray:
    """(N,) int64, the index of each text among the classes, -1 for an empty one."""
    order = {name: index for index, name in enumerate(classes)} | {"": UNLABELLED}
    return np.array([order[text] for text in texts], dtype=np.int64)


def texts(values: Sequence[str]) -> np.ndarray:
    """The values as a column (N,) str, also where there are none."""
    return np.array(values, dtype=np.str_)
