from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import balanced_accuracy_score, confusion_matrix, log_loss, precision_recall_fscore_support
from torch import nn

from engine.methods.evaluation import EVALUATION, FEATURES
from engine.methods.evaluation.evaluate import outcomes
from engine.methods.evaluation.features import nearest
from engine.methods.evaluation.figures import calibration_error, summarise
from engine.methods.evaluation.sentences import how_good, stands_out, suggestion, what_fails
from engine.methods.evaluation.settings import EvaluationSettings, FeatureSettings
from engine.runs.progress import Progress
from engine.subject.image_set import UNLABELLED, Seen
from engine.subject.subject import joined
from engine.toolkit.taps import last_layer
from tests.conftest import BLUE, GREEN, RED, colour_images


def evaluated(subject, role="diagnosis"):
    return EVALUATION.run(subject, EvaluationSettings(role), {}, Progress())


def calibration_error_by_the_book(confidence, right):
    total = 0.0
    for number in range(15):
        inside = [place for place, share in enumerate(confidence) if number / 15 < share <= (number + 1) / 15]
        if inside:
            accuracy = sum(right[place] for place in inside) / len(inside)
            mean = sum(confidence[place] for place in inside) / len(inside)
            total += len(inside) / len(confidence) * abs(accuracy - mean)
    return total


@given(st.lists(st.tuples(st.floats(0.01, 1), st.booleans()), min_size=1, max_size=60))
def test_the_calibration_error_agrees_with_the_book(rows):
    confidence, right = np.array([share for share, _ in rows]), np.array([hit for _, hit in rows])
    assert calibration_error(confidence, right) == pytest.approx(calibration_error_by_the_book(confidence, right))


def test_a_classifier_as_sure_as_it_is_right_has_no_calibration_error():
    assert calibration_error(np.full(4, 0.75), np.array([1, 1, 1, 0])) == pytest.approx(0)


@settings(deadline=None)
@given(st.integers(0, 10_000))
def test_every_figure_agrees_with_scikit_learn(seed):
    draws = np.random.default_rng(seed)
    classes = tuple("abcd")
    logits = torch.tensor(draws.normal(size=(80, 4)), dtype=torch.float32)
    labels = draws.integers(0, 4, 80)
    columns = outcomes(logits, labels)
    predictions = columns["top"][:, 0]
    found = summarise(classes, labels, columns["top"], columns["top_confidence"], columns["loss"], np.arange(80))
    np.testing.assert_array_equal(found.confusion, confusion_matrix(labels, predictions, labels=range(4)))
    expected = precision_recall_fscore_support(labels, predictions, labels=range(4), zero_division=np.nan)
    precision, recall, f1, support = expected
    np.testing.assert_allclose([each.precision.value for each in found.per_class], precision)
    np.testing.assert_allclose([each.recall.value for each in found.per_class], recall)
    np.testing.assert_array_equal([each.support for each in found.per_class], support)
    both = ~np.isnan(f1) & ~np.isnan(precision)
    np.testing.assert_allclose(np.array([each.f1 for each in found.per_class])[both], f1[both])
    assert found.balanced_accuracy == pytest.approx(balanced_accuracy_score(labels, predictions))
    assert found.nll == pytest.approx(log_loss(labels, logits.double().softmax(dim=1), labels=range(4)), rel=1e-4)
    assert found.accuracy.value == pytest.approx((labels == predictions).mean())


def test_the_margin_is_above_zero_exactly_where_the_answer_is_right():
    logits = torch.tensor([[3.0, 1.0, 2.0], [3.0, 1.0, 2.0], [3.0, 1.0, 2.0]])
    columns = outcomes(logits, np.array([0, 2, UNLABELLED]))
    np.testing.assert_allclose(columns["margin"], [1.0, -1.0, np.nan])
    assert np.isnan(columns["loss"][2])


def test_known_colours_give_known_figures(rgb_subject):
    found = evaluated(rgb_subject)
    assert found.summary.accuracy.n == 9
    assert found.summary.accuracy.value == pytest.approx(6 / 9)
    assert found.wrong.nonzero()[0].tolist() == [0, 1, 8]
    assert found.summary.confusion.tolist() == [[1, 0, 1], [2, 3, 0], [0, 0, 2]]
    assert found.summary.per_class[1].recall.value == pytest.approx(3 / 5)
    assert found.summary.top5 is None
    assert found.confidence.min() > 0.99


def test_images_without_labels_are_classified_and_counted_apart(rgb_subject):
    labels = rgb_subject.images.labels.copy()
    labels[:2] = UNLABELLED
    found = evaluated(replace(rgb_subject, images=replace(rgb_subject.images, labels=labels)))
    assert found.summary.unlabelled == 2
    assert found.summary.accuracy.n == 7
    assert found.predictions[:2].tolist() == [0, 0]


def test_a_class_without_images_has_no_recall_and_breaks_nothing():
    images = colour_images([RED, GREEN], [0, 1])
    from tests.conftest import RedGreenBlue, rgb_blueprint

    blueprint = rgb_blueprint()
    from engine.subject.classifier import Classifier

    found = evaluated(joined(blueprint, images, lambda blueprint: Classifier(RedGreenBlue(), blueprint)))
    assert found.summary.per_class[2].support == 0
    assert np.isnan(found.summary.per_class[2].recall.value)
    assert found.summary.balanced_accuracy == 1


def test_a_role_without_images_is_said_with_what_there_is(rgb_subject):
    with pytest.raises(ValueError, match="no image has the role 'test'; colours has 9 diagnosis"):
        evaluated(rgb_subject, "test")


