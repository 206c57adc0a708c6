from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy.stats import kstest

from engine.toolkit.transforms.draws import NEEDED, drawn
from tests.toolkit.transforms.made import NAMES

SHAPE = (3, 8, 12)


def test_only_families_with_something_left_to_chance_have_an_entry():
    draws = drawn(NAMES, ["a", "b"], SHAPE, seed=0)
    assert set(draws) == set(NEEDED)
    assert all(len(rows) == 2 and rows.dtype == torch.float32 for rows in draws.values())


@pytest.mark.parametrize("name", NEEDED)
def test_a_row_belongs_to_its_id_whatever_comes_with_it(name):
    many = drawn(NAMES, ["a", "b", "c", "b"], SHAPE, seed=5)[name]
    torch.testing.assert_close(drawn([name], ["c", "b"], SHAPE, seed=5)[name], many[[2, 1]], rtol=0, atol=0)
    assert torch.equal(many[1], many[3])


@pytest.mark.parametrize("name", NEEDED)
def test_another_seed_or_id_draws_something_else(name):
    rows = [drawn([name], [each], SHAPE, seed)[name] for each, seed in [("a", 0), ("b", 0), ("a", 1)]]
    assert not torch.equal(rows[0], rows[1])
    assert not torch.equal(rows[0], rows[2])


def test_families_of_the_same_image_draw_apart():
    draws = drawn(["time_mask", "frequency_mask", "motion_blur"], ["a"], SHAPE, seed=0)
    assert len({float(rows) for rows in draws.values()}) == 3


@pytest.mark.parametrize("name", NEEDED)
def test_numbers_follow_their_distribution(name):
    numbers = drawn([name], [str(place) for place in range(400)], SHAPE, seed=0)[name].numpy().ravel()
    normal = name in {"elastic", "gaussian_noise"}
    assert kstest(numbers[:4000], "norm" if normal else "uniform").pvalue > 0.001
    assert normal or (numbers.min() > 0 and numbers.max() < 1)


def test_the_global_random_state_is_left_alone():
    torch_state, numpy_state = torch.random.get_rng_state(), np.random.get_state()[1].copy()  # noqa: NPY002
    drawn(NAMES, ["a"], SHAPE, seed=0)
    assert torch.equal(torch.random.get_rng_state(), torch_state)
    np.testing.assert_array_equal(np.random.get_state()[1], numpy_state)  # noqa: NPY002


def test_no_images_draw_nothing():
    assert drawn(["gaussian_noise"], [], SHAPE, seed=0)["gaussian_noise"].shape == (0, 3, 8, 12)


def test_an_unknown_family_is_refused():
    with pytest.raises(ValueError, match="there is no transform called 'fog'"):
        drawn(["fog"], ["a"], SHAPE, seed=0)
