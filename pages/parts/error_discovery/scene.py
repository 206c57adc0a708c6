"""What the page shows: a trained generator, and errors of one source in regions that were tried again."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from engine.methods.error_discovery.editing import Edit
from engine.methods.error_discovery.result import Errors, Generator, Regions, RegionTests
from engine.methods.error_discovery.settings import GeneratorSettings
from engine.runs.run import Input
from engine.subject.subject import Subject
from engine.workbench import Workbench

GENERATED, REAL = "generated", "real"


@dataclass(frozen=True)
class Made:
    """A subject and a generator of its images, by the settings and the run that trained it."""

    bench: Workbench
    subject: Subject
    settings: GeneratorSettings
    generator: Generator
    run_id: str

    def key(self, what: str) -> str:
        """A widget's name: with another generator it begins anew."""
        return f"{what} {self.run_id}"

    @property
    def input(self) -> dict[str, Input]:
        """The generator as a step's input."""
        return {"generator": Input(self.run_id, self.generator)}

    @property
    def classes(self) -> tuple[str, ...]:
        """The class names."""
        return self.subject.blueprint.classes

    def pixels(self, codes: np.ndarray, labels: np.ndarray) -> np.ndarray:
        """uint8 (n, C, H, W) of codes (n, d) with labels (n,), in the images' own frame."""
        from engine.methods.error_discovery.decoding import Decoder

        with self.bench.quick(self.subject) as quick:
            return Decoder(self.generator, quick).pixels(codes, labels)


@dataclass(frozen=True)
class Grouped:
    """Errors in regions as people left them after these `edits`; `about` is the run that gave them `at_first`.

    `errors` and `regions` are inputs of a step, for their fingerprints.
    """

    made: Made
    about: str
    errors: Input
    at_first: Regions
    regions: Input
    edits: tuple[Edit, ...]

    def key(self, what: str) -> str:
        """A widget's name: other regions begin anew."""
        return f"{what} {self.about}"

    @property
    def source(self) -> str:
        """`generated` or `real`."""
        return self.found.source

    @property
    def found(self) -> Errors:
        """The errors."""
        return self.errors.value

    @property
    def groups(self) -> Regions:
        """The regions, dead ones among them."""
        return self.regions.value

    @property
    def alive(self) -> np.ndarray:
        """(a,) int64, the numbers of the regions that count."""
        return np.flatnonzero(self.groups.alive)

    def title(self, region: int) -> str:
        """A region in a few words."""
        classes = self.made.classes
        return f"{region}: {classes[self.groups.label[region]]} → {classes[self.groups.prediction[region]]}"

    @property
    def inputs(self) -> dict[str, Input]:
        """Errors, regions and, for generated ones, the generator, as inputs of a step."""
        given = {"errors": self.errors, "regions": self.regions}
        return {**given, **self.made.input} if self.source == GENERATED else given


@dataclass(frozen=True)
class Tried(Grouped):
    """Regions that were tried again; `tests` as a step's input."""

    tests: Input

    @property
    def again(self) -> RegionTests:
        """What came of it."""
        return self.tests.value
