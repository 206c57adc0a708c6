import numpy as np

from engine.methods.error_discovery.halves import aside


def test_a_unit_is_in_one_half_whatever_else_there_is():
    units = np.array([f"scan {number % 500}" for number in range(1500)])
    found = aside(units)
    assert (found[:500] == found[500:1000]).all()
    assert (aside(units[::-1])[::-1] == found).all()
    assert aside(units[7:8])[0] == found[7]
    assert 0.4 < found[:500].mean() < 0.6


def test_no_unit_is_no_half():
    assert aside(np.zeros(0, np.str_)).tolist() == []
