from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.toolkit.transforms.families import FAMILIES, family_named, in_order
from tests.toolkit.transforms.made import SIDES


@settings(deadline=None)
@given(st.sampled_from(SIDES), st.floats(0, 1))
def test_a_severity_comes_back_from_its_value(side, size):
    name, sign = side
    family = family_named(name)
    assert family.severity(family.value(sign * size)) == pytest.approx(sign * size, abs=1e-9)


@settings(deadline=None)
@given(st.sampled_from(SIDES), st.floats(0, 1), st.floats(0, 1))
def test_a_larger_severity_lies_further_from_the_identity(side, one, other):
    name, sign = side
    family = family_named(name)
    near, far = (abs(family.value(sign * size) - family.identity) for size in sorted((one, other)))
    assert near <= far + 1e-12


@pytest.mark.parametrize(("name", "sign"), SIDES)
def test_a_side_ends_where_it_says(name, sign):
    family = family_named(name)
    assert family.value(0) == family.identity
    assert family.value(sign) == pytest.approx(family.side(sign).end)


def test_a_family_of_one_side_has_no_negative_severities():
    with pytest.raises(ValueError, match=r"severity of occlusion must lie in \[0, 1\], got -0.5"):
        family_named("occlusion").value(-0.5)
    with pytest.raises(ValueError, match=r"severity of rotation must lie in \[-1, 1\], got 2"):
        family_named("rotation").value(2)


def test_a_value_on_a_side_that_is_not_there_is_refused():
    with pytest.raises(ValueError, match="occlusion has no value -3: it starts at 0 % of the side"):
        family_named("occlusion").severity(-3)


def test_an_unknown_name_is_refused_with_the_names_there_are():
    with pytest.raises(ValueError, match="there is no transform called 'fog'; there are rotation, translation_x"):
        family_named("fog")


def test_names_come_in_the_order_in_which_families_are_applied():
    assert in_order(("jpeg", "hue", "rotation")) == ("rotation", "hue", "jpeg")
    assert in_order(tuple(family.name for family in reversed(FAMILIES))) == tuple(family.name for family in FAMILIES)
