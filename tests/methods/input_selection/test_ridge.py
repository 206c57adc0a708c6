import numpy as np
import pytest
from sklearn.linear_model import Ridge, RidgeCV

from engine.methods.input_selection.ridge import (
    PENALTIES,
    generalised_error,
    moments_of,
    shares,
    with_best_penalty,
    with_penalty,
)
from tests.methods.input_selection.planted_features import blobs


def ridge_probe(features, labels, classes):
    return with_best_penalty(moments_of(features, labels, classes))[0]


def test_weights_and_penalty_are_scikit_learns():
    features, labels = blobs(n=120, features=20)
    onehot = np.eye(3)[labels]
    n = len(labels)
    errors = []
    for penalty in PENALTIES:  # the same by hand: leave-one-out error with the average leverage
        fit = Ridge(alpha=penalty * n).fit(features, onehot)
        centred = features - features.mean(axis=0)
        hat = centred @ np.linalg.solve(centred.T @ centred + penalty * n * np.eye(20), centred.T)
        squared = np.sum((onehot - fit.predict(features)) ** 2) / n
        errors.append(squared / (1 - (np.trace(hat) + 1) / n) ** 2)
    best = Ridge(alpha=PENALTIES[int(np.argmin(errors))] * n).fit(features, onehot)
    probe = ridge_probe(features, labels, 3)
    np.testing.assert_allclose(probe.weights, best.coef_.T, atol=1e-3)
    np.testing.assert_allclose(probe.bias, best.intercept_, atol=1e-5)


def test_taking_images_away_leaves_the_probe_of_the_others():
    features, labels = blobs(n=200, features=12)
    features = features + 0.5  # of the rest the mean isn't 0 in any case
    labels[labels == 2] = np.where(np.arange(np.sum(labels == 2)) < 20, 2, 1)
    away = (np.arange(200) % 3 == 0) | (labels == 2)  # class 2 goes altogether
    rest = moments_of(features, labels, 3) - moments_of(features[away], labels[away], 3)
    probe = with_penalty(rest, 0.1)
    fit = Ridge(alpha=0.1 * rest.n).fit(features[~away].astype(np.float64), np.eye(3)[labels[~away]])
    assert rest.n == np.sum(~away)
    np.testing.assert_allclose(probe.weights, fit.coef_.T, atol=1e-5)
    np.testing.assert_allclose(probe.bias[:2], fit.intercept_[:2], atol=1e-5)
    assert probe.bias[2] == -np.inf


def test_it_predicts_as_well_as_leaving_each_image_out():
    features, labels = blobs(n=60, features=40, spread=3)
    held, truth = blobs(n=2000, features=40, spread=3, seed=1)
    theirs = RidgeCV(alphas=PENALTIES * 60).fit(features, np.eye(3)[labels])
    probe = ridge_probe(features, labels, 3)
    right = [(scores.argmax(axis=1) == truth).mean() for scores in (probe.scores(held), theirs.predict(held))]
    assert right[0] >= right[1] - 0.02


def test_more_features_than_images_are_no_free_lunch():
    features, labels = blobs(n=20, features=64)
    assert np.isfinite(ridge_probe(features, labels, 3).weights).all()
    eigenvalues = np.full(64, 1.0)
    assert generalised_error(eigenvalues, np.zeros((64, 3)), 0.6, 1e-9, 20) == float("inf")


def test_one_class_alone_is_always_answered():
    features, _ = blobs(n=10)
    probe = ridge_probe(features, np.full(10, 1), 3)
    assert (probe.scores(features).argmax(axis=1) == 1).all()


def test_shares_are_at_least_0_and_sum_to_1():
    found = shares(np.array([[0.7, 0.5, -0.2], [-np.inf, 0.2, 0.8]], np.float32))
    assert found == pytest.approx(np.array([[7 / 12, 5 / 12, 0], [0, 0.2, 0.8]]))
