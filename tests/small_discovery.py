"""The whole search for errors on the built-in digits, made small, kept as the answer to the page's usual questions."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from engine.methods.error_discovery import DISTILLATION, GENERATOR, IDENTIFICATION, NOVELTY, TESTS
from engine.methods.error_discovery.settings import (
    DistillationSettings,
    GeneratorSettings,
    IdentificationSettings,
    NoveltySettings,
    TestSettings,
)
from engine.runs.run import Input, Step
from engine.workbench import Opened, Workbench

GENERATED = GeneratorSettings(dimensions=8, epochs=10, images=1000, batch_size=32, conditional=False)
SEARCHED = IdentificationSettings(images=700, draws=10, reconstruction=False, agreement=0.4, manifold=False, scale=0.4)
GROUPED = DistillationSettings(components=2, least=8)
TRIED = TestSettings(draws=24)
WAIT_SECONDS = 120


@dataclass(frozen=True)
class Chain:
    """The inputs of the steps, by name, and the run that gave the regions."""

    inputs: dict[str, Input]
    about: str


def small_discovery(bench: Workbench, opened: Opened) -> Chain:
    """Ask what the page asks, each answered with smaller settings."""
    subject = bench.subject(opened)
    inputs: dict[str, Input] = {}

    def ask(name: str, step: Step[Any, Any], usual: Any, small: Any, needs: tuple[str, ...]) -> None:
        smaller = replace(
            step, run=lambda subject, settings, inputs, progress: step.run(subject, small, inputs, progress)
        )
        given = {each: inputs[each] for each in needs}
        job = bench.ask(smaller, subject, usual, given)
        assert job.future is not None
        job.future.result(WAIT_SECONDS)
        inputs[name] = Input(job.fingerprint, bench.answer(step, subject, usual, given))
        assert inputs[name].value is not None, job.message

    ask("generator", GENERATOR, GeneratorSettings(), GENERATED, ())
    ask("errors", IDENTIFICATION, IdentificationSettings(), SEARCHED, ("generator",))
    ask("regions", DISTILLATION, DistillationSettings(), GROUPED, ("errors",))
    ask("tests", TESTS, TestSettings(), TRIED, ("errors", "regions", "generator"))
    ask("novelty", NOVELTY, NoveltySettings(), NoveltySettings(), ("errors", "regions", "generator", "tests"))
    return Chain(inputs, inputs["regions"].fingerprint)
