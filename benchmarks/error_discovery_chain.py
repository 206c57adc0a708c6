"""The whole chain of error discovery on one subject, for the benchmarks."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from engine.methods.error_discovery.correction import corrected
from engine.methods.error_discovery.decoding import Decoder
from engine.methods.error_discovery.distillation import distilled
from engine.methods.error_discovery.generating import trained_generator
from engine.methods.error_discovery.identification import identified
from engine.methods.error_discovery.oracle import Panel, annotated, single_labels
from engine.methods.error_discovery.region_tests import tested
from engine.methods.error_discovery.result import Corrected, Generator
from engine.methods.error_discovery.settings import (
    ARMS,
    CorrectionSettings,
    DistillationSettings,
    GeneratorSettings,
    IdentificationSettings,
    TestSettings,
)
from engine.runs.progress import Progress
from engine.subject.subject import Subject

WEIGHTLESS = {"before": 0.0, "continued": 0.0, "identified": 1.0}


@dataclass(frozen=True)
class Stages:
    """The settings of every stage."""

    generator: GeneratorSettings = field(default_factory=GeneratorSettings)
    search: IdentificationSettings = field(default_factory=IdentificationSettings)
    grouping: DistillationSettings = field(default_factory=DistillationSettings)
    testing: TestSettings = field(default_factory=TestSettings)
    correction: CorrectionSettings = field(default_factory=CorrectionSettings)

    def of(self, seed: int) -> Stages:
        """The same with this seed in every stage."""
        return Stages(
            replace(self.generator, seed=seed),
            replace(self.search, seed=seed),
            replace(self.grouping, seed=seed),
            replace(self.testing, seed=seed),
            replace(self.correction, seed=seed, order=seed),
        )


@dataclass(frozen=True)
class Chain:
    """What was found on a subject: the inputs of a correction, figures in plain numbers, seconds of each stage."""

    subject: Subject
    stages: Stages
    inputs: dict[str, Any]
    figures: dict[str, float]
    seconds: dict[str, float]


class Watch:
    """Seconds by name."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self.last = time.perf_counter()

    def lap(self, name: str) -> None:
        """What has gone since the last lap is this one's."""
        now = time.perf_counter()
        self.seconds[name], self.last = now - self.last, now


def discovered(subject: Subject, stages: Stages, panel: Panel, generator: Generator | None = None) -> Chain:
    """Everything up to the oracle's labels; a generator that was trained already may be given."""
    watch, silent = Watch(), Progress()
    generator = generator or trained_generator(subject, stages.generator, silent)
    watch.lap("generator")
    errors = identified(subject, stages.search, generator, silent)
    watch.lap("search")
    regions = distilled(errors, stages.grouping, silent)
    watch.lap("regions")
    tests = tested(subject, stages.testing, errors, regions, generator, silent)
    watch.lap("tests")
    decoder = Decoder(generator, subject)
    labels, seen = annotated(regions, tests, decoder, panel), single_labels(errors, decoder, panel)
    watch.lap("labelling")
    read = seen >= 0
    figures = {
        "real": generator.gate_real.value,
        "reconstructed": generator.gate_reconstructed.value,
        "identified": float(len(seen)),
        "readable": float(read.mean()),
        "precision": float((seen != errors.predictions)[read].mean()),
        "regions": float(regions.alive.sum()),
        "reproduced": float(tests.reproduced.sum()),
        "errors": float((labels.kind == "class").sum()),
        "model_right": float((labels.kind == "model_right").sum()),
        "mixed": float((labels.kind == "mixed").sum()),
        "unreadable": float((labels.kind == "unreadable").sum()),
    }
    inputs = {
        "generator": generator,
        "errors": errors,
        "regions": regions,
        "tests": tests,
        "labels": labels,
        "search": stages.search,
        "testing": stages.testing,
        "oracle": panel,
    }
    return Chain(subject, stages, inputs, figures, watch.seconds)


def told(chain: Chain) -> str:
    """The figures in a line."""
    kinds = ", ".join(f"{chain.figures[name]:.0f} {name}" for name in ("errors", "model_right", "mixed", "unreadable"))
    return (
        f"gate {chain.figures['real']:.3f} to {chain.figures['reconstructed']:.3f}, "
        f"{chain.figures['identified']:,.0f} identified, readable {chain.figures['readable']:.2f}, precision "
        f"{chain.figures['precision']:.2f}, {chain.figures['regions']:.0f} regions ({kinds}), "
        f"{chain.figures['reproduced']:.0f} reproduced"
    )


def corrections(chain: Chain, weights: Sequence[float], arms: Sequence[str] = ARMS) -> list[Corrected]:
    """Every arm at every weight; none where no region was given a class."""
    if not np.any(chain.inputs["labels"].kind == "class"):
        return []
    return [corrected(chain.subject, settings, chain.inputs, Progress()) for settings in asked(chain, weights, arms)]


def asked(chain: Chain, weights: Sequence[float], arms: Sequence[str]) -> Iterator[CorrectionSettings]:
    """The settings of each run."""
    for arm in arms:
        for weight in (WEIGHTLESS[arm],) if arm in WEIGHTLESS else weights:
            yield replace(chain.stages.correction, arm=arm, weight=weight)
