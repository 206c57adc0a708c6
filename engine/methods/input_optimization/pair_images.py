"""The images of an optimisation's pairs and the network's answers to them, batch by batch."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch
from torch import Tensor

from engine.methods.input_optimization.differences import optimised_images
from engine.methods.input_optimization.pairs import Pairs, views_of
from engine.methods.input_optimization.result import Optimisation, Sweep
from engine.runs.progress import Progress
from engine.subject.subject import Subject

VERSIONS = ("transformed", "optimised")


class PairImages:
    """The pairs' images, made anew from the data: of P pairs, `shape` is (P, C, H, W)."""

    def __init__(self, subject: Subject, sweep: Sweep, optimisation: Optimisation) -> None:
        views = views_of(subject, sweep, int(optimisation.image.max()) + 1)
        self.pairs = Pairs(sweep, views, optimisation.image, optimisation.grid, optimisation.combination)
        self.optimisation, self.places = optimisation, optimisation.places
        self.shape = (len(self.pairs), *views.pixels.shape[1:])

    def batches(self, version: str, logits: np.ndarray, progress: Progress) -> Iterator[np.ndarray]:
        """The images of a version in batches (n, C, H, W), float16 in [0, 1]; fills logits (P, classes) on the way.

        Images that were optimised without the box, as published, are cut off at 0 and 1; their logits are those of the
        images as they were found.
        """
        for start in range(0, len(self.pairs), self.pairs.views.size):
            progress.report(start / len(self.pairs), f"writing {version} images")
            rows = np.arange(start, min(start + self.pairs.views.size, len(self.pairs)))
            images, answers = self._asked(version, rows)
            logits[rows] = answers.cpu().numpy()
            yield images.clamp(0, 1).half().cpu().numpy()

    @torch.inference_mode()
    def _asked(self, version: str, rows: np.ndarray) -> tuple[Tensor, Tensor]:
        images = self.pairs.transformed(rows)
        if version == "optimised":
            images = optimised_images(self.optimisation, self.places, rows, images)
        return images, self.pairs.views.classifier(images).float()
