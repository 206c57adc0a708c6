"""The signed margin distance: how far an image is from the boundary of its answer."""

from __future__ import annotations

import itertools
from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor

from engine.methods.input_optimization.criteria import BOUNDARY, FAILING
from engine.methods.input_optimization.optimise import Model, NotFinite, Tally, optimise
from engine.methods.input_optimization.step_rules import Momentum, Newton, StepRule, length
from engine.runs.progress import Progress

# the few that Newton's steps don't bring across start anew with smaller ones
RULES: tuple[tuple[StepRule, int], ...] = ((Newton(), 40), (Momentum(), 200))
DIRECTIONS = ((True, FAILING, 1), (False, BOUNDARY, -1))  # of right answers and of wrong ones


def margin_distances(
    model: Model,
    images: Callable[[np.ndarray], tuple[Tensor, Tensor]],
    right: np.ndarray,
    batch_size: int,
    progress: Progress,
    tally: Tally,
) -> np.ndarray:
    """(n,) float32, L2 of pixel values: above 0 from failing where `right` (n,), below 0 from being right elsewhere.

    `images(rows)` gives images (m, C, H, W) in [0, 1] and labels (m,). NaN where no boundary was met. The distance is
    that of a change that was found, first-order steps and then halving, so the nearest boundary may lie nearer. Raises
    NotFinite.
    """
    found = np.full(len(right), np.nan, dtype=np.float32)
    for (rule, most_steps), (answer, criterion, sign) in itertools.product(RULES, DIRECTIONS):
        open_yet = np.isnan(found)
        these, begin = np.flatnonzero(open_yet & (right == answer)), 1 - open_yet.mean()
        part = progress.part(begin, begin + len(these) / len(found))

        def source(rows: Tensor, these: np.ndarray = these) -> tuple[Tensor, Tensor]:
            return images(these[rows.numpy()])

        try:
            for done in optimise(model, source, len(these), criterion, rule, most_steps, batch_size, part, tally):
                distance = torch.where(done.reached, length(done.place - done.start), torch.nan)
                found[these[done.rows.cpu().numpy()]] = sign * distance.cpu().numpy()
        except NotFinite as error:
            raise NotFinite(int(these[error.row])) from error
    return found
