"""What the optimisation step costs beside its network's passes, and how long the page's default run takes."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import nn

from benchmarks.input_optimization_subjects import spread, timed, told
from engine.methods.input_optimization import BREAKPOINTS, DIFFERENCES, MAP, OPTIMISATION, SWEEP
from engine.methods.input_optimization.result import Differences, Optimisation, Sweep
from engine.methods.input_optimization.settings import (
    BreakpointSettings,
    DifferenceSettings,
    Grid,
    MapSettings,
    OptimisationSettings,
    SweepSettings,
    alone,
)
from engine.runs.progress import Progress
from engine.subject.subject import Subject
from engine.toolkit.frozen import frozen
from engine.toolkit.prediction import as_tensor, batch_size
from engine.toolkit.transforms.families import FAMILIES

LEVELS, IMAGES = 8, 200  # as the page asks at first


def fitting(subject: Subject) -> tuple[Grid, ...]:
    """Every family that fits, each alone."""
    channels = subject.images.frame.channels
    return tuple(alone(family.name, LEVELS) for family in FAMILIES if not family.misfit(channels))


class Shown(Progress):
    """Writes down when the first curves came, and when all families had one."""

    def __init__(self, families: int) -> None:
        self.families, self.begin = families, time.perf_counter()
        self.first = self.all = float("nan")

    def show(self, partial: dict[str, Any]) -> None:
        """Seconds since the beginning."""
        now = time.perf_counter() - self.begin
        if np.isnan(self.first):
            self.first = now
        if np.isnan(self.all) and len(partial) == self.families:
            self.all = now


@dataclass(frozen=True)
class DefaultRun:
    """What the page computes at first, and the seconds of its parts."""

    sweep: Sweep
    back: Optimisation
    differences: Differences
    seconds: dict[str, float]


def default_run(subject: Subject, grids: tuple[Grid, ...]) -> DefaultRun:
    """All steps in a row; nothing is kept from one run to the next."""
    silent, shown = Progress(), Shown(len(grids))
    seconds: dict[str, float] = {}
    inputs: dict[str, Any] = {}
    seconds["sweep"], inputs["sweep"] = timed(
        lambda: SWEEP.run(subject, SweepSettings(grids, images=IMAGES), {}, shown)
    )
    seconds["breakpoints"], _ = timed(lambda: BREAKPOINTS.run(subject, BreakpointSettings(), inputs, silent))
    seconds["bringing back"], inputs["optimisation"] = timed(
        lambda: OPTIMISATION.run(subject, OptimisationSettings(), inputs, silent)
    )
    seconds["differences"], inputs["differences"] = timed(
        lambda: DIFFERENCES.run(subject, DifferenceSettings(), inputs, silent)
    )
    seconds["two maps"], _ = timed(
        lambda: [MAP.run(subject, MapSettings(points), inputs, silent) for points in ("transform", "image")]
    )
    whole = {"in all": time.perf_counter() - shown.begin, "until the first curve": shown.first}
    whole["until a curve of each family"] = shown.all
    return DefaultRun(inputs["sweep"], inputs["optimisation"], inputs["differences"], whole | seconds)


def measure_page(subject: Subject, rounds: int) -> DefaultRun:
    """Print the seconds of the default run, part by part, and give what the last one found."""
    grids = fitting(subject)
    runs = [default_run(subject, grids) for _ in range(rounds)]
    last = runs[-1]
    print(
        f"{subject.blueprint.name}: the default run, {len(grids)} families x {LEVELS} steps a side on {IMAGES} images "
        f"({last.sweep.evaluations:,} questions), the three worst brought back on {OptimisationSettings.images} "
        f"({len(last.back.image):,} pairs, {last.back.evaluations:,} questions)"
    )
    for name in last.seconds:
        those = [run.seconds[name] for run in runs]
        told(f"{name}: {spread(those, 's')}" + (f", the first time {those[0]:.2f}" if len(those) > 1 else ""))
    return last


Passes = list[tuple[int, bool]]  # rows, and whether the pass goes backward, too


@contextmanager
def counted(network: nn.Module) -> Iterator[Passes]:
    """The passes that the network makes inside."""
    seen: Passes = []
    handle = network.register_forward_hook(
        lambda _network, _inputs, outputs: seen.append((len(outputs), torch.is_grad_enabled()))
    )
    try:
        yield seen
    finally:
        handle.remove()


def measure_passes(subject: Subject, sweep: Sweep, rounds: int) -> None:
    """Print the time of bringing back, transforms included, over that of its passes alone, in turn."""
    settings, classifier = OptimisationSettings(), subject.classifier

    def step() -> Optimisation:
        return OPTIMISATION.run(subject, settings, {"sweep": sweep}, Progress())

    with counted(classifier) as passes:
        found = step()
    rows = np.arange(batch_size(classifier)) % len(subject.images)
    pixels = as_tensor(subject.images.read(rows), classifier.device)

    def bare() -> None:
        with frozen(classifier):
            for count, backward in passes:
                images = pixels[:count].requires_grad_(backward)
                with torch.set_grad_enabled(backward):
                    outputs = classifier(images)
                if backward:
                    torch.autograd.grad(outputs.sum(), images)

    bare()
    pairs = [(timed(bare)[0], timed(step)[0]) for _ in range(rounds)]
    both = sum(count for count, backward in passes if backward)
    print(
        f"{subject.blueprint.name}: bringing back {int((found.state > 0).sum()):,} pairs takes {len(passes)} passes, "
        f"{both:,} rows forward and backward and {found.evaluations - both:,} forward only"
    )
    told(
        f"bare passes {spread([other for other, _ in pairs], 's')}, the step {spread([own for _, own in pairs], 's')}: "
        f"{spread([own / other for other, own in pairs], 'times theirs', 3)}"
    )
