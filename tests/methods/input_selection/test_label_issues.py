from dataclasses import replace

import numpy as np
import pytest
from scipy.special import softmax

from engine.loading.demos import open_demo
from engine.loading.demos.planted_digits import digits_truth
from engine.methods.input_selection.label_issues import doubts, label_issues, out_of_fold
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
    assert not found(replace(by_heart, seen=np.zeros(240, np.int8))).out_of_fold.any()


def test_the_classifier_and_probes_judge_together_what_it_did_not_see():
    """A classifier that takes some kind of the last label for the first flags those images, whose label is right."""
    role, shown = noisy("pool", n=600)
    lost = (shown == 2) & (np.arange(600) % 3 == 0)
    blind = np.where(lost[:, None], np.array([6, 0, -3]) + role.logits, role.logits).astype(np.float32)
    issues = found(replace(role, logits=blind))
    alone = doubts(role.labels, softmax(blind, axis=1))[1]
    right = lost & (np.arange(600) >= WRONG)
    assert alone[right].mean() > 0.9
    assert issues.issue[right].mean() < 0.2
    assert issues.issue[:WRONG].mean() > 0.6
    probed = out_of_fold(role.features[0], role.labels, role.units, 3, IssueSettings(), Progress())
    expected = (softmax(blind.astype(np.float64), axis=1) + probed) / 2
    np.testing.assert_allclose(issues.quality, expected[np.arange(600), role.labels])
    assert issues.suggested.tolist() == expected.argmax(axis=1).tolist()


def test_without_train_the_rest_is_judged_all_the_same_and_the_unknown_by_probes():
    role, _ = noisy("pool")
    issues = label_issues(made_taps(role), IssueSettings(), Progress())
    both = label_issues(made_taps(noisy("train", seed=2, seen=-1)[0], role), IssueSettings(), Progress())
    assert issues.issue.any()
    pool = np.isin(both.ids, role.ids)
    assert both.issue[pool].tolist() == issues.issue.tolist()
    assert both.out_of_fold.tolist() == (~pool).tolist()


def test_probes_are_fitted_on_so_many_images_at_most(monkeypatch):
    monkeypatch.setattr("engine.methods.input_selection.label_issues.MOST_FITTED", 150)
    role, _ = noisy("pool", n=600)
    issues = found(role)
    assert issues.issue[:WRONG].mean() > 0.8
    assert issues.issue[WRONG:].mean() < 0.02


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


def test_quality_is_a_share_and_no_label_no_verdict():
    role, _ = noisy("diagnosis")
    labels = role.labels.copy()
    labels[100:] = -1
    issues = found(replace(role, labels=labels))
    assert len(issues.ids) == 100
    assert ((issues.quality >= 0) & (issues.quality <= 1)).all()
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
    for role, precision, recall in (("pool", 0.8, 0.6), ("train", 0.8, 0.6)):
        own = roles == role
        found = issues.issue & own
        assert wrong[found].mean() > precision
        assert found[wrong & own].mean() > recall
    assert issues.issue[roles == "diagnosis"].mean() < 0.01  # where none are planted
    assert issues.out_of_fold.tolist() == (roles == "train").tolist()
