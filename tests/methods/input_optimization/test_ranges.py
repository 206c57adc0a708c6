from __future__ import annotations

import math

import numpy as np
import pytest

from engine.methods.input_optimization.augmentation import augmentation_code
from engine.methods.input_optimization.ranges import augmentation_ranges
from engine.methods.input_optimization.result import Breakpoint, Breakpoints
from engine.toolkit.transforms.families import family_named


def broken(family: str, sign: int, severity: float, reached: bool = True, scope: str = "all") -> Breakpoint:
    return Breakpoint(
        family, sign, scope, severity, 0.0, 1.0, reached, 1.0, severity, 0.0, 1.0, reached or None, 0.8, 100, 100, 1.0
    )


def found(*rows: Breakpoint) -> dict[str, tuple[float, float]]:
    nothing = np.zeros((0, 0))
    return augmentation_ranges(Breakpoints(rows, (), (), nothing.astype(np.float32), nothing.astype(bool)))


def test_each_side_goes_half_as_far_again_as_its_breakpoint():
    ranges = found(broken("rotation", 1, 0.2), broken("rotation", -1, 0.4), broken("gaussian_blur", 1, 0.1))
    assert ranges["rotation"] == pytest.approx((-27, 13.5))
    assert ranges["gaussian_blur"] == pytest.approx((0, 2.25))


def test_no_side_goes_beyond_the_range_that_was_tried():
    assert found(broken("shear", 1, 0.9), broken("shear", -1, 0.8)) == {"shear": (-30, 30)}


def test_a_side_that_does_not_break_stays_where_nothing_changes():
    rows = (broken("brightness", 1, math.nan, reached=False), broken("brightness", -1, 0.3, reached=True))
    low, high = found(*rows)["brightness"]
    assert high == 1
    assert low == pytest.approx(family_named("brightness").value(-0.45))
    assert found(broken("scale", 1, 0.5, reached=False)) == {}  # perhaps, but not for certain


def test_a_family_that_runs_down_has_its_lower_value_first():
    low, high = found(broken("jpeg", 1, 0.4))["jpeg"]
    assert (low, high) == (pytest.approx(family_named("jpeg").value(0.6)), 100)


def test_what_is_broken_unchanged_and_what_breaks_for_one_label_only_says_nothing():
    rows = (
        broken("rotation", 1, 0.0),
        broken("scale", 1, math.nan, reached=False),
        broken("scale", 1, 0.2, scope="cat"),
    )
    assert found(*rows) == {}


def test_the_ranges_can_be_said_as_code():
    rows = [broken(name, 1, 0.5) for name in ("rotation", "scale", "brightness", "jpeg", "quantise", "elastic")]
    compile(augmentation_code(found(*rows), 32, 32), "augmentation.py", "exec")
