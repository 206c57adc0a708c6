import numpy as np
from sklearn.linear_model import RidgeClassifier

from engine.methods.input_selection.folds import FOLDS, dealt, folded
from engine.methods.input_selection.ridge import PENALTIES, moments_of, with_best_penalty
from tests.methods.input_selection.planted_features import blobs


def test_units_stay_whole_and_folds_are_even():
    units = np.repeat([f"scan {number}" for number in range(53)], 3)[np.random.default_rng(0).permutation(159)]
    fold = dealt(units, FOLDS, seed=0)
    assert all(len(set(fold[units == unit])) == 1 for unit in np.unique(units))
    assert max(np.bincount(fold)) - min(np.bincount(fold)) <= 3
    assert (dealt(units, FOLDS, seed=1) != fold).any()
    assert len(dealt(units[:0], FOLDS, seed=0)) == 0


def test_each_image_is_judged_as_by_a_probe_fitted_without_its_fold_by_hand():
    features, labels = blobs(n=240, classes=4, features=10, spread=3)
    held, _ = blobs(n=90, classes=4, features=10, spread=3, seed=1)
    known = np.where(np.arange(240) % 7 == 0, -1, labels)
    fold, held_fold = np.arange(240) // 4 % FOLDS, np.arange(90) // 3 % FOLDS
    found = folded(features, known, fold, held, held_fold, 4)
    _, penalty = with_best_penalty(moments_of(features[known >= 0], labels[known >= 0], 4))
    assert penalty in PENALTIES
    for number in range(FOLDS):
        rest = (fold != number) & (known >= 0)
        fit = RidgeClassifier(alpha=penalty * rest.sum()).fit(features[rest].astype(np.float64), labels[rest])
        np.testing.assert_array_equal(found.train[fold == number], fit.predict(features[fold == number]))
        np.testing.assert_array_equal(found.held[held_fold == number], fit.predict(held[held_fold == number]))


def test_an_image_whose_fold_is_all_there_is_gets_no_answer():
    features, labels = blobs(n=30)
    found = folded(features, labels, np.zeros(30, int), features, np.arange(30) % 2, 3)
    assert (found.train == -1).all()
    assert ((found.held == -1) == (np.arange(30) % 2 == 0)).all()
