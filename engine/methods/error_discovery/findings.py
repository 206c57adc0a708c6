"""What a correction builds on, and drawn codes with the answers that they must get."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np

from engine.methods.error_discovery.decoding import Decoder
from engine.methods.error_discovery.neighbours import Neighbours
from engine.methods.error_discovery.oracle import ABSTAINED, Panel, decoded_labels
from engine.methods.error_discovery.result import Errors, Generator, Labels, Regions, RegionTests
from engine.methods.error_discovery.search import neighbours_of
from engine.methods.error_discovery.settings import IdentificationSettings, TestSettings
from engine.runs.encoding import content_fingerprint
from engine.runs.progress import Progress
from engine.subject.subject import Subject


@dataclass(frozen=True, eq=False)
class Drawn:
    """Codes (n, d) with the `labels` (n,) that the generator is given and the `truth` (n,) that an answer must have.

    `of` (n,) int64, the region that each was drawn from, -1 where from none; `units` (n,) str, the seed's.
    """

    codes: np.ndarray
    labels: np.ndarray
    truth: np.ndarray
    of: np.ndarray
    units: np.ndarray

    def take(self, rows: np.ndarray) -> Drawn:
        """Only these rows."""
        return Drawn(self.codes[rows], self.labels[rows], self.truth[rows], self.of[rows], self.units[rows])


@dataclass(frozen=True, eq=False)
class Found:
    """What a correction builds on, together with what it is asked with."""

    subject: Subject
    generator: Generator
    errors: Errors
    regions: Regions
    tests: RegionTests
    labels: Labels
    search: IdentificationSettings
    testing: TestSettings
    panel: Panel | None
    decoder: Decoder
    neighbours: Neighbours

    @classmethod
    def of(cls, subject: Subject, inputs: Mapping[str, Any]) -> Found:
        """From the inputs of the step; `oracle` and `testing` may be left out."""
        generator, search = inputs["generator"], inputs["search"]
        return cls(
            subject=subject,
            generator=generator,
            errors=inputs["errors"],
            regions=inputs["regions"],
            tests=inputs["tests"],
            labels=inputs["labels"],
            search=search,
            testing=inputs.get("testing") or TestSettings(),
            panel=inputs.get("oracle"),
            decoder=Decoder(generator, subject),
            neighbours=neighbours_of(generator, search.neighbours),
        )

    @property
    def fingerprint(self) -> str:
        """The same findings have the same one."""
        said = (self.generator, self.errors, self.regions, self.tests, self.labels, self.search, self.testing)
        panel = self.panel.fingerprint if self.panel else ""
        return f"{self.subject.fingerprint} {' '.join(content_fingerprint(each) for each in said)} {panel}"

    def keeps_label(self, codes: np.ndarray, labels: np.ndarray, least: float) -> np.ndarray:
        """(n,) bool: whether the neighbours of codes (n, d) agree on the labels (n,) to the share `least`.

        And whether they lie near real images, where the search wants that.
        """
        agreement, distance = self.neighbours.judged(codes, labels)
        agreed = agreement >= least
        return agreed & (distance <= self.neighbours.usual) if self.search.manifold else agreed

    def judged(self, drawn: Drawn, progress: Progress) -> Drawn:
        """With the oracle's label as the truth, without what it can't read; as it is where there is no oracle."""
        if self.panel is None or not len(drawn.codes):
            return drawn
        seen = decoded_labels(drawn.codes, drawn.labels, self.decoder, self.panel, progress)
        return replace(drawn, truth=seen).take(np.flatnonzero(seen != ABSTAINED))


def together(parts: Sequence[Drawn], dimensions: int) -> Drawn:
    """All parts in one, which may be empty; codes of so many dimensions."""
    none = np.zeros(0, dtype=np.int64)
    empty = Drawn(np.zeros((0, dimensions), np.float32), none, none, none, none.astype(np.str_))
    names = [field.name for field in fields(Drawn)]
    return Drawn(*(np.concatenate([getattr(each, name) for each in (empty, *parts)]) for name in names))
