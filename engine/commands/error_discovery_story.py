"""What `error-discovery` found with one subject."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from engine.methods.error_discovery.discovery import Discovery
from engine.methods.error_discovery.editing import Edit
from engine.methods.error_discovery.labelling import LabelState, labels_of
from engine.methods.error_discovery.result import Corrected, Errors, Labels, Novelty
from engine.runs.run import Input
from engine.subject.subject import Subject
from engine.toolkit.statistics import Rate, rate


@dataclass(frozen=True)
class Story:
    """What was found with one subject: `found` and `real` hold runs by name; `seconds` a stage took.

    `edits` is what was merged and split by hand; `singles` (m,) int64, the oracle's label of each error by itself, -1
    for none; None without an oracle.
    """

    subject: Subject
    seed: int
    found: dict[str, Input]
    novelty: Novelty
    real: dict[str, Input]
    seconds: dict[str, float]
    edits: tuple[Edit, ...] = ()
    labels: Labels | None = None
    singles: np.ndarray | None = None
    runs: list[Corrected] = field(default_factory=list)
    names: list[str] = field(default_factory=list)

    def value(self, name: str) -> Any:
        """What a stage of the generated errors gave."""
        return self.found[name].value

    def with_labels(self, labels: Labels, singles: np.ndarray | None = None) -> Story:
        """The same with the labels of its regions."""
        return replace(self, labels=labels, singles=singles)

    @property
    def readable(self) -> Rate:
        """The share of the errors that the oracle can read."""
        return rate(self.singles >= 0, self.value("errors").units) if self.singles is not None else nothing()

    @property
    def precision(self) -> Rate:
        """Of those, the share where the classifier is wrong."""
        if self.singles is None:
            return nothing()
        errors: Errors = self.value("errors")
        read = self.singles >= 0
        return rate((self.singles != errors.predictions)[read], errors.units[read])

    def discovery(self) -> Discovery:
        """The generated regions, for their tables."""
        held = frozenset(self.runs[0].held) if self.runs else None
        return Discovery(
            subject=self.subject,
            errors=self.value("errors"),
            regions=self.value("regions"),
            tests=self.value("tests"),
            labels=self.labels or labels_of({}, (), ""),
            run=self.found["regions"].fingerprint,
            state=LabelState(edits=self.edits),
            novelty=self.novelty,
            search=self.value("search"),
            generator=self.found["generator"].fingerprint,
            held=held,
        )

    def real_discovery(self) -> Discovery:
        """The regions of real errors, for their table."""
        return Discovery(
            subject=self.subject,
            errors=self.real["errors"].value,
            regions=self.real["regions"].value,
            tests=self.real["tests"].value,
            labels=labels_of({}, (), ""),
            run=self.real["regions"].fingerprint,
        )


def nothing() -> Rate:
    """The rate of no images."""
    return rate(np.zeros(0, dtype=bool), np.zeros(0))
