import numpy as np
import pytest

from engine.toolkit.turns import in_turn


@pytest.mark.parametrize("count", [1, 7, 20])
def test_everything_has_its_turn_before_anything_comes_again(count):
    found = in_turn(np.arange(10, 17), count, np.random.default_rng(0))
    assert len(found) == count
    for start in range(0, count - 6, 7):
        assert sorted(found[start : start + 7].tolist()) == list(range(10, 17))


def test_the_generator_decides_the_order():
    orders = [in_turn(np.arange(30), 60, np.random.default_rng(seed)).tolist() for seed in (0, 0, 1)]
    assert orders[0] == orders[1] != orders[2]
    assert orders[0][:30] != orders[0][30:]
