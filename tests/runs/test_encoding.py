from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from engine.runs.encoding import from_npy, put_together, take_apart, to_npy


class Colour(StrEnum):
    RED = "red"


@dataclass(frozen=True)
class Inner:
    share: float
    counts: np.ndarray


@dataclass(frozen=True)
class AnyResult:
    maps: np.ndarray
    names: tuple[str, ...]
    inner: tuple[Inner, ...]
    perhaps: Inner | None
    table: dict[str, float]
    colour: Colour


def through(value, kind):
    body, arrays_ = take_apart(value)
    return put_together(kind, body, {name: from_npy(to_npy(array)) for name, array in arrays_.items()})


@given(
    arrays(np.float32, array_shapes(max_dims=3, max_side=4), elements=st.floats(-1, 1, width=32)),
    st.lists(st.text(), max_size=4),
    st.floats(allow_nan=False),
)
def test_a_result_comes_back_as_it_was_saved(maps, names, share):
    inner = Inner(share, np.arange(3))
    back = through(AnyResult(maps, tuple(names), (inner, inner), None, {"a": 1.5}, Colour.RED), AnyResult)
    np.testing.assert_array_equal(back.maps, maps)
    assert back.maps.dtype == np.float32
    assert back.names == tuple(names)
    assert [each.share for each in back.inner] == [share, share]
    np.testing.assert_array_equal(back.inner[1].counts, [0, 1, 2])
    assert back.perhaps is None
    assert back.colour is Colour.RED


def test_what_is_no_plain_value_is_refused_with_its_place():
    with pytest.raises(TypeError, match=r"\.perhaps is a set"):
        take_apart(AnyResult(np.zeros(1), (), (), {1}, {}, Colour.RED))


def test_objects_are_never_pickled():
    with pytest.raises(ValueError, match="pickle"):
        to_npy(np.array([object()]))


def test_a_result_with_other_fields_is_not_taken_for_todays():
    body, _ = take_apart(Inner(1.0, np.zeros(1)))
    with pytest.raises(ValueError, match="other fields"):
        put_together(Inner, {**body, "more": 1}, {})
