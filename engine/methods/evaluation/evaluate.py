"""The evaluation step: one pass over the images, then figures."""

from __future__ import annotations

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from engine.methods.evaluation.figures import summarise
from engine.methods.evaluation.result import Evaluation
from engine.methods.evaluation.settings import EvaluationSettings
from engine.runs.progress import Progress
from engine.subject.image_set import UNLABELLED, Seen
from engine.subject.subject import Subject
from engine.toolkit.answers import margin
from engine.toolkit.prediction import predict

PIECE_IMAGES = 2048  # kept together, so that a resumed evaluation repeats no more than these


def evaluate(subject: Subject, settings: EvaluationSettings, progress: Progress) -> Evaluation:
    """Classify the images of a role; raises ValueError where there are none or the network gives NaN."""
    images = subject.images
    indices = images.indices(settings.role)
    if len(indices) == 0:
        raise ValueError(f"no image has the role {settings.role!r}; {images.name} has {roles_there(subject)}")
    pieces = []
    for start in range(0, len(indices), PIECE_IMAGES):
        part = indices[start : start + PIECE_IMAGES]
        within = progress.part(start / len(indices), (start + len(part)) / len(indices))

        def classify(part: np.ndarray = part, within: Progress = within) -> dict[str, np.ndarray]:
            return outcomes(predict(subject.classifier, images, part, within), images.labels[part])

        pieces.append(progress.kept(f"classified {start} to {start + len(part)}", classify))
    columns = {name: np.concatenate([piece[name] for piece in pieces]) for name in pieces[0]}
    if not np.isfinite(columns["top_confidence"]).all():
        broken = indices[~np.isfinite(columns["top_confidence"]).all(axis=1)]
        raise ValueError(
            f"the network gives NaN or infinity for {len(broken):,} images, {images.names[broken[0]]} the first; "
            "check mean, std and the weights"
        )
    _, units = np.unique(images.units()[indices], return_inverse=True)
    summary = summarise(
        subject.blueprint.classes,
        images.labels[indices],
        columns["top"],
        columns["top_confidence"],
        columns["loss"],
        units,
    )
    return Evaluation(
        role=settings.role,
        seen=seen_counts(images.seen[indices]),
        classes=subject.blueprint.classes,
        ids=images.ids[indices],
        labels=images.labels[indices],
        summary=summary,
        top=columns["top"],
        top_confidence=columns["top_confidence"],
        loss=columns["loss"],
        margin=columns["margin"],
    )


def seen_counts(seen: np.ndarray) -> tuple[int, int, int]:
    """How many of these (N,) int8 are unknown, not seen and seen."""
    unknown, no, yes = (int(np.count_nonzero(seen == answer)) for answer in (Seen.UNKNOWN, Seen.NO, Seen.YES))
    return unknown, no, yes


def outcomes(logits: Tensor, labels: np.ndarray) -> dict[str, np.ndarray]:
    """What is kept of the logits (n, classes): columns `top`, `top_confidence`, `loss`, `margin` of `Evaluation`."""
    log_shares = F.log_softmax(logits, dim=1)
    best, top = log_shares.topk(min(5, logits.shape[1]), dim=1)
    known = torch.from_numpy(labels != UNLABELLED)
    target = torch.from_numpy(labels).clamp(min=0)
    nothing = torch.tensor(torch.nan)
    return {
        "top": top.numpy(),
        "top_confidence": best.exp().numpy(),
        "loss": torch.where(known, -log_shares.gather(1, target[:, None])[:, 0], nothing).numpy(),
        "margin": torch.where(known, margin(logits, target), nothing).numpy(),
    }


def roles_there(subject: Subject) -> str:
    """The roles that have images, with their numbers, for a sentence."""
    roles, counts = np.unique(subject.images.roles, return_counts=True)
    return ", ".join(f"{count:,} {role}" for role, count in zip(roles, counts, strict=True)) or "no images at all"
