import numpy as np
import pytest
import torch
import torch.nn.functional as F
from scipy.special import softmax
from sklearn.linear_model import LogisticRegression

from engine.methods.input_selection.softmax_probes import (
    CURVATURE,
    PENALTY,
    SAMPLE,
    SHRUNK,
    penalised,
    softmax_probe,
    stretched,
)
from tests.methods.input_selection.planted_features import blobs


def theirs(features, labels, penalty=PENALTY):
    return LogisticRegression(C=1 / penalty, tol=1e-7, max_iter=5000).fit(features.astype(np.float64), labels)


# for two classes scikit-learn has one row of weights, the difference of ours, and so half their penalty
@pytest.mark.parametrize(("classes", "features", "penalty"), [(3, 8, PENALTY), (5, 40, PENALTY), (2, 6, PENALTY / 2)])
def test_the_minimum_is_scikit_learns(classes, features, penalty):
    found, labels = blobs(n=400, classes=classes, features=features)
    probe, other = softmax_probe(found, labels, classes, flat=1e-6), theirs(found, labels, penalty)
    np.testing.assert_allclose(softmax(probe.scores(found), axis=1), other.predict_proba(found), atol=2e-3)


def test_where_it_stops_by_default_held_out_answers_are_the_minimums():
    features, labels = blobs(n=500, classes=6, features=60, spread=2.5)
    held, truth = blobs(n=3000, classes=6, features=60, spread=2.5, seed=1)
    probe, other = softmax_probe(features, labels, 6), theirs(features, labels)
    right = (probe.scores(held).argmax(axis=1) == truth).mean()
    assert right == pytest.approx(other.score(held, truth), abs=0.005)


@pytest.mark.parametrize(("n", "apart"), [(4 * SAMPLE, 4), (10, 1)])
def test_stretched_features_are_about_equally_curved(n, apart):
    features, _ = blobs(n=n, features=30)
    stretch, some = stretched(features), features[::apart]
    curvature = CURVATURE * some.T @ some / len(some) + (PENALTY / n + SHRUNK) * np.eye(30)
    np.testing.assert_allclose(stretch @ curvature @ stretch.T, np.eye(30), atol=1e-4)


def test_loss_and_slopes_are_autograds():
    features, labels = blobs(n=50)
    weights, bias = torch.randn(3, 8, generator=torch.Generator().manual_seed(0)), torch.tensor([0.1, -0.3, 0.0])
    weights.requires_grad_(), bias.requires_grad_()
    matrix, targets = torch.from_numpy(features), torch.from_numpy(labels)
    expected = F.cross_entropy(matrix @ weights.T + bias, targets) + PENALTY / 2 / 50 * (weights**2).sum()
    expected.backward()
    with torch.no_grad():
        loss, slope, bias_slope = penalised(matrix, F.one_hot(targets).float().T.contiguous(), weights, bias)
    assert loss.item() == pytest.approx(expected.item(), rel=1e-6)
    torch.testing.assert_close(slope, weights.grad)
    torch.testing.assert_close(bias_slope, bias.grad)


def test_a_class_without_images_has_no_share():
    features, labels = blobs(n=60)
    shares = softmax(softmax_probe(features, np.array([0, 2, 3])[labels], 5).scores(features), axis=1)
    np.testing.assert_array_equal(shares[:, [1, 4]], 0)
    np.testing.assert_allclose(shares.sum(axis=1), 1, rtol=1e-6)
