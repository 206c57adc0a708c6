from dataclasses import replace

import numpy as np
import pytest

from engine.methods.input_selection.standing import Standing, standing
from engine.runs.progress import Progress
from tests.methods.input_selection.made_subjects import made_images, made_subject


def of(labels, predictions):
    ids = np.array([str(n) for n in range(len(labels))])
    return Standing(ids, ids, np.array(labels), np.array(predictions), 0.5)


def test_figures_counted_by_hand():
    labels = [0, 0, 0, 0, 1, 1, 2, 2]
    before = of(labels, [0, 0, 1, 1, 1, 1, 0, 2])
    now = of(labels, [0, 0, 0, 1, 1, 0, 2, 1])
    found = now.figures((0, 1), before)
    assert found == pytest.approx(
        {
            "accuracy": 5 / 8,
            "target_recall": (3 / 4 + 1 / 2) / 2,
            "target_precision": (3 / 4 + 1 / 3) / 2,
            "worst_recall": 1 / 2,
            "broken": 2,  # the sixth and the eighth
            "fixed": 2,  # the third and the seventh
            "diagnosis_accuracy": 0.5,
        }
    )
    assert before.figures((0, 1), before)["broken"] == 0


def test_a_label_without_images_or_answers():
    now = of([0, 0], [0, 0])
    assert np.isnan(now.figures((1,), now)["target_recall"])
    assert of([1, 1], [0, 0]).figures((1,), now)["target_precision"] == 0


def test_only_labelled_images_of_test_count():
    images = made_images()
    labels = images.labels.copy()
    labels[images.indices("test")[:10]] = -1
    images = replace(images, labels=labels)
    classifier = made_subject().classifier
    found = standing(classifier, images, Progress())
    assert found.ids.tolist() == images.ids[images.indices("test")[10:]].tolist()
    assert 0 <= found.diagnosis_accuracy <= 1
    with pytest.raises(ValueError, match="no labelled image has the role 'test'"):
        standing(classifier, replace(images, roles=np.full(len(images), "train")), Progress())
