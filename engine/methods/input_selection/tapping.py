"""One pass over train, diagnosis and pool, in which every block's output is taken down."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from engine.methods.input_selection.blocks import Block, blocks
from engine.methods.input_selection.drawing import drawn, left_out
from engine.methods.input_selection.result import Tap, TappedRole, Taps
from engine.methods.input_selection.settings import TapSettings
from engine.runs.progress import Progress
from engine.subject.image_set import ImageSet, Role
from engine.subject.subject import Subject
from engine.toolkit.frozen import evaluating
from engine.toolkit.prediction import as_tensor, in_batches

ROLES = (Role.TRAIN, Role.DIAGNOSIS, Role.POOL)
PIECE_IMAGES = 2048  # kept together, so that resumed work repeats no more than these
EXAMPLE_IMAGES = 4  # by which blocks are told apart
Take = Callable[[Block, Tensor], None]


def tapped(subject: Subject, settings: TapSettings, progress: Progress) -> Taps:
    """The blocks' outputs and the logits for at most so many images of each role, labelled or not.

    What is left out is noted. Roles without images are missing; ValueError where all are, where the network has no
    block before its logits, and where it gives NaN.
    """
    looked_at = {role: drawn(subject.images, role, settings.most(role)) for role in ROLES}
    for role in ROLES:
        if said := left_out(subject.images, role, settings.most(role)):
            progress.note(said)
    total = sum(map(len, looked_at.values()))
    if total == 0:
        raise ValueError("no image has the role 'train', 'diagnosis' or 'pool', so there is nothing to look into")
    found = blocks_of(subject, np.concatenate(list(looked_at.values())), settings)
    roles, done = [], 0
    for role, indices in looked_at.items():
        if len(indices):
            within = progress.part(done / total, (done + len(indices)) / total)
            roles.append(tapped_role(subject, found, role, indices, within))
            done += len(indices)
    taps = tuple(Tap(block.name, block.channels, block.grid) for block in found)
    return Taps(subject.blueprint.classes, taps, tuple(roles))


def blocks_of(subject: Subject, indices: np.ndarray, settings: TapSettings) -> tuple[Block, ...]:
    """The classifier's blocks, told apart by a few of these images from all over."""
    spread = np.linspace(0, len(indices) - 1, min(EXAMPLE_IMAGES, len(indices))).astype(int)
    example = as_tensor(subject.images.read(indices[spread]), subject.classifier.device)
    return blocks(subject.classifier, example, settings.values)


def tapped_role(
    subject: Subject, found: tuple[Block, ...], role: Role, indices: np.ndarray, progress: Progress
) -> TappedRole:
    """The role's images at these indices (n,)."""
    images, n = subject.images, len(indices)
    logits = np.empty((n, len(subject.blueprint.classes)), np.float32)
    features = tuple(np.empty((n, block.channels * block.grid**2), np.float32) for block in found)
    for start in range(0, n, PIECE_IMAGES):
        part = indices[start : start + PIECE_IMAGES]
        end = start + len(part)
        within = progress.part(start / n, end / n)

        def compute(part: np.ndarray = part, within: Progress = within) -> dict[str, np.ndarray]:
            return piece(subject, found, part, f"looking into {role}", within)

        columns = progress.kept(f"{role} {start} to {end}", compute)
        logits[start:end] = columns["logits"]
        for number, taken in enumerate(features):
            taken[start:end] = columns[f"block {number}"]
    return TappedRole(
        role=str(role),
        ids=images.ids[indices],
        labels=images.labels[indices],
        units=images.units()[indices],
        seen=images.seen[indices],
        logits=logits,
        features=features,
    )


def piece(
    subject: Subject, found: tuple[Block, ...], indices: np.ndarray, label: str, progress: Progress
) -> dict[str, np.ndarray]:
    """`logits` (n, K) and `block 0` (n, F) and so on, float32, of the images at these indices.

    In halved batches where need be. ValueError at NaN.
    """
    classifier, n = subject.classifier, len(indices)
    out = {"logits": np.empty((n, len(classifier.classes)), np.float32)}
    out |= {f"block {at}": np.empty((n, each.channels * each.grid**2), np.float32) for at, each in enumerate(found)}
    number = {block: f"block {at}" for at, block in enumerate(found)}
    place = slice(0)

    def take(block: Block, output: Tensor) -> None:
        out[number[block]][place] = block.reduced(output).float().cpu().numpy()

    def work(here: slice, _part: np.ndarray, pixels: np.ndarray) -> None:
        nonlocal place
        place = here
        out["logits"][place] = classifier(as_tensor(pixels, classifier.device)).float().cpu().numpy()

    with evaluating(classifier), torch.inference_mode(), watched(classifier.network, found, take):
        in_batches(classifier, subject.images, indices, work, progress, label)
    check_finite(subject.images, indices, out)
    return out


@contextmanager
def watched(network: nn.Module, found: tuple[Block, ...], take: Take) -> Iterator[None]:
    """What each block puts out is handed to `take` as soon as it is there, before another layer writes over it."""

    def hook(block: Block) -> Callable[[nn.Module, Any, Tensor], None]:
        return lambda _module, _inputs, output: take(block, output)

    handles = [network.get_submodule(block.name).register_forward_hook(hook(block)) for block in found]
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()


def check_finite(images: ImageSet, indices: np.ndarray, columns: dict[str, np.ndarray]) -> None:
    """Raise ValueError, naming the first image, where a value is NaN or infinite."""
    finite = np.all([np.isfinite(column.sum(axis=1, dtype=np.float64)) for column in columns.values()], axis=0)
    if not finite.all():
        raise ValueError(
            f"the network gives NaN or infinity for {np.count_nonzero(~finite):,} images, "
            f"{images.names[indices[~finite][0]]} the first; check mean, std and the weights"
        )
