"""Frozen dataclasses of plain values and arrays, taken apart into JSON and `.npy` bytes, and put together again."""

from __future__ import annotations

import dataclasses
import enum
import hashlib
import io
import json
import types
import typing
from typing import Any, TypeVar

import numpy as np

T = TypeVar("T")


def take_apart(value: Any, path: str = "") -> tuple[Any, dict[str, np.ndarray]]:
    """A JSON-able value in which arrays are named by where they stood, and the arrays by that name."""
    arrays: dict[str, np.ndarray] = {}

    def plain(part: Any, at: str) -> Any:
        if isinstance(part, np.ndarray):
            arrays[at] = part
            return {"array": at}
        if dataclasses.is_dataclass(part) and not isinstance(part, type):
            return {f.name: plain(getattr(part, f.name), f"{at}.{f.name}") for f in dataclasses.fields(part)}
        if isinstance(part, dict):
            return {key: plain(each, f"{at}.{key}") for key, each in part.items()}
        if isinstance(part, (list, tuple)):
            return [plain(each, f"{at}.{place}") for place, each in enumerate(part)]
        if isinstance(part, enum.Enum):
            return part.value
        if isinstance(part, np.generic):
            return part.item()
        if part is None or isinstance(part, (bool, int, float, str)):
            return part
        raise TypeError(f"{at or 'the value'} is a {type(part).__name__}; results hold plain values and arrays only")

    return plain(value, path), arrays


def put_together(kind: Any, value: Any, arrays: dict[str, np.ndarray]) -> Any:
    """The value of type `kind` that `take_apart` took apart."""
    if kind is np.ndarray:
        return arrays[value["array"]]
    if dataclasses.is_dataclass(kind) and isinstance(kind, type):
        hints = typing.get_type_hints(kind)
        known = {f.name for f in dataclasses.fields(kind)}
        if known != set(value):
            raise ValueError(f"{kind.__name__} has other fields than what was stored")
        return kind(**{name: put_together(hints[name], each, arrays) for name, each in value.items()})
    origin, inner = typing.get_origin(kind), typing.get_args(kind)
    if origin in (typing.Union, types.UnionType):
        if value is None:
            return None
        return put_together(next(option for option in inner if option is not type(None)), value, arrays)
    if origin is tuple:
        each_kind = inner if Ellipsis not in inner else (inner[0],) * len(value)
        return tuple(put_together(k, each, arrays) for k, each in zip(each_kind, value, strict=True))
    if origin is list:
        return [put_together(inner[0], each, arrays) for each in value]
    if origin is dict:
        return {key: put_together(inner[1], each, arrays) for key, each in value.items()}
    if isinstance(kind, type) and issubclass(kind, enum.Enum):
        return kind(value)
    return value


def content_fingerprint(value: object) -> str:
    """The same plain values and arrays have the same one."""
    said, arrays = take_apart(value)
    digest = hashlib.sha256(json.dumps(said, sort_keys=True).encode())
    for name, array in arrays.items():
        digest.update(f"{name} {array.dtype} {array.shape}".encode())
        digest.update(np.ascontiguousarray(array).tobytes())
    return digest.hexdigest()[:16]


def to_npy(array: np.ndarray) -> bytes:
    """The array as the bytes of a `.npy` file; never a pickle."""
    buffer = io.BytesIO()
    np.save(buffer, array, allow_pickle=False)
    return buffer.getvalue()


def from_npy(data: bytes) -> np.ndarray:
    """The array whose `.npy` bytes these are."""
    return np.load(io.BytesIO(data), allow_pickle=False)
