from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.methods.error_discovery.holding import divided, given_classes
from engine.methods.error_discovery.labelling import labels_of
from tests.methods.error_discovery.made_errors import made_errors, made_regions

PLACES = [(0, 1, float(place)) for place in range(6)]
ALL = dict.fromkeys(range(6), ("class", 2))


def divide(units=None, share=0.34, seed=0, decisions=ALL):
    errors = made_errors(PLACES, each=8, a_unit=2)
    errors = made_errors(PLACES, each=8, a_unit=2, units=errors.units if units is None else units)
    return errors, divided(labels_of(decisions, (), "ada"), made_regions(errors, PLACES, 8), errors, share, seed)


@settings(max_examples=50, deadline=None)
@given(
    st.lists(st.integers(0, 30), min_size=48, max_size=48), st.integers(0, 5), st.sampled_from([0.0, 0.2, 0.34, 0.6])
)
def test_used_and_held_out_regions_share_no_seed(numbers, seed, share):
    errors, found = divide(np.array([f"u{each}" for each in numbers]), share, seed)
    regions = made_regions(errors, PLACES, 8)
    held = set(errors.units[np.isin(regions.member, found.held)].tolist())
    assert held == set(found.held_units.tolist())
    assert len(found.held) <= round(share * 6)
    assert len(found.used) >= (6 - len(found.held)) / 2
    assert not set(found.used) & set(found.held)
    for number in found.used:
        rows = found.rows[number]
        assert set(rows.tolist()) <= set(np.flatnonzero(regions.member == number).tolist())
        assert not held & set(errors.units[rows].tolist())
        assert len(rows) == 8 or (len(rows) >= 4 and len(set(errors.units[rows].tolist())) > 1)


def test_the_seed_decides_what_is_held_out():
    found = [divide(seed=seed)[1] for seed in range(6)]
    assert len({each.held for each in found}) > 2
    assert divide(seed=3)[1].held == found[3].held
    assert all(len(each.used) == 4 for each in found)  # no seed is shared


def test_at_least_one_region_is_used_and_none_held_out_where_there_is_one_only():
    _, found = divide(share=0.9, decisions={2: ("class", 1)})
    assert (found.used, found.held, found.target) == ((2,), (), {2: 1})
    assert not len(found.held_units)


def test_only_living_regions_that_were_given_a_class_count():
    errors = made_errors(PLACES, each=8)
    regions = made_regions(errors, PLACES, 8)
    regions.alive[1] = False
    said = {0: ("class", 2), 1: ("class", 2), 2: ("model_right", 1), 3: ("unreadable", -1), 4: ("mixed", -1)}
    assert given_classes(labels_of(said, (), ""), regions) == {0: 2}
    with pytest.raises(ValueError, match="no region was given a class"):
        divide(decisions={3: ("unreadable", -1)})


def test_where_regions_share_their_seeds_fewer_are_held_out():
    assert divide(units=np.tile(["a", "b"], 24))[1].held == ()
    alone = np.array(["a", "b"] * 20 + ["c", "d"] * 4)  # only the last one shares nothing
    held = {divide(units=alone, seed=seed, share=0.2)[1].held for seed in range(12)}
    assert held == {(), (5,)}
