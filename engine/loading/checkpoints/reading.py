"""Read a file of weights, running nothing that it holds and giving memory to nothing that it merely claims."""

from __future__ import annotations

import argparse
import json
import pickle
import re
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor
from torch.serialization import get_unsafe_globals_in_checkpoint, safe_globals

from engine.loading.checkpoints.checkpoint import Checkpoint, refusal
from engine.loading.checkpoints.contents import current_names, described, state_dict_in, without_wrappers
from engine.loading.checkpoints.sniffing import MOST_ENTRIES, Kind, kind_of
from engine.subject.subject import listed

MOST_BYTES = 32 * 2**30
METADATA = "faultline"  # the key of a safetensors file's metadata under which the description lies

CANT_BE_READ = {
    Kind.ARCHIVE: "is damaged, or holds sparse or quantised tensors instead of a classifier's weights",
    Kind.LEGACY: "is damaged or breaks off before its end: an incomplete download or copy",
}

# what training scripts store beside the weights and what can do nothing: numbers, and the command line's arguments
NUMPY_SCALAR: Any = np.float64().__reduce__()[0]
NUMPY_DTYPES = [type(np.dtype(kind)) for kind in ("f2", "f4", "f8", "i4", "i8", "u1", "?")]
HARMLESS: list[Any] = [
    argparse.Namespace,
    np.dtype,
    NUMPY_SCALAR,
    (NUMPY_SCALAR, "numpy.core.multiarray.scalar"),  # as NumPy 1 wrote it
    *NUMPY_DTYPES,
]


def read_checkpoint(path: str | Path, name: str = "") -> Checkpoint:
    """The weights in a file of `torch.save` or safetensors, told by its content, and the class names if it has them.

    `name` is what messages call the file. Raises ValueError in one sentence where the file is empty, truncated,
    of another kind, or holds anything that would have to be executed; nothing in it is.
    """
    path, name = Path(path), name or Path(path).name
    kind = kind_of(path, name)
    content = read_safetensors(path, name) if kind is Kind.SAFETENSORS else read_torch(path, name, kind)
    found, remarks = state_dict_in(content, name)
    tensors, stripped = without_wrappers(current_names(found))
    said = described(content)
    return Checkpoint(
        name, tensors, said.classes, said.architecture, said.preprocessing, (*remarks, *stripped, *said.remarks)
    )


def read_safetensors(path: Path, name: str) -> dict[str, Any]:
    """The file's tensors under `state_dict`, beside what its metadata says."""
    try:
        with safe_open(path, framework="pt") as file:
            keys, metadata = list(file.keys()), file.metadata() or {}
            check_count(len(keys), name)
            tensors = {key: file.get_tensor(key) for key in keys}
    except SafetensorError as error:
        raise refusal(name, "is a safetensors file that is damaged or breaks off before its end") from error
    return {**described_in(metadata), "state_dict": tensors}


def described_in(metadata: dict[str, str]) -> dict[str, Any]:
    """What Faultline wrote into a file's metadata; empty where it wrote none or it can't be read."""
    try:
        said = json.loads(metadata.get(METADATA, "{}"))
    except (ValueError, RecursionError):
        return {}
    return said if isinstance(said, dict) else {}


def read_torch(path: Path, name: str, kind: Kind) -> Any:
    """Whatever torch.save wrote, if it is made of tensors and plain values alone."""
    check_sizes(loaded(path, name, kind, location="meta"), path.stat().st_size, name)
    content = loaded(path, name, kind, location="cpu")
    check_dense(content, name)
    return content


def loaded(path: Path, name: str, kind: Kind, location: str) -> Any:
    """The file's content with its tensors in a place; on `meta` they have shapes and take no memory."""
    # torch.load takes a path for safetensors where it is called so, and maps memory only of a path
    mapped = kind is Kind.ARCHIVE and location == "cpu" and path.suffix != ".safetensors"
    try:
        with safe_globals(HARMLESS), path.open("rb") as file:
            source = path if mapped else file
            return torch.load(source, map_location=location, weights_only=True, mmap=mapped)
    except pickle.UnpicklingError as error:
        foreign = foreign_types(path, kind, str(error))
        if not foreign:
            raise refusal(name, "is damaged: its description of the weights can't be read") from error
        whole = any(type_.startswith(("torch.nn.", "torchvision.", "timm.", "__main__.")) for type_ in foreign)
        holds = "a whole pickled model or other" if whole else "Python"
        raise refusal(
            name, f"holds {holds} objects, not weights alone (types {listed(foreign)}); nothing of it was run"
        ) from error
    except Exception as error:  # a damaged or hostile file can make the unpickler fail in any way
        raise refusal(name, CANT_BE_READ[kind]) from error


def foreign_types(path: Path, kind: Kind, message: str) -> list[str]:
    """The types in the file that are neither tensors nor plain values, read off it without running anything."""
    foreign = set(re.findall(r"GLOBAL ([\w.]+)", message))
    if kind is Kind.ARCHIVE:
        try:
            with safe_globals(HARMLESS):
                foreign |= set(get_unsafe_globals_in_checkpoint(path))
        except Exception:  # noqa: S110  # what can't be taken apart has been refused already; this only names types
            pass
    return sorted(foreign)


def tensors_in(content: Any) -> list[Tensor]:
    """All tensors in nested dicts, lists and tuples."""
    found, waiting, seen = [], [content], set()
    while waiting:
        item = waiting.pop()
        if isinstance(item, Tensor):
            found.append(item)
        elif isinstance(item, (dict, list, tuple)) and id(item) not in seen:
            seen.add(id(item))
            waiting += item.values() if isinstance(item, dict) else item
    return found


def check_count(count: int, name: str) -> None:
    """Raise ValueError where a file has more tensors than any classifier."""
    if count > MOST_ENTRIES:
        raise refusal(name, f"holds {count} tensors, more than the {MOST_ENTRIES} that are opened")


def check_sizes(content: Any, file_bytes: int, name: str) -> None:
    """Raise ValueError where the tensors claim more than can be meant or than the file has; looks at shapes alone."""
    tensors = tensors_in(content)
    check_count(len(tensors), name)
    total = sum(tensor.numel() * tensor.element_size() for tensor in tensors)
    if total > MOST_BYTES:
        raise refusal(
            name, f"claims {total / 2**30:.0f} GiB of weights, more than the {MOST_BYTES // 2**30} that are opened"
        )
    stored = [tensor.untyped_storage() for tensor in tensors if tensor.layout == torch.strided]
    if sum({storage._cdata: storage.nbytes() for storage in stored}.values()) > file_bytes:
        raise refusal(name, "claims more bytes of weights than the file has: it is damaged or breaks off")


def check_dense(content: Any, name: str) -> None:
    """Raise ValueError where a tensor is sparse, quantised, without content, or claims more numbers than it has."""
    for tensor in tensors_in(content):
        dense = tensor.layout == torch.strided and not tensor.is_quantized and tensor.device.type == "cpu"
        if not dense or type(tensor) not in (Tensor, torch.nn.Parameter):
            raise refusal(name, "holds sparse, quantised or empty tensors, not the weights of a classifier")
        if tensor.numel() * tensor.element_size() > tensor.untyped_storage().nbytes():
            raise refusal(name, "holds a tensor that claims more numbers than the file has")
