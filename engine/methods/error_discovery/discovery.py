"""Everything that is known of regions, for the tables that tell of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from engine.methods.error_discovery.labelling import Event, LabelState
from engine.methods.error_discovery.result import Errors, Labels, Novelty, Regions, RegionTests
from engine.methods.error_discovery.settings import IdentificationSettings
from engine.subject.subject import Subject


@dataclass(frozen=True)
class Discovery:
    """Regions of errors with how they were found, tried again, and labelled.

    `labels` is the snapshot that is told, `state` the events behind it where a person labelled. `search` and
    `generator`, the fingerprint of the generator's run, are of generated errors only; `held` are regions that were held
    out of a correction, None where there was none. `run` names the run that gave the regions.
    """

    subject: Subject
    errors: Errors
    regions: Regions
    tests: RegionTests
    labels: Labels
    run: str
    state: LabelState = field(default_factory=LabelState)
    novelty: Novelty | None = None
    search: IdentificationSettings | None = None
    generator: str = ""
    held: frozenset[int] | None = None

    def living(self, chosen: Sequence[int] | None = None) -> list[int]:
        """The numbers of the regions that are alive, or of those chosen ones that are."""
        alive = np.flatnonzero(self.regions.alive).tolist()
        return alive if chosen is None else [number for number in alive if number in set(chosen)]

    def decision(self, region: int) -> tuple[str, int]:
        """The kind of decision and the label of a region; "" and -1 where it is undecided."""
        found = np.flatnonzero(self.labels.region == region)
        return (str(self.labels.kind[found[0]]), int(self.labels.label[found[0]])) if len(found) else ("", -1)

    def opinions(self, region: int) -> list[Event]:
        """What each person said of a region last."""
        return list(self.state.opinions.get(region, {}).values())

    def excluded(self, region: int) -> list[int]:
        """The numbers of a region's images that are left out."""
        pairs = self.labels.excluded
        return sorted(pairs[pairs[:, 0] == region, 1].tolist())

    def name(self, region: int) -> str:
        """What a region is of, such as "3 taken for 5"."""
        classes = self.subject.images.classes
        return f"{classes[self.regions.label[region]]} taken for {classes[self.regions.prediction[region]]}"
