"""What the page shows: one pass over all blocks, the labels' verdicts, and the label that is looked at."""

from __future__ import annotations

from dataclasses import dataclass

from engine.methods.input_selection import ISSUES, PROBES, TAPS
from engine.methods.input_selection.result import LabelIssues, LabelVerdict, Probes, Taps
from engine.methods.input_selection.settings import IssueSettings, ProbeSettings, TapSettings, VerdictSettings
from engine.runs.run import Input
from engine.subject.subject import Subject
from engine.workbench import Workbench


@dataclass(frozen=True)
class Scene:
    """Taps of a subject by the run that made them, the verdicts by the rule, and the target, a class number."""

    bench: Workbench
    subject: Subject
    taps: Taps
    rule: VerdictSettings
    verdicts: tuple[LabelVerdict, ...]
    target: int

    @property
    def run_id(self) -> str:
        """The run of the taps."""
        return self.bench.question(TAPS, self.subject, TapSettings()).fingerprint

    def key(self, what: str) -> str:
        """A widget's name: other taps, or another target, begin anew."""
        return f"{what} {self.run_id} {self.target}"

    @property
    def verdict(self) -> LabelVerdict:
        """The target's."""
        return next(each for each in self.verdicts if each.label == self.target)

    @property
    def tapped(self) -> dict[str, Input]:
        """The taps as a step's input."""
        return {"taps": Input(self.run_id, self.taps)}

    def probed(self, probes: Probes) -> dict[str, Input]:
        """The final probes, by their run, as a step's input."""
        run = self.bench.question(PROBES, self.subject, ProbeSettings(), self.tapped).fingerprint
        return {"probes": Input(run, probes)}

    def judged(self, issues: LabelIssues) -> dict[str, Input]:
        """The likely wrong labels, by their run, as a step's input."""
        run = self.bench.question(ISSUES, self.subject, IssueSettings(), self.tapped).fingerprint
        return {"issues": Input(run, issues)}
