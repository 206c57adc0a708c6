from __future__ import annotations

from types import SimpleNamespace

from engine.methods.input_selection.label_sentences import what_the_labels_show
from engine.methods.input_selection.result import LabelVerdict
from engine.methods.input_selection.verdicts import NO_RATE
from engine.toolkit.statistics import Rate

TAPS = SimpleNamespace(classes=("a", "b", "c"))


def verdict(label: int, kind: str, train: float, diagnosis: float, partners=()) -> LabelVerdict:
    rates = [Rate(value, value - 0.1, value + 0.1, 50, 50, 50.0) for value in (train, diagnosis)]
    return LabelVerdict(label, *rates, NO_RATE, 0.0, 0.0, 0.0, kind, 0.1, 0.01, partners)


def test_buggy_labels_are_named_with_both_recalls_and_what_they_are_taken_for():
    said = what_the_labels_show(
        [verdict(1, "over-fitted", 0.9, 0.2, ((0, 30),)), verdict(0, "healthy", 0.9, 0.9)], TAPS
    )
    sentence, healthy = said
    assert healthy == "1 of 2 labels are surely healthy by this rule."
    assert sentence.startswith("Over-fitted: b (90% of its 50 images of train are recognised and 20.0% (10.0% to 30.0%")
    assert sentence.endswith("of diagnosis, most often taken for a).")


def test_where_all_are_healthy_that_is_said():
    said = what_the_labels_show([verdict(0, "healthy", 0.9, 0.9), verdict(1, "healthy", 0.9, 0.9)], TAPS)
    assert said == ["No label is shown to be buggy.", "2 of 2 labels are surely healthy by this rule."]


def test_labels_that_could_not_be_judged_are_named():
    said = what_the_labels_show([verdict(0, "under-fitted", 0.1, 0.1), verdict(2, "too few", 0.1, 0.1)], TAPS)
    assert said[0].startswith("Under-fitted: a (10%")
    assert "judge c" in said[2]
