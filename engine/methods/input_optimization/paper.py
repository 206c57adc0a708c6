"""The published procedure (ProactiV, Prasad et al. 2023), for comparison: Adam on the pixels, stopped by the mean.

All images of a combination are one batch, moved in the units of the network's normalised input, without a box, until
the mean of what is judged, as published the loss, is below the level; so what becomes of one depends on the others.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch

from engine.methods.input_optimization.criteria import Criterion
from engine.methods.input_optimization.optimise import Finished, NotFinite, Tally, slope
from engine.methods.input_optimization.pairs import Pairs
from engine.methods.input_optimization.settings import OptimisationSettings
from engine.runs.progress import Progress
from engine.subject.classifier import Classifier

RATE, MOST_STEPS = 1e-3, 500


def paper(
    classifier: Classifier,
    pairs: Pairs,
    settings: OptimisationSettings,
    criterion: Criterion,
    progress: Progress,
    tally: Tally,
) -> Iterator[Finished]:
    """Every combination's images, moved together."""
    together = np.unique(np.stack([pairs.grid, pairs.combination]), axis=1)
    for number, (grid, combination) in enumerate(together.T):
        part = progress.part(number / together.shape[1], (number + 1) / together.shape[1])
        rows = np.flatnonzero((pairs.grid == grid) & (pairs.combination == combination))
        yield moved_together(classifier, pairs, rows, settings, criterion, part, tally)


def moved_together(
    classifier: Classifier,
    pairs: Pairs,
    rows: np.ndarray,
    settings: OptimisationSettings,
    criterion: Criterion,
    progress: Progress,
    tally: Tally,
) -> Finished:
    """These rows as one batch; the check follows the update, as published."""
    start, targets = pairs.transformed(rows), pairs.labels(rows)
    std = start.new_tensor(classifier.blueprint.preprocessing.std).view(1, -1, 1, 1)
    std = std if len(std[0]) == start.shape[1] else std.mean()
    change = torch.zeros_like(start, requires_grad=True)
    adam = torch.optim.Adam([change], lr=settings.step_size or RATE)
    first: torch.Tensor | None = None
    steps = 0
    for _ in progress.steps(MOST_STEPS, "moving all images of a combination together"):
        outputs = classifier(start + std * change)
        losses = criterion.loss(outputs, targets)
        tally.evaluations += len(rows)
        if not torch.isfinite(losses).all():
            raise NotFinite(int(rows[int((~torch.isfinite(losses)).nonzero()[0, 0])]))
        first = losses.detach() if first is None else first
        change.grad = slope(losses.mean(), change)
        adam.step()
        steps += 1
        if criterion.judged(outputs, targets).mean() < criterion.level:
            break
    with torch.no_grad():
        place = start + std * change
        outputs = classifier(place)
        tally.evaluations += len(rows)
    return Finished(
        rows=torch.from_numpy(rows),
        start=start,
        place=place,
        reached=criterion.passes(outputs, targets),
        steps=torch.full((len(rows),), steps),
        loss_before=first if first is not None else losses.detach(),
        loss_after=criterion.loss(outputs, targets),
    )
