from dataclasses import replace

import numpy as np
import pytest

from engine.methods.error_discovery.search import Draws
from engine.methods.error_discovery.settings import IdentificationSettings
from engine.methods.error_discovery.thinning import distinct, radius, rank_within, thinned
from tests.methods.error_discovery.made_search import made_generator

SETTINGS = IdentificationSettings(per_image=3, per_pair=20)


def made_draws(count=400, seed=0):
    random = np.random.default_rng(seed)
    return Draws(
        codes=random.normal(0, 1, (count, 4)).astype(np.float32),
        seed=random.integers(0, 60, count),
        predictions=random.integers(0, 3, count),
        p_prediction=random.random(count).astype(np.float32),
        p_label=random.random(count).astype(np.float32),
        length=random.random(count).astype(np.float32),
        agreement=np.ones(count, np.float32),
        distance=np.ones(count, np.float32),
    )


def test_no_image_and_no_kind_has_more_than_its_share():
    generator, funnel = made_generator(), []
    found = thinned(made_draws(), generator, SETTINGS, funnel)
    assert np.bincount(found.seed).max() == 3
    kinds = generator.labels[found.seed] * 3 + found.predictions
    assert np.bincount(kinds).max() == 20
    assert [name for name, _ in funnel] == [
        "at most 3 an image", "no duplicates", "at most 20 of a label and answer",
    ]  # fmt: skip
    assert funnel[-1][1] == len(found)


def test_of_an_image_those_with_the_least_noise_are_kept():
    draws = made_draws()
    found = thinned(draws, made_generator(), replace(SETTINGS, per_pair=1000), [])
    for seed in np.unique(draws.seed):
        least = np.sort(draws.length[draws.seed == seed])[:3]
        assert set(found.length[found.seed == seed]) <= set(least)


def test_of_a_kind_every_image_has_its_turn():
    zeros = np.flatnonzero(made_generator().labels == 0)
    draws = replace(made_draws(), predictions=np.ones(400, np.int64), seed=zeros[np.arange(400) % 20])
    found = thinned(draws, made_generator(), SETTINGS, [])
    assert len(np.unique(found.seed)) == 20


def test_what_lies_near_another_of_its_kind_is_a_duplicate():
    codes = np.array([[0, 0], [0.5, 0], [0.9, 0], [3, 0], [3, 0.1], [0, 0.1]], dtype=np.float32)
    kinds = np.array([0, 0, 0, 0, 1, 1])
    assert distinct(codes, kinds, 0.6).tolist() == [0, 2, 3, 4, 5]


@pytest.mark.parametrize("seed", range(3))
def test_duplicates_have_a_slow_twin(seed):
    random = np.random.default_rng(seed)
    codes, kinds = random.normal(size=(120, 2)), np.sort(random.integers(0, 4, 120))
    kept = []
    for row in range(120):
        if all(kinds[other] != kinds[row] or np.linalg.norm(codes[row] - codes[other]) > 0.4 for other in kept):
            kept.append(row)
    assert distinct(codes, kinds, 0.4).tolist() == kept


def test_the_radius_is_a_twentieth_of_a_standard_deviation_each_way():
    assert radius(np.array([3.0, 4.0])) == pytest.approx(0.25)


def test_ranks_start_anew_in_each_group():
    assert rank_within(np.array([2, 2, 5, 7, 7, 7])).tolist() == [0, 1, 0, 0, 1, 2]
    assert rank_within(np.zeros(0, int)).tolist() == []


def test_nothing_stays_nothing():
    assert len(thinned(made_draws(0), made_generator(), SETTINGS, [])) == 0
