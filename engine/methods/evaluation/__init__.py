"""How good is it, and on which images does it fail? Imports no torch until a step runs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from engine.methods.evaluation.result import Evaluation, Features
from engine.methods.evaluation.settings import EvaluationSettings, FeatureSettings
from engine.runs.progress import Progress
from engine.runs.run import Step
from engine.subject.subject import Subject


def _evaluate(
    subject: Subject, settings: EvaluationSettings, inputs: Mapping[str, Any], progress: Progress
) -> Evaluation:
    from engine.methods.evaluation.evaluate import evaluate

    del inputs
    return evaluate(subject, settings, progress)


def _features(subject: Subject, settings: FeatureSettings, inputs: Mapping[str, Any], progress: Progress) -> Features:
    from engine.methods.evaluation.features import features

    del inputs
    return features(subject, settings, progress)


EVALUATION = Step("evaluation", 2, "Evaluation", EvaluationSettings, Evaluation, _evaluate)
FEATURES = Step("features", 1, "Features for neighbours", FeatureSettings, Features, _features)
