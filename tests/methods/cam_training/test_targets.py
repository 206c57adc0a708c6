from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from engine.methods.cam_training.targets import check_class, explained, target

LOGITS = torch.tensor([[2.0, 1.0, -1.0, 0.0], [0.0, 3.0, 1.0, -2.0]])
LABELS = torch.tensor([1, 1])
WHAT = st.sampled_from(["label", "prediction", "0", "1", "2", "3"])


def by_the_book(logits, labels, of, against) -> list[float]:
    """One image after the other, in plain numbers."""
    found = []
    for row, label in zip(logits.tolist(), labels.tolist(), strict=True):
        names = {"label": label, "prediction": row.index(max(row))}
        ours = names.get(of, int(of) if of.isdecimal() else -1)
        others = [value for place, value in enumerate(row) if place != ours]
        if against == "":
            less = 0.0
        elif against == "rest":
            less = math.log(sum(math.exp(value) for value in others))
        else:
            theirs = names.get(against, int(against) if against.isdecimal() else -1)
            less = max(others) if theirs == ours else row[theirs]
        found.append(row[ours] - less)
    return found


@given(WHAT, WHAT | st.sampled_from(["", "rest"]), st.integers(0, 100))
def test_the_score_agrees_with_the_book(of, against, seed):
    generator = torch.Generator().manual_seed(seed)
    logits, labels = 3 * torch.randn(5, 4, generator=generator), torch.randint(0, 4, (5,), generator=generator)
    expected = torch.tensor(by_the_book(logits, labels, of, against))
    torch.testing.assert_close(explained(logits, labels, of, against), expected, atol=1e-5, rtol=1e-5)


def test_scores_that_are_known():
    assert explained(LOGITS, LABELS, "label", "").tolist() == [1, 3]
    assert explained(LOGITS, LABELS, "prediction", "2").tolist() == [3, 2]
    # the second image is right, so its label is told apart from the runner-up
    assert explained(LOGITS, LABELS, "label", "prediction").tolist() == [-1, 2]


def test_the_score_against_the_rest_is_the_log_odds():
    shares = LOGITS.softmax(dim=1)[:, 1]
    torch.testing.assert_close(explained(LOGITS, LABELS, "1", "rest"), torch.log(shares / (1 - shares)))


@pytest.mark.parametrize("score", [-3.0, 0.5])
def test_one_logit_has_the_sign_of_the_class(score):
    logits, labels = torch.tensor([[0.0, score]]), torch.tensor([0])
    assert explained(logits, labels, "1", "rest").item() == pytest.approx(score)
    assert explained(logits, labels, "label", "rest").item() == pytest.approx(-score)
    assert explained(logits, labels, "prediction", "rest").item() == pytest.approx(abs(score))


def test_the_class_is_decided_once_and_asked_of_other_logits():
    wanted = target(LOGITS, LABELS, "prediction", "rest")
    other = LOGITS.flip(1)
    torch.testing.assert_close(wanted.score(other), explained(other, torch.tensor([0, 1]), "label", "rest"))
    rows = torch.tensor([1, 1, 0])
    torch.testing.assert_close(wanted.take(rows).score(other[rows]), wanted.score(other)[rows])


def test_the_gradient_weighs_the_others_by_their_softmax_share():
    logits = LOGITS.clone().requires_grad_()
    found = torch.autograd.grad(explained(logits, LABELS, "label", "rest").sum(), logits)[0]
    others = LOGITS.clone()
    others[:, 1] = -torch.inf
    expected = -others.softmax(dim=1)
    expected[:, 1] = 1
    torch.testing.assert_close(found, expected)
    alone = torch.autograd.grad(explained(logits, LABELS, "label", "").sum(), logits)[0]
    assert alone.tolist() == [[0, 1, 0, 0]] * 2


def test_a_label_that_is_missing_is_said_where_it_is_needed():
    labels = torch.tensor([1, -1])
    for of, against in (("label", "rest"), ("prediction", "label")):
        with pytest.raises(ValueError, match="an image without a label can't have a map for its label"):
            explained(LOGITS, labels, of, against)
    assert explained(LOGITS, labels, "prediction", "").tolist() == [2, 3]


def test_a_class_that_does_not_exist_is_named():
    with pytest.raises(ValueError, match="there is no class 4: the network tells 4 apart, numbered 0 to 3"):
        explained(LOGITS, LABELS, "4", "rest")
    with pytest.raises(ValueError, match="there is no class 12"):
        explained(LOGITS, LABELS, "0", "12")
    for fine in ("label", "rest", "", "3"):
        check_class(fine, 4)
