"""Which images of the pool may be chosen, and which of them are near copies of each other."""

from __future__ import annotations

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


def candidates(taps: Taps, issues: LabelIssues, settings: SelectionSettings) -> Candidates:
    """The labelled pool without images that are excluded or seen and, where asked for, without likely wrong labels.

    ValueError in one sentence where nothing is left.
    """
    role = taps.role(Role.POOL.value)
    if role is None or not len(role.ids):
        raise ValueError(NO_POOL)
    labelled = role.labels != UNLABELLED
    if not labelled.any():
        raise ValueError(NO_LABELS)
    issue = np.isin(role.ids, issues.ids[issues.issue])
    free = labelled & (role.seen != Seen.YES) & ~np.isin(role.ids, np.array(settings.excluded, dtype=np.str_))
    if settings.filtered:
        free &= ~issue
    if not free.any():
        raise ValueError(
            "every image of the pool is excluded, chosen or trained on already, or likely has a wrong label"
        )
    return Candidates(role, free, issue)


class Choice:
    """Takes rows of the pool one after the other; with `diverse`, none that is a near copy of one taken before."""

    def __init__(self, role: TappedRole, diverse: bool) -> None:
        self.taken: list[int] = []
        self.role, self.diverse = role, diverse
        self.units: dict[str, int] = {}
        self.directions = directions(role) if diverse else np.empty((0, 0))

    def take(self, rows: np.ndarray, wanted: int) -> list[int]:
        """The places in `rows`, in their order, of the first `wanted` that may be taken; they are then taken."""
        found: list[int] = []
        for place, row in enumerate(rows.tolist()):
            if len(found) == wanted:
                break
            if self.diverse and self.is_copy(row):
                continue
            found.append(place)
            self.taken.append(row)
            unit = str(self.role.units[row])
            self.units[unit] = self.units.get(unit, 0) + 1
        return found

    def is_copy(self, row: int) -> bool:
        """Whether two of its unit, or one that looks the same to the last tap, are taken already."""
        if self.units.get(str(self.role.units[row]), 0) >= MOST_OF_UNIT:
            return True
        return bool(self.taken) and float((self.directions[self.taken] @ self.directions[row]).max()) > COPY


def directions(role: TappedRole) -> np.ndarray:
    """(n, F) the last tap's features, standardised over the role and at length 1."""
    features = role.features[-1].astype(np.float64)
    scale = features.std(axis=0)
    standard = (features - features.mean(axis=0)) / np.where(scale > 0, scale, 1)
    length = np.linalg.norm(standard, axis=1, keepdims=True)
    return standard / np.where(length > 0, length, 1)
