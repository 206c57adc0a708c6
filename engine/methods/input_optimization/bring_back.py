"""The optimisation step: pairs that fail are moved until the network gives the true answer."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch
from torch import Tensor

from engine.methods.input_optimization.criteria import Criterion, of_settings
from engine.methods.input_optimization.curves import worst_grids
from engine.methods.input_optimization.optimise import NO_GRADIENT, Finished, Tally, optimise
from engine.methods.input_optimization.pairs import Pairs, pairs_of
from engine.methods.input_optimization.paper import paper
from engine.methods.input_optimization.result import ALREADY, NOT_REACHED, REACHED, Optimisation, Sweep
from engine.methods.input_optimization.settings import OptimisationSettings
from engine.methods.input_optimization.step_rules import Adam, Minimal, Momentum, StepRule, length
from engine.runs.progress import Progress
from engine.subject.subject import Subject
from engine.toolkit.frozen import frozen


def bring_back(subject: Subject, settings: OptimisationSettings, sweep: Sweep, progress: Progress) -> Optimisation:
    """Optimise the pairs of the chosen grids; raises ValueError where the network gives NaN or no gradient."""
    pairs = pairs_of(subject, sweep, chosen_grids(settings, sweep), settings.images)
    criterion = of_settings(settings)
    found = Table(len(pairs), pairs.column("loss"))
    todo = np.flatnonzero(~passed_already(pairs, settings))
    if settings.step_rule == "paper":
        todo = np.arange(len(pairs))  # as published, where what passes already is moved, too
    change = np.zeros((len(todo), *pairs.views.pixels.shape[1:]), np.float16)
    tally = Tally()
    moving = pairs.take(todo)
    with frozen(subject.classifier), moving.named():
        for finished in ways(moving, settings, criterion, progress, tally):
            rows = finished.rows.cpu().numpy()
            found.write(todo[rows], finished)
            change[rows] = (finished.place - finished.start).cpu().numpy().astype(np.float16)
    if (found.columns["state"] == NOT_REACHED).any() and not change.any():  # a network that rounds, say
        raise ValueError(NO_GRADIENT)
    return Optimisation(
        rule=criterion.says,
        image=pairs.image,
        grid=pairs.grid,
        combination=pairs.combination,
        change=change,
        evaluations=tally.evaluations,
        **found.columns,
    )


def chosen_grids(settings: OptimisationSettings, sweep: Sweep) -> tuple[int, ...]:
    """The numbers of the grids whose pairs are brought back; ValueError where the sweep has none of that number."""
    if unknown := [number for number in settings.grids if number >= len(sweep.grids)]:
        raise ValueError(f"the sweep has {len(sweep.grids)} grids, from 0 on; there is no number {unknown[0]}")
    if found := settings.grids or worst_grids(sweep, settings.worst):
        return found
    raise ValueError("the sweep varies no family alone, so say by their numbers which of its grids to bring back")


def passed_already(pairs: Pairs, settings: OptimisationSettings) -> np.ndarray:
    """(P,) bool, the pairs that need nothing, by what the sweep found."""
    if settings.success == "loss":
        return pairs.column("loss") <= settings.loss_level
    return pairs.column("margin") >= settings.margin_level


def ways(
    pairs: Pairs, settings: OptimisationSettings, criterion: Criterion, progress: Progress, tally: Tally
) -> Iterator[Finished]:
    """The finished rows, by the step rule that the settings name."""
    model = pairs.views.classifier
    if settings.step_rule == "paper":
        return paper(model, pairs, settings, criterion, progress, tally)

    def source(rows: Tensor) -> tuple[Tensor, Tensor]:
        chosen = rows.numpy()
        return pairs.transformed(chosen), pairs.labels(chosen)

    rule = step_rule(settings)
    return optimise(model, source, len(pairs), criterion, rule, settings.most_steps, pairs.views.size, progress, tally)


def step_rule(settings: OptimisationSettings) -> StepRule:
    """The rule by its name, with its own step where the settings give none."""
    if settings.step_rule == "minimal":
        return Minimal(settings.most_steps)
    if settings.step_rule == "adam":
        return Adam(settings.step_size) if settings.step_size else Adam()
    return Momentum(settings.step_size) if settings.step_size else Momentum()


class Table:
    """The columns of an Optimisation, (P,) each, as rows finish."""

    def __init__(self, count: int, loss: np.ndarray) -> None:
        self.columns: dict[str, np.ndarray] = {
            "state": np.full(count, ALREADY, dtype=np.int8),
            "distance": np.zeros(count, dtype=np.float32),
            "loss_before": loss,
            "loss_after": loss.copy(),
            "steps": np.zeros(count, dtype=np.int64),
        }

    def write(self, rows: np.ndarray, finished: Finished) -> None:
        """What became of these rows."""
        reached = finished.reached.cpu().numpy()
        distance = torch.where(finished.reached, length(finished.place - finished.start), torch.nan)
        self.columns["state"][rows] = np.where(reached, REACHED, NOT_REACHED)
        self.columns["distance"][rows] = distance.cpu().numpy()
        self.columns["loss_after"][rows] = finished.loss_after.cpu().numpy()
        self.columns["steps"][rows] = finished.steps.cpu().numpy()
