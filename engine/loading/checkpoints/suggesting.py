"""Which architectures a checkpoint could be, when a person didn't say or said wrongly."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain

from engine.loading.architectures import is_known, names
from engine.loading.architectures.of_timm import PREFIX, hinted, likely
from engine.loading.checkpoints.checkpoint import Checkpoint
from engine.loading.checkpoints.matching import BATCHES_SEEN, match, of_network
from engine.loading.checkpoints.shapes import shapes

NEAR = 0.1


def fitting_architectures(checkpoint: Checkpoint) -> list[str]:
    """The architectures whose names and shapes the weights have exactly, the one the file names first.

    Our own nets and torchvision's come first; timm's common ones, and any whose name the file or its content gives,
    are tried where none of those fits.
    """
    said = said_by(checkpoint)
    if found := [name for name in dict.fromkeys((*said, *names())) if fits(checkpoint, name)]:
        return found
    return [name for name in timm_candidates(checkpoint) if fits(checkpoint, name)]


def nearest_architecture(checkpoint: Checkpoint) -> str:
    """The architecture with which the weights share the most names and shapes; empty where none shares a tenth."""
    if fitting := fitting_architectures(checkpoint):
        return fitting[0]
    candidates = dict.fromkeys(chain(said_by(checkpoint), names(), timm_candidates(checkpoint)))
    shares = {name: share_in_common(checkpoint, name) for name in candidates}
    best = max(shares, key=lambda name: shares[name])
    return best if shares[best] >= NEAR else ""


def said_by(checkpoint: Checkpoint) -> list[str]:
    """The architecture that the file itself names, as ours and as timm's, where there is such a one."""
    said = checkpoint.architecture
    return [name for name in (said, PREFIX + said) if said and is_known(name)]


def timm_candidates(checkpoint: Checkpoint) -> Iterator[str]:
    """timm's architectures worth trying: by the file's name, then the common ones that have such layers."""
    yield from dict.fromkeys((*hinted(checkpoint.name), *likely(checkpoint.tensors)))


def fits(checkpoint: Checkpoint, name: str) -> bool:
    """Whether the weights fit; compares names alone first, which rules out nearly all."""
    expected = shapes(name)
    tensors, _ = of_network(checkpoint.tensors, expected)
    absent = [key for key in expected if key not in tensors]
    return all(key.endswith(BATCHES_SEEN) for key in absent) and match(checkpoint, name).fits


def share_in_common(checkpoint: Checkpoint, name: str) -> float:
    """Of the weights that either has, the share that both have in the same shape, in [0, 1]."""
    expected = shapes(name)
    tensors, _ = of_network(checkpoint.tensors, expected)
    same = sum(tuple(tensor.shape) == expected.get(key) for key, tensor in tensors.items())
    return same / len(tensors.keys() | expected.keys())
