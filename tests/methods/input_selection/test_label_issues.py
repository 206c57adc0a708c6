from dataclasses import replace

import numpy as np
import pytest

from engine.loading.demos import open_demo
from engine.loading.demos.planted_digits import digits_truth
from engine.methods.input_selection.label_issues import doubts, folds, label_issues, softmax
from engine.methods.input_selection.settings import IssueSettings, TapSettings
from engine.methods.input_selection.tapping import tapped
from engine.runs.progress import Progress
from engine.subject.subject import joined
from tests.methods.input_selection.made_taps import made_role, made_taps

WRONG = 12


def noisy(role, n=240, seed=0, seen=0, units=None):
    """Three clear classes, of whose labels the first twelve are wrong; logits and features know better."""
    random = np.random.default_rng(seed)
    shown = random.integers(0, 3, n)
    labels = shown.copy()
    labels[:WRONG] = (shown[:WRONG] + 1) % 3
    features = 4 * np.eye(4)[shown] + random.standard_normal((n, 4))
    logits = 3 * np.eye(3)[shown] + 0.7 * random.standard_normal((n, 3))
    return made_role(role, labels, features=features, logits=logits, seen=seen, units=units), shown


def found(*roles):
    return label_issues(made_taps(*roles), IssueSettings(), Progress())


def test_planted_wrong_labels_are_found_on_what_was_not_seen():
    role, shown = noisy("pool")
    issues = found(role)
    assert issues.ids.tolist() == role.ids.tolist()
    assert not issues.out_of_fold.any()
    assert issues.issue[:WRONG].mean() > 0.8
    assert issues.issue[WRONG:].mean() < 0.02
    assert issues.suggested[issues.issue].tolist() == shown[issues.issue].tolist()
    assert issues.quality[:WRONG].max() < np.median(issues.quality[WRONG:])


def test_what_was_seen_is_judged_by_probes_that_did_not_see_it():
    role, _ = noisy("train", seen=1)
    by_heart = replace(role, logits=(9 * np.eye(3)[role.labels]).astype(np.float32))  # it believes every wrong label
    issues = found(by_heart)
    assert issues.out_of_fold.all()
    assert issues.issue[:WRONG].mean() > 0.6
    assert issues.issue[WRONG:].mean() < 0.03
    unseen = found(replace(by_heart, seen=np.zeros(240, np.int8)))
    assert not unseen.out_of_fold.any()
    assert not unseen.issue.any()


def test_a_unit_never_lies_in_two_folds_and_the_seed_deals_them_out():
    units = np.repeat([f"scan {number}" for number in range(40)], 6)
    dealt = folds(units, IssueSettings())
    assert all(len(set(dealt[units == unit])) == 1 for unit in np.unique(units))
    assert np.bincount(dealt).tolist() == [48] * 5
    assert (dealt == folds(units, IssueSettings())).all()
    assert (dealt != folds(units, IssueSettings(seed=1))).any()


def test_copies_of_a_wrong_label_do_not_hide_it():
    random = np.random.default_rng(3)
    shown = np.repeat(random.integers(0, 3, 60), 4)
    labels = shown.copy()
    labels[:8] = (labels[:8] + 1) % 3  # two units, each of four images that look the same
    features = 3 * np.eye(4)[shown] + np.repeat(3 * random.standard_normal((60, 4)), 4, axis=0)
    units = np.repeat([f"scan {number}" for number in range(60)], 4)
    role = made_role("train", labels, features=features, seen=1, units=units)
    whole = found(role)
    split = found(replace(role, units=role.ids))
    assert whole.quality[:8].mean() < split.quality[:8].mean()


def test_quality_is_the_labels_probability_and_no_label_no_verdict():
    role, _ = noisy("diagnosis")
    labels = role.labels.copy()
    labels[100:] = -1
    issues = found(replace(role, labels=labels))
    assert len(issues.ids) == 100
    expected = [softmax(role.logits)[row, labels[row]] for row in range(100)]
    np.testing.assert_allclose(issues.quality, expected)
    with pytest.raises(ValueError, match="no image has a label"):
        found(replace(role, labels=np.full(240, -1)))


@pytest.mark.parametrize("labels", [[], [0], [1, 1, 1], [0, 1], [0, 2]])
def test_few_labels_are_no_trouble(labels):
    quality, issue = doubts(np.array(labels, np.int64), np.full((len(labels), 3), 1 / 3))
    assert len(quality) == len(issue) == len(labels)
    if labels:
        issues = found(made_role("train", labels, seen=1))
        assert np.isfinite(issues.quality).all()


def test_the_demos_planted_wrong_labels_are_found():
    classifier, images = open_demo("digits")
    taps = tapped(joined(classifier.blueprint, images, lambda _: classifier), TapSettings(), Progress())
    issues = label_issues(taps, IssueSettings(), Progress())
    rows = [images.position[each] for each in issues.ids.tolist()]
    wrong, roles = digits_truth(0).wrong[rows], images.roles[rows]
    for role, precision, recall in (("pool", 0.7, 0.6), ("train", 0.8, 0.6)):
        own = roles == role
        found = issues.issue & own
        assert wrong[found].mean() > precision
        assert found[wrong & own].mean() > recall
    assert issues.issue[roles == "diagnosis"].mean() < 0.01  # where none are planted
    assert issues.out_of_fold.tolist() == (roles == "train").tolist()
