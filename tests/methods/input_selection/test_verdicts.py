from collections import Counter
from dataclasses import replace

import numpy as np
import pytest

from engine.loading.demos import open_demo
from engine.loading.demos.planted_digits import digits_truth
from engine.methods.input_selection.result import Taps
from engine.methods.input_selection.settings import TapSettings, VerdictSettings
from engine.methods.input_selection.tapping import tapped
from engine.methods.input_selection.verdicts import label_verdicts, verdict_notes
from engine.runs.progress import Progress
from engine.subject.subject import joined
from engine.toolkit.statistics import rate
from tests.methods.input_selection.made_taps import made_role, made_taps

NAMES = "abcdefghij"


def role(name, recalls, n=100, seen=0, units=None):
    """For each label n images, of which that share is right, the others taken for the next label."""
    labels = np.repeat(np.arange(len(recalls)), n)
    right = np.tile(np.arange(n), len(recalls)) < np.repeat(np.round(np.array(recalls) * n), n)
    return made_role(
        name, labels, np.where(right, labels, (labels + 1) % len(recalls)), classes=len(recalls), seen=seen, units=units
    )


def judged(train, diagnosis, settings=VerdictSettings()):  # noqa: B008
    taps = made_taps(*[each for each in (train, diagnosis) if each], classes=diagnosis.logits.shape[1])
    return {each.label: each for each in label_verdicts(taps, settings)}, taps


BUGGY = ("under-fitted", "over-fitted")


def kinds(found):
    return {label: each.verdict for label, each in found.items()}


def test_known_labels_get_their_verdict_the_worst_first():
    train, diagnosis = role("train", [0.4, 0.98, 0.97, 0.99], seen=1), role("diagnosis", [0.3, 0.5, 0.96, 0.9])
    found, _ = judged(train, diagnosis)
    assert list(found) == [0, 1, 3, 2]
    assert kinds(found) == {0: "under-fitted", 1: "over-fitted", 2: "healthy", 3: "not sure"}
    assert found[0].severity == pytest.approx(0.8 - 0.4)
    assert found[1].severity == pytest.approx(0.98 - 0.5 - 0.15)
    assert found[3].severity == pytest.approx(0.99 - 0.9 - 0.15)
    assert found[0].p < 1e-6
    assert found[2].p == 1


def test_recalls_precision_gap_and_partners_are_counted():
    labels, predictions = [0, 0, 0, 0, 0, 1, 1, 2], [0, 1, 1, 2, 0, 1, 0, 2]
    found, _ = judged(made_role("train", [0, 0, 1], [0, 0, 1], seen=1), made_role("diagnosis", labels, predictions))
    assert (found[0].train.value, found[0].diagnosis.value, found[0].diagnosis.n) == (1.0, 0.4, 5)
    assert found[0].gap == pytest.approx(0.6)
    assert found[0].gap_low < 0.6 < found[0].gap_high
    assert found[0].partners == ((1, 2), (2, 1))
    assert (found[1].precision.value, found[1].precision.n) == (pytest.approx(1 / 3), 3)
    assert found[2].partners == ()


def test_counts_are_those_of_each_label_taken_alone():
    random = np.random.default_rng(0)
    labels, predictions = random.integers(-1, 40, 900), random.integers(0, 40, 900)
    predictions = np.where(random.random(900) < 0.6, labels.clip(0), predictions)
    units = random.integers(0, 300, 900).astype(str)
    diagnosis = made_role("diagnosis", labels, predictions, classes=40, units=units)
    train = replace(diagnosis, role="train", labels=labels[::-1], seen=random.integers(-1, 2, 900).astype(np.int8))
    taps = Taps(tuple(map(str, range(40))), (), (train, diagnosis))
    for found in label_verdicts(taps, VerdictSettings()):
        own, taken = labels == found.label, (predictions == found.label) & (labels >= 0)
        seen = (labels[::-1] == found.label) & (train.seen == 1)
        assert found.train == rate(predictions[seen] == found.label, units[seen])
        assert found.diagnosis == rate(predictions[own] == found.label, units[own])
        assert found.precision == rate(labels[taken] == found.label, units[taken])
        wrong = Counter(predictions[own & (predictions != found.label)].tolist())
        assert found.partners == tuple(sorted(wrong.items(), key=lambda each: (-each[1], each[0]))[:3])


def test_an_image_that_may_not_have_been_seen_says_nothing_of_train():
    train, diagnosis = role("train", [0.99, 0.99, 0.99], seen=1), role("diagnosis", [0.3, 0.95, 0.95])
    unsure = replace(train, seen=np.where(np.arange(300) % 2, -1, 1).astype(np.int8))
    found, _ = judged(unsure, diagnosis)
    assert found[0].train.n == 50
    for nothing in (replace(train, seen=np.full(300, -1, np.int8)), None):
        found, taps = judged(nothing, diagnosis)
        assert found[0].train.n == 0
        assert np.isnan([found[0].gap, found[0].gap_low]).all()
        assert kinds(found) == {0: "under-fitted", 1: "healthy", 2: "healthy"}
        assert "can't be told from" in verdict_notes(taps, tuple(found.values()))[0]


