"""Which errors are still unseen, what kinds are there, and can they be corrected? Imports no torch until a step runs.

After Defuse: Slack, Rauschmayr, Kenthapadi, NeurIPS 2021 (XAI4Debugging). A generator of the images, its latent space
searched for errors, these grouped into regions, the regions tried again, labelled, and trained on.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from engine.methods.error_discovery.result import (
    Calibration,
    CodeMap,
    Corrected,
    Errors,
    Generator,
    Novelty,
    Regions,
    RegionTests,
)
from engine.methods.error_discovery.settings import (
    CalibrationSettings,
    CorrectionSettings,
    DistillationSettings,
    GeneratorSettings,
    IdentificationSettings,
    MapSettings,
    NoveltySettings,
    RealErrorSettings,
    TestSettings,
)
from engine.runs.progress import Progress
from engine.runs.run import Step
from engine.subject.subject import Subject


def _generator(
    subject: Subject, settings: GeneratorSettings, inputs: Mapping[str, Any], progress: Progress
) -> Generator:
    from engine.methods.error_discovery.generating import trained_generator

    del inputs
    return trained_generator(subject, settings, progress)


def _identification(
    subject: Subject, settings: IdentificationSettings, inputs: Mapping[str, Any], progress: Progress
) -> Errors:
    from engine.methods.error_discovery.identification import identified

    return identified(subject, settings, inputs["generator"], progress)


def _calibration(
    subject: Subject, settings: CalibrationSettings, inputs: Mapping[str, Any], progress: Progress
) -> Calibration:
    from engine.methods.error_discovery.calibration import calibrated

    return calibrated(subject, settings, inputs["generator"], progress)


def _real_errors(
    subject: Subject, settings: RealErrorSettings, inputs: Mapping[str, Any], progress: Progress
) -> Errors:
    from engine.methods.error_discovery.real_errors import real_errors

    del inputs
    return real_errors(subject, settings, progress)


def _distillation(
    subject: Subject, settings: DistillationSettings, inputs: Mapping[str, Any], progress: Progress
) -> Regions:
    from engine.methods.error_discovery.distillation import distilled

    del subject
    return distilled(inputs["errors"], settings, progress)


def _tests(subject: Subject, settings: TestSettings, inputs: Mapping[str, Any], progress: Progress) -> RegionTests:
    from engine.methods.error_discovery.region_tests import tested

    return tested(subject, settings, inputs["errors"], inputs["regions"], inputs.get("generator"), progress)


def _novelty(subject: Subject, settings: NoveltySettings, inputs: Mapping[str, Any], progress: Progress) -> Novelty:
    from engine.methods.error_discovery.novelty import novelty

    return novelty(
        subject, settings, inputs["errors"], inputs["regions"], inputs["tests"], inputs.get("generator"), progress
    )


def _code_map(subject: Subject, settings: MapSettings, inputs: Mapping[str, Any], progress: Progress) -> CodeMap:
    from engine.methods.error_discovery.code_map import mapped

    del subject
    return mapped(inputs["errors"], settings, inputs.get("generator"), progress)


def _correction(
    subject: Subject, settings: CorrectionSettings, inputs: Mapping[str, Any], progress: Progress
) -> Corrected:
    from engine.methods.error_discovery.correction import corrected

    return corrected(subject, settings, inputs, progress)


GENERATOR = Step("error_generator", 1, "Generator", GeneratorSettings, Generator, _generator)
IDENTIFICATION = Step("error_identification", 1, "Search for errors", IdentificationSettings, Errors, _identification)
CALIBRATION = Step("error_calibration", 1, "Calibration of the noise", CalibrationSettings, Calibration, _calibration)
REAL_ERRORS = Step("error_real", 1, "Real errors", RealErrorSettings, Errors, _real_errors)
DISTILLATION = Step("error_regions", 1, "Regions of errors", DistillationSettings, Regions, _distillation)
TESTS = Step("error_region_tests", 1, "Regions tried again", TestSettings, RegionTests, _tests)
NOVELTY = Step("error_novelty", 1, "Novelty", NoveltySettings, Novelty, _novelty)
CODE_MAP = Step("error_map", 1, "Map of errors", MapSettings, CodeMap, _code_map)
CORRECTION = Step("error_correction", 1, "Correction", CorrectionSettings, Corrected, _correction)
