"""Which labels are buggy, in which layer, and which samples would help? Imports no torch until a step runs.

After MODE: Ma, Liu, Lee, Zhang, Grama, ESEC/FSE 2018. One pass takes down every block (`taps`); from it follow probes,
likely wrong labels, heat maps and selections; retraining is one run an arm and seed.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from engine.methods.input_selection.result import LabelIssues, Picks, Probes, Retrained, Taps
from engine.methods.input_selection.settings import (
    IssueSettings,
    ProbeSettings,
    RetrainingSettings,
    SelectionSettings,
    TapSettings,
)
from engine.runs.progress import Progress
from engine.runs.run import Step
from engine.subject.subject import Subject


def _taps(subject: Subject, settings: TapSettings, inputs: Mapping[str, Any], progress: Progress) -> Taps:
    from engine.methods.input_selection.tapping import tapped

    del inputs
    return tapped(subject, settings, progress)


def _probes(subject: Subject, settings: ProbeSettings, inputs: Mapping[str, Any], progress: Progress) -> Probes:
    from engine.methods.input_selection.probes import probed

    del subject
    return probed(inputs["taps"], settings, progress)


def _issues(subject: Subject, settings: IssueSettings, inputs: Mapping[str, Any], progress: Progress) -> LabelIssues:
    from engine.methods.input_selection.label_issues import label_issues

    del subject
    return label_issues(inputs["taps"], settings, progress)


def _selection(subject: Subject, settings: SelectionSettings, inputs: Mapping[str, Any], progress: Progress) -> Picks:
    from engine.methods.input_selection.selecting import selected

    return selected(subject, settings, inputs["taps"], inputs.get("probes"), inputs["issues"], progress)


def _retraining(
    subject: Subject, settings: RetrainingSettings, inputs: Mapping[str, Any], progress: Progress
) -> Retrained:
    from engine.methods.input_selection.retraining import retrained

    return retrained(subject, settings, inputs, progress)


TAPS = Step("input_taps", 2, "One pass over all blocks", TapSettings, Taps, _taps)
PROBES = Step("input_probes", 2, "Probes of every block", ProbeSettings, Probes, _probes)
ISSUES = Step("input_label_issues", 2, "Likely wrong labels", IssueSettings, LabelIssues, _issues)
SELECTION = Step("input_picks", 2, "Selection", SelectionSettings, Picks, _selection)
RETRAINING = Step("input_retraining", 3, "Retraining", RetrainingSettings, Retrained, _retraining)
