from __future__ import annotations

import io
import zipfile

import numpy as np
import pytest

from engine.toolkit.streamed_npz import add_array, add_pieces


def written(*steps) -> io.BytesIO:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as bundle:
        for step in steps:
            step(bundle)
    buffer.seek(0)
    return buffer


def test_arrays_in_one_and_in_pieces_come_back_without_pickles():
    names, whole = np.array(["a", "grün"]), np.arange(24, dtype=np.float32).reshape(6, 2, 2)
    buffer = written(
        lambda bundle: add_array(bundle, "names", names),
        lambda bundle: add_pieces(bundle, "whole", whole.shape, np.float16, [whole[:4], whole[4:]]),
    )
    back = np.load(buffer, allow_pickle=False)
    assert back.files == ["names", "whole"]
    np.testing.assert_array_equal(back["names"], names)
    np.testing.assert_array_equal(back["whole"], whole.astype(np.float16))


def test_pieces_that_are_not_in_order_of_memory_are_written_as_they_read():
    columns = np.asfortranarray(np.arange(6).reshape(2, 3))
    back = np.load(written(lambda bundle: add_array(bundle, "columns", columns)), allow_pickle=False)
    np.testing.assert_array_equal(back["columns"], columns)


def test_too_few_rows_are_noticed():
    with pytest.raises(ValueError, match="part should have 3 rows, got 2"):
        written(lambda bundle: add_pieces(bundle, "part", (3, 2), np.int8, [np.zeros((2, 2), np.int8)]))


def test_objects_are_refused():
    with pytest.raises(ValueError, match="would have to be pickled"):
        written(lambda bundle: add_array(bundle, "anything", np.array([{}], dtype=object)))
