from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.methods.error_discovery.distillation import distilled
from engine.methods.error_discovery.editing import Merge, Split, edited
from engine.methods.error_discovery.gaussians import fitted
from engine.methods.error_discovery.settings import DistillationSettings
from engine.runs.progress import Progress
from tests.methods.error_discovery.made_errors import made_errors

PLANTED = [(0, 1, -2.0), (0, 1, 2.0), (0, 2, 0.0), (1, 2, 0.0)]
ERRORS = made_errors(PLANTED, each=40)
REGIONS = distilled(ERRORS, DistillationSettings(), Progress())


def region_at(place, label=0):
    near = np.abs(REGIONS.mean.mean(axis=1) - place) < 1
    return int(np.flatnonzero(near & (REGIONS.label == label) & (REGIONS.size > 20))[0])


def test_merged_regions_are_one_with_the_next_number():
    first, second = region_at(-2), region_at(2)
    count = len(REGIONS.label)
    found = edited(REGIONS, ERRORS, [Merge(first, second)])
    own = np.isin(REGIONS.member, (first, second))
    assert (found.member[own] == count).all()
    assert np.array_equal(found.member[~own], REGIONS.member[~own])
    assert np.flatnonzero(~found.alive).tolist() == sorted((first, second))
    assert found.size[count] == own.sum()
    assert found.label[count] == 0
    mean, covariance = fitted(ERRORS.codes[own], full=False)
    assert np.array_equal(found.mean[count], mean)
    assert np.array_equal(found.covariance[count], covariance)
    assert np.array_equal(found.mean[:count], REGIONS.mean)
    assert REGIONS.alive.all()


def test_a_merge_of_two_predictions_has_the_one_that_most_errors_have():
    first, second = region_at(-2), region_at(0)
    assert REGIONS.prediction[second] == 2
    found = edited(REGIONS, ERRORS, [Merge(first, second)])
    more = max((first, second), key=lambda region: REGIONS.size[region])
    assert found.prediction[-1] == REGIONS.prediction[more] or REGIONS.size[first] == REGIONS.size[second]


def test_what_was_merged_falls_apart_where_it_was_together():
    first, second = region_at(-2), region_at(2)
    count = len(REGIONS.label)
    found = edited(REGIONS, ERRORS, [Merge(first, second), Split(count)])
    parts = {frozenset(np.flatnonzero(found.member == count + each).tolist()) for each in (1, 2)}
    assert parts == {frozenset(np.flatnonzero(REGIONS.member == region).tolist()) for region in (first, second)}
    assert found.size[count + 1] >= found.size[count + 2]
    assert np.array_equal(found.member, edited(REGIONS, ERRORS, [Merge(first, second), Split(count)]).member)


def test_codes_in_one_cloud_are_split_all_the_same():
    found = edited(REGIONS, ERRORS, [Split(region_at(0))])
    assert found.alive[-2:].all()
    assert found.size[-2:].sum() == REGIONS.size[region_at(0)]
    assert found.size[-1] > 0


def test_full_covariances_stay_full():
    regions = distilled(ERRORS, DistillationSettings(full=True), Progress())
    found = edited(regions, ERRORS, [Split(0)])
    off = found.covariance[-1] - np.diag(np.diag(found.covariance[-1]))
    assert np.abs(off).max() > 0


@pytest.mark.parametrize(
    ("edits", "said"),
    [
        ([Split(99)], "there is no region 99"),
        ([Split(-1)], "there is no region -1"),
        ([Merge(0, 0)], "can't be merged with itself"),
        ([Split(0), Split(0)], "region 0 was merged or split"),
        ([Split(0), Merge(1, 0)], "region 0 was merged or split"),
        ([Merge(region_at(0), region_at(0, label=1))], "have different labels"),
    ],
)
def test_what_can_not_be_done_is_one_sentence(edits, said):
    with pytest.raises(ValueError, match=said):
        edited(REGIONS, ERRORS, edits)


def test_errors_that_are_all_alike_can_not_be_split():
    errors = replace(ERRORS, codes=np.zeros_like(ERRORS.codes))
    with pytest.raises(ValueError, match="all its errors are alike"):
        edited(REGIONS, errors, [Split(0)])


@settings(max_examples=25, deadline=None)
@given(st.lists(st.tuples(st.booleans(), st.integers(0, 9), st.integers(0, 9)), max_size=6))
def test_no_error_is_lost_by_any_edits(asked):
    found = REGIONS
    for merge, first, second in asked:
        try:
            found = edited(found, ERRORS, [Merge(first, second) if merge else Split(first)])
        except ValueError:
            continue
    assert np.array_equal(found.member >= 0, REGIONS.member >= 0)
    for region in np.flatnonzero(found.alive):
        assert found.size[region] == (found.member == region).sum() > 0
    assert found.alive[np.unique(found.member[found.member >= 0])].all()
    assert found.size[found.alive].sum() == REGIONS.size.sum()
