from __future__ import annotations

from dataclasses import replace
from math import isnan

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.methods.error_discovery.comparison import compare
from engine.methods.error_discovery.weighing import chosen_weight, figures_of
from tests.methods.error_discovery.made_runs import made_run, three_seeds


def test_the_figures_are_shares_of_what_they_say():
    found = figures_of(made_run(test=8, diagnosis=6, regions=5, held=None, fresh=7, tuning=9, wrong=4))
    assert found["test"] == 0.8
    assert found["diagnosis"] == 0.6
    assert found["regions"] == 0.5
    assert isnan(found["held_out"])
    assert found["fresh"] == 0.7
    assert found["fresh_wrong"] == 0.25  # of the last four, the first is right
    assert found["tuning"] == 0.9
    assert found["tuning_wrong"] == 0.75


def test_the_weight_is_the_best_of_those_that_cost_little_on_diagnosis():
    runs = three_seeds()
    assert chosen_weight(runs) == 1.0  # 10 tunes better but loses three images of diagnosis
    assert chosen_weight(runs, tolerance=0.31) == 10.0
    assert compare(runs).weights == {"before": 0.0, "continued": 0.0, "regions": 1.0}


def test_where_every_weight_costs_too_much_the_one_that_costs_least_is_taken():
    runs = [
        made_run("continued", 0.0, diagnosis=9),
        made_run("regions", 0.1, diagnosis=7, tuning=7),
        made_run("regions", 1.0, diagnosis=8, tuning=7),
        made_run("regions", 10.0, diagnosis=6, tuning=10),
    ]
    assert chosen_weight(runs) == 1.0


def test_of_equals_the_smallest_weight_is_taken_and_without_images_to_tune_on_too():
    alike = [made_run("regions", weight) for weight in (1.0, 0.1, 10.0)]
    assert chosen_weight(alike) == 0.1
    none = np.zeros(0, bool)
    assert chosen_weight([replace(run, tuning_right=none, tuning_wrong=none) for run in alike]) == 0.1


@given(st.lists(st.tuples(*[st.integers(0, 10)] * 4), min_size=3, max_size=3))
def test_what_is_reported_plays_no_part_in_the_choice(reported):
    weights = (0.1, 1.0, 10.0)
    plain = [made_run("regions", weight, tuning=5 + place) for place, weight in enumerate(weights)]
    names = ("test", "regions", "held", "fresh")
    other = [
        made_run("regions", weight, tuning=5 + place, **dict(zip(names, reported[place], strict=True)))
        for place, weight in enumerate(weights)
    ]
    assert chosen_weight(other) == chosen_weight(plain) == 10.0


def test_an_arm_that_was_not_run_has_no_weight():
    with pytest.raises(ValueError, match="the arm regions was not run"):
        chosen_weight([made_run("before")])
