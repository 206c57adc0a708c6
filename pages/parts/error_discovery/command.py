"""What was asked on the page, as a command that asks it headlessly."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import dataclass, replace

from engine.methods.error_discovery.settings import (
    WEIGHTS,
    CorrectionSettings,
    DistillationSettings,
    GeneratorSettings,
    IdentificationSettings,
    TestSettings,
)
from engine.subject.subject import Subject
from engine.workbench import Workbench
from pages.parts.command import subject_options


@dataclass(frozen=True)
class Asked:
    """All settings of the page down to the regions."""

    generator: GeneratorSettings
    search: IdentificationSettings
    grouping: DistillationSettings
    testing: TestSettings


def error_discovery_command(
    bench: Workbench,
    subject: Subject,
    asked: Asked,
    correction: CorrectionSettings | None = None,
    weights: Sequence[float] = WEIGHTS,
    seeds: int = 1,
) -> str:
    """The command for the same, "" where there is none: for settings that it has no option for.

    With a correction it takes the labels of a regions.csv.
    """
    options = subject_options(bench, subject)
    if not options or as_the_command_has_it(asked) != asked:
        return ""
    generator, search, grouping = asked.generator, asked.search, asked.grouping
    words = ["python", "-m", "engine", "error-discovery", *options]
    words += ["--dimensions", str(generator.dimensions), "--epochs", str(generator.epochs)]
    words += [] if generator.conditional else ["--plain"]
    words += ["--noise", search.noise, "--scale", repr(search.scale), "--draws", str(search.draws)]
    words += ["--agreement", repr(search.agreement), "--grouping", grouping.method]
    words += [] if search.manifold else ["--no-manifold"]
    words += [] if search.reconstruction else ["--no-reconstruction"]
    words += ["--components", str(grouping.components), "--least", str(grouping.least)]
    if correction is not None:
        words += ["--labels", "regions.csv", "--weights", ",".join(f"{each:g}" for each in weights)]
        words += ["--steps", str(correction.steps), "--learning-rate", repr(correction.learning_rate)]
        words += ["--per-region", str(correction.per_region), "--held-out", repr(correction.held_out)]
        words += ["--seeds", "1" if "--demo" in options else str(seeds)]  # another seed would draw other regions
    return shlex.join([*words, "--out", "out"])


def as_the_command_has_it(asked: Asked) -> Asked:
    """The same settings where the command has an option for them, else the usual ones."""
    generator, search, grouping = asked.generator, asked.search, asked.grouping
    return Asked(
        replace(
            GeneratorSettings(),
            dimensions=generator.dimensions,
            epochs=generator.epochs,
            conditional=generator.conditional,
        ),
        replace(
            IdentificationSettings(),
            noise=search.noise,
            scale=search.scale,
            draws=search.draws,
            agreement=search.agreement,
            manifold=search.manifold,
            reconstruction=search.reconstruction,
        ),
        replace(DistillationSettings(), method=grouping.method, components=grouping.components, least=grouping.least),
        replace(TestSettings(), agreement=search.agreement),
    )
