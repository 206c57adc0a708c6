"""How long the steps of the page will take, measured where it matters."""

from __future__ import annotations

from collections.abc import Callable

from engine.methods.error_discovery.settings import CorrectionSettings, GeneratorSettings, IdentificationSettings
from engine.methods.evaluation.settings import EvaluationSettings
from engine.subject.subject import Subject
from engine.workbench import Workbench
from pages.parts.error_discovery.scene import Made


def seconds_of_generator(bench: Workbench, subject: Subject, settings: GeneratorSettings) -> Callable[[], float]:
    """Seconds for training the generator, measured on a few batches."""

    def seconds() -> float:
        from engine.methods.error_discovery import estimate

        with bench.quick(subject) as quick:
            return estimate.seconds_of_generator(quick, settings)

    return seconds


def seconds_of_search(made: Made, settings: IdentificationSettings) -> Callable[[], float]:
    """Seconds for the search, measured on a few draws."""

    def seconds() -> float:
        from engine.methods.error_discovery import estimate

        with made.bench.quick(made.subject) as quick:
            return estimate.seconds_of_search(quick, settings, made.generator)

    return seconds


def seconds_of_a_pass(bench: Workbench, subject: Subject, *roles: str) -> Callable[[], float]:
    """Seconds for showing the classifier all images of these roles once."""

    def seconds() -> float:
        from engine.methods.evaluation import estimate

        with bench.quick(subject) as quick:
            there = [role for role in roles if len(subject.images.indices(role))]
            return sum(estimate.seconds(quick, EvaluationSettings(role)) for role in there)

    return seconds


def seconds_of_correction(made: Made, settings: CorrectionSettings) -> Callable[[], float]:
    """Seconds for one correction, measured on a few steps."""

    def seconds() -> float:
        from engine.methods.error_discovery import correction_estimate

        with made.bench.quick(made.subject) as quick:
            return correction_estimate.seconds_of_correction(quick, settings, made.generator)

    return seconds
