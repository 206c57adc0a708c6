"""How far generated images can be trusted."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from engine.methods.error_discovery.gate import ARTEFACTS, DOUBTFUL, TRUSTED, how_far_to_trust, trust
from engine.toolkit.statistics import Rate, rate
from tests.methods.error_discovery.made_generator import made_generator

NONE = rate(np.zeros(0, bool), np.zeros(0))


def of_hundred(right: int) -> Rate:
    return rate(np.arange(100) < right, np.arange(100))


def with_gate(real: int, rebuilt: int, worst: int):
    """A generator that loses so much in all, and of its second class what is left of `worst`."""
    same = of_hundred(90)
    return replace(
        made_generator(), gate_real=of_hundred(real), gate_reconstructed=of_hundred(rebuilt),
        class_real=(same, same, NONE), class_reconstructed=(same, of_hundred(worst), NONE),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("rebuilt", "level"),
    [(95, TRUSTED), (91, TRUSTED), (90, DOUBTFUL), (81, DOUBTFUL), (80, ARTEFACTS), (0, ARTEFACTS)],
)
def test_trust_falls_with_what_reconstruction_loses(rebuilt, level):
    assert trust(with_gate(95, rebuilt, 90)) == level


def test_the_sentence_tells_both_accuracies_and_the_class_that_loses_most():
    said = how_far_to_trust(with_gate(95, 93, 60))
    assert "95.0% of 100 images of train" in said
    assert "93.0% of their reconstructions" in said
    assert f"Most is lost of {made_generator().classes[1]}, 30 points" in said
    assert "Most is lost" not in how_far_to_trust(with_gate(95, 93, 88))
    assert "the generator's, not the classifier's" in how_far_to_trust(with_gate(95, 50, 60))


def test_without_labelled_images_nothing_is_trusted_nor_claimed():
    unknown = replace(with_gate(95, 95, 90), gate_real=NONE, gate_reconstructed=NONE)
    assert trust(unknown) == DOUBTFUL
    assert "no labelled image" in how_far_to_trust(unknown)
