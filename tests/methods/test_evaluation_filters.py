from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.methods.evaluation import EVALUATION
from engine.methods.evaluation.filters import Filter, Order, matching
from engine.methods.evaluation.settings import EvaluationSettings
from engine.runs.progress import Progress
from engine.subject.classifier import Classifier
from engine.subject.subject import joined
from tests.conftest import BLUE, GREEN, RED, RedGreenBlue, colour_images, rgb_blueprint

COLOURS = [RED, GREEN, BLUE, (120, 100, 0), (0, 90, 100)] * 6
LABELS = [0, 1, -1, 1, 2] * 5 + [2, 2, 2, 0, 0]


@pytest.fixture(scope="module")
def examined():
    images = colour_images(COLOURS, LABELS)
    subject = joined(rgb_blueprint(), images, lambda blueprint: Classifier(RedGreenBlue(), blueprint))
    return EVALUATION.run(subject, EvaluationSettings(), {}, Progress()), images


filters = st.builds(
    Filter,
    labels=st.none() | st.lists(st.integers(-1, 2), max_size=2).map(tuple),
    predictions=st.none() | st.lists(st.integers(0, 2), max_size=2).map(tuple),
    cells=st.lists(st.tuples(st.integers(0, 2), st.integers(0, 2)), max_size=2).map(tuple),
    right=st.sampled_from([None, True, False]),
    confidence_low=st.sampled_from([0.0, 0.6, 0.99]),
    name_has=st.sampled_from(["", "1", "5.PNG"]),
    order=st.sampled_from(list(Order)),
)


@given(wanted=filters)
def test_every_image_that_fits_is_there_once_and_no_other(examined, wanted):
    evaluation, images = examined

    def fits(row):
        label, prediction = evaluation.labels[row], evaluation.predictions[row]
        return (
            (wanted.labels is None or label in wanted.labels)
            and (wanted.predictions is None or prediction in wanted.predictions)
            and (not wanted.cells or (label, prediction) in wanted.cells)
            and (wanted.right is None or (label >= 0 and (label == prediction) == wanted.right))
            and evaluation.confidence[row] >= wanted.confidence_low
            and wanted.name_has.lower() in images.names[row].lower()
        )

    assert sorted(matching(evaluation, images, wanted)) == [row for row in range(30) if fits(row)]


def test_the_worst_come_first_and_those_without_a_label_last(examined):
    evaluation, images = examined
    rows = matching(evaluation, images, Filter())
    losses = evaluation.loss[rows]
    labelled = ~np.isnan(losses)
    assert (np.diff(losses[labelled]) <= 0).all()
    assert not labelled[-5:].any()


def test_names_and_confidence_sort_both_ways(examined):
    evaluation, images = examined
    sure = evaluation.confidence[matching(evaluation, images, Filter(order=Order.SURE))]
    unsure = evaluation.confidence[matching(evaluation, images, Filter(order=Order.UNSURE))]
    assert (np.diff(sure) <= 0).all()
    assert (np.diff(unsure) >= 0).all()
    rows = matching(evaluation, images, Filter(order=Order.NAME))
    assert images.names[rows].tolist() == sorted(images.names.tolist())


def test_a_selection_s_ids_filter_too(examined):
    evaluation, images = examined
    assert set(matching(evaluation, images, Filter(ids=(str(images.ids[3]), "unknown")))) == {3}


def test_two_ranges_hold_each_for_its_own_answers(examined):
    evaluation, images = examined
    rows = matching(evaluation, images, Filter(ranges=((True, 0.99, 1.0), (False, 0.0, 0.99))))
    known = evaluation.labels >= 0
    sure_right = known & ~evaluation.wrong & (evaluation.confidence >= 0.99)
    unsure_wrong = evaluation.wrong & (evaluation.confidence <= 0.99)
    assert sorted(rows) == np.flatnonzero(sure_right | unsure_wrong).tolist()
    assert 0 < unsure_wrong.sum() < evaluation.wrong.sum()
