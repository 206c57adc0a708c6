"""Which images of the pool may be chosen, and which of them are near copies of each other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from engine.methods.input_selection.result import LabelIssues, TappedRole, Taps
from engine.methods.input_selection.settings import SelectionSettings
from engine.subject.image_set import UNLABELLED, Role, Seen

COPY = 0.98  # the cosine between the last tap's standardised features of two images beyond which they are one
MOST_OF_UNIT = 2
NO_POOL = (
    "no image has the role 'pool', so there is nothing to choose from; load images that could be added to the training "
    "and give them that role"
)
NO_LABELS = "no image of the pool has a label, and nothing can be trained on images without; label some first"


class Exhausted(ValueError):
    """There is a labelled pool, and nothing of it is left to choose from."""


@dataclass(frozen=True)
class Candidates:
    """The pool's images (n,), `open` (n,) bool to the choice, and which labels are likely wrong, `issue` (n,) bool."""

    role: TappedRole
    open: np.ndarray
    issue: np.ndarray

    def rows(self, labels: tuple[int, ...]) -> np.ndarray:
        """The rows open to the choice that have one of these labels."""
        return np.flatnonzero(self.open & np.isin(self.role.labels, labels))

    def other_rows(self, labels: tuple[int, ...]) -> np.ndarray:
        """The rows open to the choice that have none of these labels."""
        return np.flatnonzero(self.open & ~np.isin(self.role.labels, labels))


def candidates(taps: Taps, issues: LabelIssues, settings: SelectionSettings, before: Sequence[str] = ()) -> Candidates:
    """The labelled pool without images that are excluded or seen and, where asked for, without likely wrong labels.

    Nor are the ids `before` candidates, which were chosen in earlier rounds. ValueError in one sentence where there is
    no labelled pool, Exhausted where nothing of it is left.
    """
    role = taps.role(Role.POOL.value)
    if role is None or not len(role.ids):
        raise ValueError(NO_POOL)
    labelled = role.labels != UNLABELLED
    if not labelled.any():
        raise ValueError(NO_LABELS)
    issue = np.isin(role.ids, issues.ids[issues.issue])
    gone = np.isin(role.ids, np.array([*settings.excluded, *before], dtype=np.str_))
    free = labelled & (role.seen != Seen.YES) & ~gone
    if settings.filtered:
        free &= ~issue
    if not free.any():
        raise Exhausted(
            "every image of the pool is excluded, chosen or trained on already, or likely has a wrong label"
        )
    return Candidates(role, free, issue)


class Choice:
    """Takes rows of the pool one after the other, none twice.

    With `diverse`, none that is a near copy of one taken before, be it by this choice or of the ids `before`.
    """

    def __init__(self, role: TappedRole, diverse: bool, before: Sequence[str] = ()) -> None:
        self.role, self.diverse = role, diverse
        self.directions = directions(role) if diverse else np.empty((0, 0))
        self.taken: list[int] = []
        self.kept_from: list[int] = []
        self.units: dict[str, int] = {}
        for row in np.flatnonzero(np.isin(role.ids, np.array(before, dtype=np.str_))).tolist():
            self.keep_from(row)

    def take(self, rows: np.ndarray, wanted: int) -> list[int]:
        """The places in `rows`, in their order, of the first `wanted` that may be taken; they are then taken."""
        found: list[int] = []
        gone = set(self.taken)
        for place, row in enumerate(rows.tolist()):
            if len(found) == wanted:
                break
            if row in gone or (self.diverse and self.is_copy(row)):
                continue
            found.append(place)
            self.taken.append(row)
            self.keep_from(row)
        return found

    def keep_from(self, row: int) -> None:
        """Near copies of this row are not to be taken."""
        self.kept_from.append(row)
        unit = str(self.role.units[row])
        self.units[unit] = self.units.get(unit, 0) + 1

    def is_copy(self, row: int) -> bool:
        """Whether two of its unit, or one that looks the same to the last tap, are taken already."""
        if self.units.get(str(self.role.units[row]), 0) >= MOST_OF_UNIT:
            return True
        near = self.directions[self.kept_from] @ self.directions[row]
        return bool(len(near)) and float(near.max()) > COPY


def directions(role: TappedRole) -> np.ndarray:
    """(n, F) the last tap's features, standardised over the role and at length 1."""
    features = role.features[-1].astype(np.float64)
    scale = features.std(axis=0)
    standard = (features - features.mean(axis=0)) / np.where(scale > 0, scale, 1)
    length = np.linalg.norm(standard, axis=1, keepdims=True)
    return standard / np.where(length > 0, length, 1)
