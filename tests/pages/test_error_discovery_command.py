"""What is asked on the page can be asked by the command, with the same settings."""

from __future__ import annotations

import argparse
import shlex
from dataclasses import replace

import pytest

from engine.commands.error_discovery import add_to
from engine.commands.error_discovery_options import plan_of
from engine.methods.error_discovery.settings import (
    CorrectionSettings,
    DistillationSettings,
    GeneratorSettings,
    IdentificationSettings,
    TestSettings,
)
from pages.parts.error_discovery.command import Asked, error_discovery_command
from tests.pages.conftest import demo_in

USUAL = Asked(GeneratorSettings(), IdentificationSettings(), DistillationSettings(), TestSettings())
OTHER = Asked(
    replace(USUAL.generator, dimensions=9, epochs=3, conditional=not USUAL.generator.conditional),
    replace(USUAL.search, noise="beta", scale=0.25, draws=7, agreement=0.0, manifold=False, reconstruction=False),
    replace(USUAL.grouping, method="hdbscan", components=3, least=5),
    replace(USUAL.testing, agreement=0.0),
)


@pytest.fixture
def opened(bench, prepared_demos):
    return demo_in(bench, prepared_demos("digits"))


def plan(command: str):
    parser = argparse.ArgumentParser()
    add_to(parser.add_subparsers())
    program, arguments = shlex.split(command)[:3], shlex.split(command)[3:]
    assert program == ["python", "-m", "engine"]
    return plan_of(parser.parse_args(arguments))


@pytest.mark.parametrize("asked", [USUAL, OTHER])
def test_the_command_asks_for_the_same_search(bench, opened, asked):
    found = plan(error_discovery_command(bench, bench.subject(opened), asked))
    assert (found.generator, found.search, found.grouping, found.testing) == (
        asked.generator, asked.search, asked.grouping, asked.testing,
    )  # fmt: skip


def test_and_for_the_same_correction(bench, opened):
    correction = CorrectionSettings(steps=77, learning_rate=1e-4, per_region=5, held_out=0.25)
    command = error_discovery_command(bench, bench.subject(opened), USUAL, correction, (0.1, 2.0), 3)
    found = plan(command)
    assert "--labels regions.csv" in command
    assert found.correction == replace(correction, arm=found.correction.arm, weight=found.correction.weight)
    assert found.weights == (0.1, 2.0)


@pytest.mark.parametrize(
    "asked",
    [
        replace(USUAL, generator=replace(USUAL.generator, beta=2.0)),
        replace(USUAL, search=replace(USUAL.search, per_image=1)),
        replace(USUAL, grouping=replace(USUAL.grouping, full=True)),
        replace(USUAL, testing=replace(USUAL.testing, spread=1.0)),
    ],
)
def test_what_it_has_no_option_for_has_no_command(bench, opened, asked):
    assert error_discovery_command(bench, bench.subject(opened), asked) == ""
