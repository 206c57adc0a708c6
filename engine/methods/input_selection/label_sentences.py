"""What the verdicts and the layers say, in words."""

from __future__ import annotations

from collections.abc import Sequence

from engine.methods.input_selection.result import LabelVerdict, Taps
from engine.methods.input_selection.verdicts import HEALTHY, OVER, UNDER, verdict_notes

NAMED = 5  # labels


def what_the_labels_show(verdicts: Sequence[LabelVerdict], taps: Taps) -> list[str]:
    """Which labels are buggy and how, the worst first, and what could not be told."""
    said = [buggy(verdicts, taps, kind) for kind in (UNDER, OVER)]
    healthy = sum(each.verdict == HEALTHY for each in verdicts)
    if not any(said):
        said.append("No label is shown to be buggy.")
    said.append(f"{healthy} of {len(verdicts)} labels are surely healthy by this rule.")
    return [*filter(None, said), *verdict_notes(taps, tuple(verdicts))]


def buggy(verdicts: Sequence[LabelVerdict], taps: Taps, kind: str) -> str:
    """The labels of one verdict with their recalls, "" where there are none."""
    found = [each for each in verdicts if each.verdict == kind]
    if not found:
        return ""
    named = "; ".join(recalls(each, taps) for each in found[:NAMED])
    more = f"; and {len(found) - NAMED} more" if len(found) > NAMED else ""
    return f"{kind.capitalize()}: {named}{more}."


def recalls(verdict: LabelVerdict, taps: Taps) -> str:
    """One label with its recall on train and on diagnosis."""
    train = f"{verdict.train.value:.0%} of its {verdict.train.n:,} images of train are recognised and " if (
        verdict.train.n
    ) else ""  # fmt: skip
    other = f", most often taken for {taps.classes[verdict.partners[0][0]]}" if verdict.partners else ""
    return f"{taps.classes[verdict.label]} ({train}{verdict.diagnosis} of diagnosis{other})"