def test_too_few_images_or_independent_ones_get_no_verdict():
    few = role("diagnosis", [0.0, 0.9, 0.9], n=8)
    found, taps = judged(role("train", [0.1, 0.9, 0.9], seen=1), few)
    assert set(kinds(found).values()) == {"too few"}
    assert verdict_notes(taps, tuple(found.values())) == (
        "Too few independent images to judge a, b, c; load more labelled images of diagnosis or train.",
    )
    copies = role("diagnosis", [0.0, 0.9, 0.9], units=np.repeat(np.arange(15), 20))  # five drawings of each label
    assert set(kinds(judged(None, copies)[0]).values()) == {"too few"}
    none_seen = replace(role("train", [0.1, 0.9, 0.9], seen=1), labels=np.repeat([1, 1, 2], 100))
    assert kinds(judged(none_seen, role("diagnosis", [0.0, 0.9, 0.9]))[0])[0] == "too few"


def test_a_label_without_images_is_too_few():
    diagnosis = made_role("diagnosis", [0] * 30 + [1] * 30)
    found, _ = judged(None, diagnosis)
    assert found[2].verdict == "too few"
    assert found[2].diagnosis.n == 0
    assert np.isfinite(found[2].severity)


def test_thresholds_are_the_persons():
    train = role("train", [0.9, 0.99, 0.99], n=300, seen=1)
    diagnosis = role("diagnosis", [0.72, 0.99, 0.99], n=300)
    assert kinds(judged(train, diagnosis)[0])[0] == "not sure"
    assert kinds(judged(train, diagnosis, VerdictSettings(gap=0.05))[0])[0] == "over-fitted"
    assert kinds(judged(train, diagnosis, VerdictSettings(recall=0.97))[0])[0] == "under-fitted"


def test_without_labelled_images_of_diagnosis_that_is_said():
    train = role("train", [0.9, 0.9, 0.9], seen=1)
    for taps in (made_taps(train), made_taps(train, made_role("diagnosis", [-1] * 20, [0] * 20))):
        with pytest.raises(ValueError, match="no labelled image has the role 'diagnosis'"):
            label_verdicts(taps, VerdictSettings())


def simulated(random, train_recall, diagnosis_recall, labels=8, units=40, copies=3):
    """Healthy labels at the very threshold, three drawings of a scan being alike."""
    made = []
    for name, recall, seen in (("train", train_recall, 1), ("diagnosis", diagnosis_recall, 0)):
        owners = np.repeat(np.arange(labels * units), copies)
        truth = owners // units
        alike = random.random(len(owners)) < 0.5
        right = np.where(alike, (random.random(labels * units) < recall)[owners], random.random(len(owners)) < recall)
        made.append(
            made_role(name, truth, np.where(right, truth, (truth + 1) % labels), classes=labels, seen=seen,
                      features=np.zeros((len(truth), 1)), units=owners)
        )  # fmt: skip
    return Taps(tuple(NAMES[:labels]), made_taps(*made, classes=labels).taps, tuple(made))


@pytest.mark.parametrize(("train", "diagnosis"), [(0.8, 0.8), (0.98, 0.83), (0.9, 0.75)])
def test_healthy_labels_are_called_buggy_in_few_runs(train, diagnosis):
    random = np.random.default_rng(0)
    runs = 150
    wrong = sum(
        any(each.verdict in BUGGY for each in label_verdicts(simulated(random, train, diagnosis), VerdictSettings()))
        for _ in range(runs)
    )
    assert wrong / runs <= 0.05 + 2 * np.sqrt(0.05 * 0.95 / runs)


def test_both_planted_labels_of_the_demo_are_found_and_no_other():
    classifier, images = open_demo("digits")
    taps = tapped(joined(classifier.blueprint, images, lambda _: classifier), TapSettings(), Progress())
    truth = digits_truth(0)
    found = {each.label: each.verdict for each in label_verdicts(taps, VerdictSettings())}
    expected = {truth.under_trained: "under-fitted", truth.over_fitted: "over-fitted"}
    assert {label: kind for label, kind in found.items() if kind in BUGGY} == expected


def test_a_label_of_which_little_is_known_is_not_called_healthy():
    labels = np.repeat(np.arange(3), 12)
    half = np.where((labels == 0) & (np.arange(36) % 2 == 0), 1, labels)
    found, _ = judged(None, made_role("diagnosis", labels, half))
    assert found[0].diagnosis.value == 0.5
    assert found[0].verdict == "not sure"
