import numpy as np
import pytest

from engine.methods.input_selection.candidates import Choice, Exhausted, candidates, directions
from engine.methods.input_selection.result import LabelIssues
from engine.methods.input_selection.settings import SelectionSettings
from tests.methods.input_selection.made_taps import made_role, made_taps


def issues_of(*ids):
    n = len(ids)
    return LabelIssues(np.array(ids, np.str_), np.zeros(n), np.ones(n, bool), np.zeros(n, np.int64), np.zeros(n, bool))


def test_unlabelled_excluded_and_doubtful_images_are_no_candidates():
    pool = made_role("pool", [0, 1, -1, 1, 0])
    asked = SelectionSettings("random", excluded=("pool0000",))
    found = candidates(made_taps(pool), issues_of("pool0001", "elsewhere"), asked)
    assert found.open.tolist() == [False, False, False, True, True]
    assert found.issue.tolist() == [False, True, False, False, False]
    unfiltered = candidates(made_taps(pool), issues_of("pool0001"), SelectionSettings("random", filtered=False))
    assert unfiltered.open.tolist() == [True, True, False, True, True]
    assert unfiltered.rows((1,)).tolist() == [1, 3]
    assert unfiltered.other_rows((1,)).tolist() == [0, 4]


@pytest.mark.parametrize(
    ("roles", "said"),
    [
        ([made_role("diagnosis", [0])], "no image has the role 'pool'"),
        ([made_role("pool", [-1, -1])], "no image of the pool has a label"),
        ([made_role("pool", [0])], "every image of the pool is excluded"),
    ],
)
def test_an_empty_pool_is_said(roles, said):
    with pytest.raises(ValueError, match=said):
        candidates(made_taps(*roles), issues_of(), SelectionSettings("random", excluded=("pool0000",)))


def test_near_copies_are_left_out():
    random = np.random.default_rng(0)
    features = random.standard_normal((8, 6))
    features[3] = features[1] * 1.001  # looks the same
    units = ["a", "b", "c", "d", "a", "a", "e", "f"]
    role = made_role("pool", [0] * 8, features=features, units=units)
    rows = np.arange(8)
    assert Choice(role, diverse=False).take(rows, 8) == list(range(8))
    choice = Choice(role, diverse=True)
    assert choice.take(rows, 8) == [0, 1, 2, 4, 6, 7]  # 3 is a copy of 1, and 5 the third of unit a
    assert choice.taken == [0, 1, 2, 4, 6, 7]


def test_a_choice_goes_on_where_it_was():
    role = made_role("pool", [0] * 6, features=np.repeat(np.eye(3), 2, axis=0), units=["u"] * 6)
    choice = Choice(role, diverse=True)
    assert choice.take(np.array([0]), 1) == [0]
    assert choice.take(np.array([1, 2, 4]), 2) == [1]  # 1 is a copy of 0, and 4 the third of its unit


def test_what_was_chosen_before_is_gone_and_exhausts_the_pool():
    pool = made_role("pool", [0, 1, 1])
    asked = SelectionSettings("random")
    assert candidates(made_taps(pool), issues_of(), asked, ("pool0001",)).open.tolist() == [True, False, True]
    with pytest.raises(Exhausted):
        candidates(made_taps(pool), issues_of(), asked, pool.ids.tolist())


def test_near_copies_of_what_was_chosen_before_are_left_out_too():
    features = np.repeat(np.random.default_rng(0).standard_normal((4, 6)), 2, axis=0)
    role = made_role("pool", [0] * 8, features=features)
    rows = np.arange(1, 8)
    assert Choice(role, True, ["pool0000"]).take(rows, 8) == [1, 3, 5]  # 1 is a copy of 0
    assert Choice(role, False, ["pool0000"]).take(rows, 8) == list(range(7))
    choice = Choice(role, True)
    assert choice.take(rows, 1) == [0]
    assert choice.take(rows, 8) == [1, 3, 5]
    plain = Choice(role, False)
    plain.take(rows, 3)
    assert plain.take(rows, 2) == [3, 4]  # none twice


def test_directions_are_standardised_and_of_length_one():
    features = np.random.default_rng(1).random((20, 5)) * [1, 10, 100, 1, 0]
    found = directions(made_role("pool", [0] * 20, features=features))
    np.testing.assert_allclose(np.linalg.norm(found, axis=1), 1)
    kept = features[:, :4].astype(np.float32).astype(float)
    standard = (kept - kept.mean(axis=0)) / kept.std(axis=0)
    np.testing.assert_allclose(found[:, :4], standard / np.linalg.norm(standard, axis=1, keepdims=True), atol=1e-6)
