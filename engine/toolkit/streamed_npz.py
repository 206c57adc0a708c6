"""Arrays written into an .npz piece by piece, so that a large one never is in memory as a whole."""

from __future__ import annotations

import zipfile
from collections.abc import Iterable

import numpy as np
from numpy.typing import DTypeLike


def add_array(bundle: zipfile.ZipFile, name: str, array: np.ndarray) -> None:
    """An array that is at hand; text is kept as such, objects are refused, so that no reader needs pickles."""
    add_pieces(bundle, name, array.shape, array.dtype, [array])


def add_pieces(
    bundle: zipfile.ZipFile, name: str, shape: tuple[int, ...], dtype: DTypeLike, pieces: Iterable[np.ndarray]
) -> None:
    """An array of this shape, whose rows come in pieces (n, ...); ValueError where they are not as many as it has."""
    kind = np.dtype(dtype)
    if kind.hasobject:
        raise ValueError(f"{name} holds Python objects, which would have to be pickled")
    header = {"descr": np.lib.format.dtype_to_descr(kind), "fortran_order": False, "shape": shape}
    count = 0
    with bundle.open(f"{name}.npy", "w", force_zip64=True) as file:
        np.lib.format.write_array_header_1_0(file, header)
        for piece in pieces:
            file.write(np.ascontiguousarray(piece, dtype=kind).tobytes())
            count += len(piece)
    if count != shape[0]:
        raise ValueError(f"{name} should have {shape[0]} rows, got {count}")
