"""Inputs moved until a model passes a criterion: a batch that is refilled as rows finish.

In evaluation mode the rows of a batch are independent, so the gradient of the sum of their losses is each row's own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import torch
from torch import Tensor

from engine.methods.input_optimization.criteria import Criterion
from engine.methods.input_optimization.step_rules import Standing, State, StepRule, length, per_row
from engine.runs.progress import Progress

Model = Callable[[Tensor], Tensor]
Source = Callable[[Tensor], tuple[Tensor, Tensor]]  # row numbers (m,) -> where they start (m, ...), targets (m, ...)
HALVINGS = 5  # of the way back to the start: the change is then known to 1 part in 32
NO_GRADIENT = "the network lets no gradient through to its input, so inputs can't be optimised"
ROOM = 8  # the batch is refilled when an eighth of it is free: transforms, too, are faster on many rows


class NotFinite(ValueError):
    """The model gave NaN or infinity for a row."""

    def __init__(self, row: int) -> None:
        super().__init__(f"the network gives NaN or infinity for row {row}")
        self.row = row


@dataclass(frozen=True)
class Finished:
    """Rows that are done (m,): their numbers, starts and ends (m, ...), whether they passed, their steps and losses."""

    rows: Tensor
    start: Tensor
    place: Tensor
    reached: Tensor
    steps: Tensor
    loss_before: Tensor
    loss_after: Tensor


@dataclass
class Tally:
    """How often the model was asked about a row, forward alone or forward and backward."""

    evaluations: int = 0


@dataclass
class Batch:
    """The rows under way."""

    rows: Tensor
    start: Tensor
    place: Tensor
    targets: Tensor
    taken: Tensor
    loss_before: Tensor
    loss_best: Tensor
    best: Tensor
    reached: Tensor
    state: State = field(default_factory=dict)

    def tensors(self) -> dict[str, Tensor]:
        """All that has one row an input, but the rule's state."""
        return {name: value for name, value in self.__dict__.items() if name != "state"}

    def take(self, chosen: Tensor) -> Batch:
        """Some of the rows, by number or by bool."""
        state = {name: value[chosen] for name, value in self.state.items()}
        return Batch(**{name: value[chosen] for name, value in self.tensors().items()}, state=state)

    def with_more(self, more: Batch) -> Batch:
        """These rows, then others."""
        state = {name: torch.cat([value, more.state[name]]) for name, value in self.state.items()}
        theirs = more.tensors()
        return Batch(**{name: torch.cat([value, theirs[name]]) for name, value in self.tensors().items()}, state=state)


def optimise(
    model: Model,
    source: Source,
    count: int,
    criterion: Criterion,
    rule: StepRule,
    most_steps: int,
    batch_size: int,
    progress: Progress,
    tally: Tally,
) -> Iterator[Finished]:
    """Move each of `count` rows from where it starts, within [0, 1], until it passes, and give it back when done.

    A row that passes as it is comes back unmoved with 0 steps, and so does one that has no gradient there, since no
    rule moves it. What passes is moved back towards its start as far as it still passes on that line. Raises NotFinite,
    and ValueError where the model lets no gradient through at all.
    """
    queue, done = list(range(count)), 0
    batch: Batch | None = None
    passed: list[Batch] = []
    while queue or batch is not None:
        progress.report(done / count, f"bringing back {count:,} images")
        batch = refilled(batch, queue, source, rule, batch_size)
        try:
            over, batch = advanced(model, batch, criterion, rule, most_steps, tally)
        except torch.OutOfMemoryError:
            if len(batch.rows) == 1:
                raise
            batch_size = len(batch.rows) // 2
            queue[:0] = batch.rows.tolist()  # they start anew, which gives the same
            batch = None
            progress.note(f"the batch was halved to {batch_size} images: the device's memory was too small for more")
            continue
        if over is not None:
            done += len(over.rows)
            passed.append(over)
        batch = batch if len(batch.rows) else None
        if passed and (sum(len(each.rows) for each in passed) >= batch_size or not (queue or batch)):
            whole = joined(passed)
            for part in torch.arange(len(whole.rows), device=whole.rows.device).split(batch_size):
                yield brought_close(model, whole.take(part), criterion, tally)
            passed = []
    progress.report(1.0, f"bringing back {count:,} images")


def joined(parts: list[Batch]) -> Batch:
    """All rows of several batches."""
    whole = parts[0]
    for part in parts[1:]:
        whole = whole.with_more(part)
    return whole


