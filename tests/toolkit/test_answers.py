from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.toolkit.answers import certainty, loss, margin

ROWS = st.lists(
    st.tuples(st.lists(st.floats(-50, 50), min_size=4, max_size=4), st.integers(0, 3)), min_size=1, max_size=6
)


def tensors(rows):
    return torch.tensor([logits for logits, _ in rows], dtype=torch.float64), torch.tensor([label for _, label in rows])


@settings(deadline=None)
@given(ROWS)
def test_every_number_is_that_of_a_loop_over_rows_and_classes(rows):
    logits, labels = tensors(rows)
    prediction, confidence = certainty(logits)
    for place, (numbers, label) in enumerate(rows):
        top = max(numbers)
        shares = [math.exp(number - top) for number in numbers]
        others = [number for other, number in enumerate(numbers) if other != label]
        assert margin(logits, labels)[place].item() == pytest.approx(numbers[label] - max(others))
        expected = math.log(sum(shares)) + top - numbers[label]
        assert loss(logits, labels)[place].item() == pytest.approx(expected, rel=1e-9, abs=1e-12)
        assert confidence[place].item() == pytest.approx(max(shares) / sum(shares))
        assert numbers[int(prediction[place])] == pytest.approx(top)


@settings(deadline=None)
@given(ROWS)
def test_the_margin_is_above_zero_exactly_where_no_other_class_is_as_likely(rows):
    logits, labels = tensors(rows)
    for place, (numbers, label) in enumerate(rows):
        wins = all(numbers[label] > number for other, number in enumerate(numbers) if other != label)
        assert (margin(logits, labels)[place].item() > 0) == wins


def test_what_is_asked_is_left_as_it_was_and_lets_gradients_through():
    logits = torch.tensor([[1.0, 3.0, 2.0], [0.0, -1.0, 5.0]], requires_grad=True)
    labels = torch.tensor([0, 2])
    (gradient,) = torch.autograd.grad(margin(logits, labels).sum(), logits)
    assert gradient.tolist() == [[1, -1, 0], [-1, 0, 1]]
    assert logits.tolist() == [[1, 3, 2], [0, -1, 5]]
    (gradient,) = torch.autograd.grad(loss(logits, labels).sum(), logits)
    expected = logits.detach().softmax(dim=1) - torch.eye(3)[labels]
    torch.testing.assert_close(gradient, expected)


def test_two_classes_are_enough():
    assert margin(torch.tensor([[0.0, 2.0]]), torch.tensor([1])).tolist() == [2.0]
