import numpy as np
from scipy import stats

from engine.methods.input_selection.agreement import agreement, spearman
from engine.methods.input_selection.metrics import scores
from engine.methods.input_selection.settings import METRICS


def test_correlations_are_scipys_ties_included():
    columns = np.random.default_rng(0).integers(0, 6, (40, 4)).astype(float)
    np.testing.assert_allclose(spearman(columns), stats.spearmanr(columns).statistic, atol=1e-12)
    assert spearman(np.ones((5, 2))).tolist() == [[0, 0], [0, 0]]


def test_both_ends_of_every_ranking_are_shown():
    random = np.random.default_rng(1)
    candidates, values = random.random((30, 32)), random.random(32)
    found = agreement(candidates, values, few=5, shape=(2, 4, 4))
    assert found.metrics == METRICS
    assert found.best.shape == found.worst.shape == (9, 5)
    for place, metric in enumerate(METRICS):
        distance = scores(candidates, values[None], metric, shape=(2, 4, 4))[:, 0]
        assert found.best[place].tolist() == np.argsort(distance)[:5].tolist()
        assert found.worst[place].tolist() == np.argsort(-distance)[:5].tolist()
    lengths = [METRICS.index(name) for name in ("manhattan", "euclidean", "minkowski")]
    assert found.spearman[np.ix_(lengths, lengths)].min() > 0.8  # they are nearly one metric
    flat = agreement(candidates, values)
    histogram = scores(candidates, values[None], "wasserstein", wasserstein="histogram")[:, 0]
    assert flat.best[METRICS.index("wasserstein")].tolist() == np.argsort(histogram)[:6].tolist()
