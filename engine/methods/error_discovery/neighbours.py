"""Which real images a code has for neighbours: whether it still shows what its seed shows, and is near any image."""

from __future__ import annotations

from functools import cached_property

import numpy as np
import torch

from engine.subject.image_set import UNLABELLED

CHUNK = 256  # codes compared with all others at once: larger portions leave a processor's caches
USUAL = 0.95  # of real images lie as near to others


class Neighbours:
    """The k nearest of real images' codes (m, d) with labels (m,); those without a label are left out.

    Distances are those of the latent space, whose dimensions the generator has scaled: one that it leaves unused
    hardly differs between images and counts for as little. Votes count as if all labels had equally many images, else
    no code of a rare label would ever be among its own. With `units` (m,) str, the drawings of one scan can be kept
    from voting for each other; without, each image is a unit. ValueError where no image has a label.
    """

    def __init__(self, codes: np.ndarray, labels: np.ndarray, k: int, units: np.ndarray | None = None) -> None:
        known = labels != UNLABELLED
        if not known.any():
            raise ValueError("neighbours are sought among labelled images of train, and there are none")
        self.codes = torch.from_numpy(np.ascontiguousarray(codes[known], dtype=np.float32))
        self.squares = self.codes.square().sum(dim=1)
        self.labels = labels[known]
        self.votes = (1 / np.bincount(self.labels).clip(1)).astype(np.float32)
        self.units = np.arange(len(self.codes)) if units is None else units[known]
        self.names, self.members = np.unique(self.units, return_inverse=True)
        self.k = min(k, len(self.codes))

    def agreement(self, codes: np.ndarray, labels: np.ndarray, units: np.ndarray | None = None) -> np.ndarray:
        """(n,) float32, the share in [0, 1] of the neighbours' votes that codes (n, d) have for their labels (n,).

        Images of the codes' own `units` (n,) are passed over.
        """
        return self.judged(codes, labels, units)[0]

    def distance(self, codes: np.ndarray, units: np.ndarray | None = None) -> np.ndarray:
        """(n,) float32, the mean distance of codes (n, d) to their neighbours, their own `units` passed over."""
        return self.judged(codes, np.zeros(len(codes), np.int64), units)[1]

    @cached_property
    def usual(self) -> float:
        """The mean distance to its neighbours, its own unit passed over, within which 95 % of real images lie."""
        return float(np.quantile(self.distance(self.codes.numpy(), self.units), USUAL))

    def judged(
        self, codes: np.ndarray, labels: np.ndarray, units: np.ndarray | None = None
    ) -> tuple[np.ndarray, np.ndarray]:
        """Agreement and mean distance, both (n,) float32, in one pass."""
        agreement, distance = np.zeros(len(codes), np.float32), np.zeros(len(codes), np.float32)
        flat = torch.from_numpy(np.ascontiguousarray(codes, dtype=np.float32))
        own = None if units is None else torch.from_numpy(self.numbered(units))
        for start in range(0, len(flat), CHUNK):
            part = slice(start, start + CHUNK)
            nearest, far = self.nearest(flat[part], None if own is None else own[part])
            said = self.labels[nearest.numpy()]
            agreement[part] = np.average(said == labels[part, None], axis=1, weights=self.votes[said])
            distance[part] = far.mean(dim=1).numpy()
        return agreement, distance

    def numbered(self, units: np.ndarray) -> np.ndarray:
        """(n,) the number of each unit among those of the real images, -1 for another."""
        place = np.searchsorted(self.names, units).clip(max=len(self.names) - 1)
        return np.where(self.names[place] == units, place, -1)

    def nearest(self, codes: torch.Tensor, own: torch.Tensor | None) -> tuple[torch.Tensor, torch.Tensor]:
        """The rows of the neighbours of a few codes, and the distances to them, both (n, k), in no order."""
        far = torch.addmm(self.squares, codes, self.codes.T, alpha=-2)  # but for the code's own square
        if own is not None:
            far.masked_fill_(own[:, None] == torch.from_numpy(self.members), torch.inf)
        rows = far.topk(self.k, dim=1, largest=False, sorted=False).indices
        # anew, for differences of large squares say little of small distances
        return rows, torch.linalg.vector_norm(self.codes[rows] - codes[:, None], dim=2)
