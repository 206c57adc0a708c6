"""The images of a sweep, unchanged and transformed, and what the classifier makes of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

import numpy as np
import torch
from torch import Tensor

from engine.methods.input_optimization.wording import said_combination
from engine.runs.progress import Progress
from engine.subject.subject import Subject
from engine.toolkit.answers import certainty, loss, margin
from engine.toolkit.prediction import as_tensor, batch_size
from engine.toolkit.transforms.draws import drawn
from engine.toolkit.transforms.families import family_named
from engine.toolkit.transforms.transform import transform

T = TypeVar("T")
COLUMNS = ("prediction", "confidence", "loss", "margin", "shift")


class Views:
    """The chosen images of a subject, unchanged and transformed, and what the classifier makes of them."""

    def __init__(self, subject: Subject, indices: np.ndarray, seed: int) -> None:
        self.classifier = subject.classifier
        self.names = subject.images.names[indices]
        self.ids = subject.images.ids[indices].tolist()
        self.labels = subject.images.labels[indices]
        self.seed = seed
        self.size = batch_size(self.classifier)
        self.pixels = subject.images.read(indices)

    def images(self, rows: np.ndarray) -> Tensor:
        """The unchanged images (n, C, H, W) in [0, 1] of these rows."""
        return as_tensor(self.pixels[rows], self.classifier.device)

    def transformed(self, rows: np.ndarray, families: Sequence[str], severities: np.ndarray) -> Tensor:
        """The images of these rows (n,), each under its severities (n, families)."""
        used, where = np.unique(rows, return_inverse=True)
        draws = drawn(families, [self.ids[row] for row in used], self.pixels.shape[1:], self.seed)
        device = self.classifier.device
        values = [[family_named(n).value(s) for n, s in zip(families, row, strict=True)] for row in severities.tolist()]
        images = self.images(rows)
        own = {name: draw[torch.from_numpy(where)].to(device) for name, draw in draws.items()}
        return transform(images, families, torch.tensor(values, dtype=images.dtype, device=device), own)

    def clean(self, progress: Progress) -> dict[str, np.ndarray]:
        """The columns of `Outcomes` (N, 1) for the unchanged images."""
        return self.outcomes((), np.zeros((1, 0)), progress.part(0, 0), "unchanged")

    def outcomes(
        self, families: Sequence[str], combinations: np.ndarray, progress: Progress, label: str = ""
    ) -> dict[str, np.ndarray]:
        """The columns of `Outcomes` (N, K) for all images under K combinations (K, families)."""
        count = len(combinations)
        rows, which = np.divmod(np.arange(len(self.ids) * count), count)
        label = label or ", ".join(family_named(name).title.lower() for name in families)

        def ask(part: np.ndarray) -> dict[str, np.ndarray]:
            return self._asked(rows[part], families, combinations[which[part]])

        parts = self.in_batches(len(rows), ask, progress, f"trying {label}")
        return {name: np.concatenate([each[name] for each in parts]).reshape(-1, count) for name in COLUMNS}

    def in_batches(self, count: int, work: Callable[[np.ndarray], T], progress: Progress, label: str) -> list[T]:
        """What `work` gives for the rows 0 to count - 1, batch by batch; one that doesn't fit into memory is halved."""
        parts: list[T] = []
        start = 0
        while start < count:
            progress.report(start / count, label)
            rows = np.arange(start, min(start + self.size, count))
            try:
                parts.append(work(rows))
            except torch.OutOfMemoryError:
                if len(rows) == 1:
                    raise
                self.size = len(rows) // 2
                progress.note(f"the batch was halved to {self.size} images: the device's memory was too small for more")
                continue
            start += len(rows)
        return parts

    def _asked(self, rows: np.ndarray, families: Sequence[str], severities: np.ndarray) -> dict[str, np.ndarray]:
        with torch.inference_mode():
            before = self.images(rows)
            after = self.transformed(rows, families, severities) if families else before
            logits = self.classifier(after).float()
            labels = torch.from_numpy(self.labels[rows]).to(logits.device)
            prediction, confidence = certainty(logits)
            shift = (after - before).square().flatten(1).mean(dim=1).sqrt()
            columns = (prediction, confidence, loss(logits, labels), margin(logits, labels), shift)
        broken = ~torch.isfinite(logits).all(dim=1)
        if broken.any():
            place = int(broken.nonzero()[0, 0])
            under = said_combination(families, severities[place])
            raise ValueError(f"the network gives NaN or infinity for {self.names[rows[place]]} ({under})")
        return {name: column.cpu().numpy() for name, column in zip(COLUMNS, columns, strict=True)}