def test_a_network_that_gives_nan_is_stopped_with_the_image_named(rgb_subject):
    with torch.no_grad():
        rgb_subject.classifier.network.head.weight[0, 0] = torch.nan
    with pytest.raises(ValueError, match=r"NaN or infinity for 9 images, 0\.png the first"):
        evaluated(rgb_subject)


def test_evaluating_in_pieces_gives_the_same(rgb_subject, monkeypatch):
    whole = evaluated(rgb_subject)
    monkeypatch.setattr("engine.methods.evaluation.evaluate.PIECE_IMAGES", 2)
    parts = evaluated(rgb_subject)
    np.testing.assert_array_equal(parts.top, whole.top)
    np.testing.assert_allclose(parts.loss, whole.loss, rtol=1e-5)


def test_the_classifier_is_left_as_it_was_found(rgb_subject):
    weights = {name: tensor.clone() for name, tensor in rgb_subject.classifier.state_dict().items()}
    evaluated(rgb_subject)
    FEATURES.run(rgb_subject, FeatureSettings("diagnosis"), {}, Progress())
    for name, tensor in rgb_subject.classifier.state_dict().items():
        torch.testing.assert_close(tensor, weights[name])
    assert all(
        not module._forward_hooks and not module._forward_pre_hooks for module in rgb_subject.classifier.modules()
    )


def test_the_nearest_images_are_those_of_the_same_colour(rgb_subject):
    features = FEATURES.run(rgb_subject, FeatureSettings("diagnosis"), {}, Progress())
    np.testing.assert_allclose(np.linalg.norm(features.vectors, axis=1), 1, rtol=1e-5)
    ids, similarity = nearest(features, features.vectors[4], 3)
    assert set(ids) == set(rgb_subject.images.ids[3:6])
    assert similarity[0] == pytest.approx(1)


def test_features_of_many_images_are_a_fixed_draw(rgb_subject):
    few = FEATURES.run(rgb_subject, FeatureSettings("diagnosis", most_images=4), {}, Progress())
    assert sorted(few.ids) == sorted(rgb_subject.images.ids)[:4]


def test_the_last_layer_is_the_one_that_runs_last_not_the_one_defined_last(rgb_subject):
    class Backwards(nn.Module):
        def __init__(self):
            super().__init__()
            self.head = nn.Linear(3, 3)
            self.stem = nn.Conv2d(3, 3, 1)

        def forward(self, images):
            return self.head(self.stem(images).mean(dim=(2, 3)))

    classifier = rgb_subject.classifier
    classifier.network = Backwards()
    assert last_layer(classifier, torch.zeros(1, 3, 8, 8)) is classifier.network.head


def test_the_sentences_hold_the_figures(rgb_subject):
    found = evaluated(rgb_subject)
    assert how_good(found).startswith("It is right on 66.7% of 9 diagnosis images (95 % interval 35.4% to 87.9%;")
    assert "commonest confusion is green taken for red: 2 of its 3 mistakes" in what_fails(found).lower()
    assert suggestion(found).method == "error_discovery"


def test_a_label_far_below_the_rest_suggests_input_selection():
    colours = [RED] * 60 + [GREEN] * 60 + [BLUE] * 60
    labels = [0] * 60 + [1] * 60 + [2] * 20 + [1] * 40
    from engine.subject.classifier import Classifier
    from tests.conftest import RedGreenBlue, rgb_blueprint

    blueprint = rgb_blueprint()
    found = evaluated(
        joined(blueprint, colour_images(colours, labels), lambda blueprint: Classifier(RedGreenBlue(), blueprint))
    )
    assert suggestion(found).method == "input_selection"
    assert what_fails(found).startswith("Its worst label of 3 is green: 60.0% of 100 images")


def test_settings_that_cannot_be_are_refused():
    with pytest.raises(ValueError, match="role must be one of train, pool, diagnosis, test, all"):
        EvaluationSettings("validation")
    with pytest.raises(ValueError, match="most_images must be at least 1"):
        FeatureSettings("train", 0)


def test_the_worst_of_many_labels_does_not_stand_out_by_being_the_worst():
    """A hundred labels of the same difficulty: the lowest recall is low by chance, in nearly every draw."""
    draws, claimed = np.random.default_rng(0), 0
    labels = np.repeat(np.arange(100), 10)
    for _ in range(60):
        predictions = np.where(draws.random(1000) < 0.7, labels, (labels + 1) % 100)
        top = np.stack([predictions, (predictions + 1) % 100], axis=1)
        share = np.full((1000, 2), 0.5, np.float32)
        summary = summarise(tuple(map(str, range(100))), labels, top, share, np.zeros(1000), np.arange(1000))
        claimed += stands_out(summary)
    assert claimed <= 6


def test_what_was_trained_on_is_said(rgb_subject):
    seen = replace(rgb_subject.images, seen=np.full(9, Seen.YES, np.int8))
    assert how_good(evaluated(replace(rgb_subject, images=seen))).endswith("; it was trained on all of them.")
    unknown = replace(rgb_subject.images, seen=np.full(9, Seen.UNKNOWN, np.int8))
    assert "whether it was trained on them is unknown" in how_good(evaluated(replace(rgb_subject, images=unknown)))
    assert "trained" not in how_good(evaluated(rgb_subject))


def test_the_balanced_interval_is_as_wide_as_few_groups_make_it():
    labels, units = np.repeat([0, 1], 200), np.repeat(np.arange(8), 50)
    top = np.stack([labels, 1 - labels], axis=1)
    found = summarise(("a", "b"), labels, top, np.full((400, 2), 0.5, np.float32), np.zeros(400), units)
    assert found.balanced_accuracy == 1.0
    assert found.balanced_low < 0.8  # four groups a class
