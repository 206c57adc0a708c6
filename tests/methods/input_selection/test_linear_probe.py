import numpy as np

from engine.methods.input_selection.linear_probe import of_all_classes, scaling_of


def test_features_get_mean_0_and_deviation_1_and_constant_ones_stay_finite():
    features = np.random.default_rng(0).normal(1000, [0.5, 30, 0], (200, 3)).astype(np.float32)
    scaling = scaling_of(features)
    scaled = scaling.of(features)
    np.testing.assert_allclose(scaled.mean(axis=0), 0, atol=1e-3)
    np.testing.assert_allclose(scaled.std(axis=0), [1, 1, 0], atol=1e-3)
    assert scaling.scale[2] == 1
    assert scaling_of(np.zeros((3, 2), np.float32)).of(np.ones((1, 2), np.float32)).tolist() == [[1, 1]]


def test_a_class_without_images_is_never_answered():
    probe = of_all_classes(np.full((2, 2), -50.0), np.array([-9.0, -9.0]), np.array([0, 2]), classes=4)
    scores = probe.scores(np.ones((1, 2), np.float32))
    assert set(np.flatnonzero(np.isneginf(scores[0]))) == {1, 3}
