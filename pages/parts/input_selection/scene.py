"""What the page shows: one pass over all blocks, the labels' verdicts, and the label that is looked at."""

from __future__ import annotations

from dataclasses import dataclass

from engine.methods.input_selection import ISSUES, PROBES, TAPS
from engine.methods.input_selection.layer_choice import LayerChoice
from engine.methods.input_selection.result import LabelIssues, LabelVerdict, Probes, Taps
from engine.methods.input_selection.settings import (
    CHOSEN_LAYER,
    MODES,
    IssueSettings,
    ProbeSettings,
    TapSettings,
    VerdictSettings,
)
from engine.methods.input_selection.verdicts import OVER, UNDER
from engine.runs.run import Input
from engine.subject.image_set import UNLABELLED, Role
from engine.subject.subject import Subject
from engine.workbench import Workbench


@dataclass(frozen=True)
class Scene:
    """Taps of a subject by the run that made them, the verdicts by the rule, and the target, a class number.

    `probes` and `layer` are missing where there is no train to fit probes on; `overruled`: a person chose the layer.
    """

    bench: Workbench
    subject: Subject
    taps: Taps
    rule: VerdictSettings
    verdicts: tuple[LabelVerdict, ...]
    target: int
    probes: Probes | None = None
    layer: LayerChoice | None = None
    overruled: bool = False

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
    def buggy(self) -> tuple[int, ...]:
        """The labels that the rule finds under- or over-fitted, in their order."""
        return tuple(sorted(each.label for each in self.verdicts if each.verdict in (UNDER, OVER)))

    @property
    def has_train(self) -> bool:
        """Whether there are images that probes can be fitted on."""
        train = self.taps.role(Role.TRAIN)
        return train is not None and bool((train.labels != UNLABELLED).any())

    @property
    def modes(self) -> tuple[str, ...]:
        """What heat maps can be of."""
        return MODES if self.probes is not None else ("pixel",)

    @property
    def place(self) -> int:
        """The number of the tap that is looked at, the last where none was told."""
        return self.layer.tap if self.layer is not None else len(self.taps.taps) - 1

    @property
    def asked_layer(self) -> str:
        """The layer that a selection is asked to look at: the one that a person chose, else the one that explains."""
        return self.layer.name if self.layer is not None and self.overruled else CHOSEN_LAYER

    @property
    def tapped(self) -> dict[str, Input]:
        """The taps as a step's input."""
        return {"taps": Input(self.run_id, self.taps)}

    @property
    def probed(self) -> dict[str, Input]:
        """The final probes, by their run, as a step's input; nothing where there are none."""
        if self.probes is None:
            return {}
        run = self.bench.question(PROBES, self.subject, ProbeSettings(), self.tapped).fingerprint
        return {"probes": Input(run, self.probes)}

    def judged(self, issues: LabelIssues) -> dict[str, Input]:
        """The likely wrong labels, by their run, as a step's input."""
        run = self.bench.question(ISSUES, self.subject, IssueSettings(), self.tapped).fingerprint
        return {"issues": Input(run, issues)}