def refilled(batch: Batch | None, queue: list[int], source: Source, rule: StepRule, batch_size: int) -> Batch:
    """The batch with rows from the queue in the places that are free, if there are enough of them."""
    free = batch_size - (0 if batch is None else len(batch.rows))
    if batch is not None and (not queue or free < max(1, batch_size // ROOM)):
        return batch
    rows = torch.tensor(queue[:free])
    del queue[:free]
    start, targets = source(rows)
    nothing = torch.full((len(rows),), torch.nan, device=start.device)
    more = Batch(
        rows=rows.to(start.device),
        start=start,
        place=start.clone(),
        targets=targets,
        taken=torch.zeros(len(rows), dtype=torch.long, device=start.device),
        loss_before=nothing,
        loss_best=nothing.clone(),
        best=start.clone(),
        reached=torch.zeros(len(rows), dtype=torch.bool, device=start.device),
        state=rule.begin(start),
    )
    return more if batch is None else batch.with_more(more)


def advanced(
    model: Model, batch: Batch, criterion: Criterion, rule: StepRule, most_steps: int, tally: Tally
) -> tuple[Batch | None, Batch]:
    """One evaluation of the whole batch, and a step of what goes on; returns the rows that are over and the others."""
    with torch.enable_grad():
        place = batch.place.detach().requires_grad_()
        outputs = model(place)
        loss = criterion.loss(outputs, batch.targets)
        gradient = slope(loss.sum(), place)
    gradient = within_box(batch.place, gradient)
    loss = loss.detach()
    tally.evaluations += len(batch.rows)
    if not torch.isfinite(loss).all():
        raise NotFinite(int(batch.rows[~torch.isfinite(loss)][0]))
    missing = criterion.judged(outputs.detach(), batch.targets) - criterion.level
    passes = missing <= 0
    batch.loss_before = torch.where(batch.taken == 0, loss, batch.loss_before)
    keep_best(batch, passes, loss)
    flat = ~gradient.flatten(1).any(dim=1)
    over = (passes & rule.stops_at_once) | ((passes | flat) & (batch.taken == 0)) | (batch.taken >= most_steps)
    with torch.no_grad():
        moved = rule.step(Standing(batch.start, batch.place, gradient, missing, batch.taken), batch.state)
    finished = batch.take(over) if over.any() else None
    batch.place, batch.taken = moved.clamp_(0, 1), batch.taken + 1
    return finished, batch if finished is None else batch.take(~over)


def slope(loss: Tensor, place: Tensor) -> Tensor:
    """The gradient of one number by `place`, in its shape; ValueError where the model lets none through."""
    if not loss.requires_grad:
        raise ValueError(NO_GRADIENT)
    return torch.autograd.grad(loss, place)[0]


def within_box(place: Tensor, gradient: Tensor) -> Tensor:
    """The gradient without what would only push values out of [0, 1]: else most of a step's length is lost there."""
    outward = ((place <= 0) & (gradient > 0)) | ((place >= 1) & (gradient < 0))
    return gradient.masked_fill(outward, 0)


def keep_best(batch: Batch, passes: Tensor, loss: Tensor) -> None:
    """Remember the nearest place at which each row passed; before that, the place of its last evaluation."""
    nearer = length(batch.place - batch.start) < length(batch.best - batch.start)
    better = (passes & (~batch.reached | nearer)) | (~passes & ~batch.reached)
    batch.best = torch.where(per_row(better, batch.place), batch.place, batch.best)
    batch.loss_best = torch.where(better, loss, batch.loss_best)
    batch.reached = batch.reached | passes


@torch.no_grad()
def brought_close(model: Model, batch: Batch, criterion: Criterion, tally: Tally) -> Finished:
    """The rows as they are given back: those that passed are halved back towards their start, as long as they pass."""
    moved = (batch.reached & (batch.taken > 0)).nonzero()[:, 0]
    start, whole = batch.start[moved], batch.best[moved] - batch.start[moved]
    low, high = torch.zeros(len(moved), device=whole.device), torch.ones(len(moved), device=whole.device)
    loss = batch.loss_best[moved]
    for _ in range(HALVINGS if len(moved) else 0):
        middle = (low + high) / 2
        outputs = model(start + per_row(middle, whole) * whole)
        tally.evaluations += len(moved)
        passes = criterion.passes(outputs, batch.targets[moved])
        loss = torch.where(passes, criterion.loss(outputs, batch.targets[moved]), loss)
        low, high = torch.where(passes, low, middle), torch.where(passes, middle, high)
    place, loss_after = batch.best.clone(), batch.loss_best.clone()
    place[moved], loss_after[moved] = start + per_row(high, whole) * whole, loss
    return Finished(batch.rows, batch.start, place, batch.reached, batch.taken, batch.loss_before, loss_after)
