from __future__ import annotations

import numpy as np

from engine.runs.progress import Progress


class Heard(Progress):
    def __init__(self):
        self.said = []
        self.notes = []

    def report(self, fraction, label):
        self.said.append((round(fraction, 3), label))

    def note(self, sentence):
        self.notes.append(sentence)


def test_steps_report_before_each_and_at_the_end():
    heard = Heard()
    assert list(heard.steps(2, "counting")) == [0, 1]
    assert heard.said == [(0.0, "counting"), (0.5, "counting"), (1.0, "counting")]


def test_a_part_reports_its_share_of_the_whole_and_passes_the_rest_on():
    heard = Heard()
    part = heard.part(0.5, 1.0)
    list(part.steps(2, "second half"))
    part.part(0.0, 0.5).report(0.5, "deeper")
    part.note("halved")
    assert [fraction for fraction, _ in heard.said] == [0.5, 0.75, 1.0, 0.625]
    assert heard.notes == ["halved"]


def test_silence_computes_what_it_is_asked_to_keep():
    assert Progress().kept("x", lambda: {"a": np.ones(2)})["a"].sum() == 2
