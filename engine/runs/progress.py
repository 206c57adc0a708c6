"""How far a piece of work has come, and whether it should stop: one argument, silent by default."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np


class Cancelled(Exception):
    """The person asked for a stop; raised out of `report`, so work stops where it reports."""


class Progress:
    """Silent, so that a method runs the same in a test, a script or the app; a job and a progress bar override it."""

    def steps(self, count: int, label: str) -> Iterator[int]:
        """0 to count - 1, reporting before each."""
        for step in range(count):
            self.report(step / count, label)
            yield step
        self.report(1.0, label)

    def part(self, begin: float, end: float) -> Progress:
        """The Progress of one part of the work, which takes it from `begin` to `end`, both in [0, 1]."""
        return _Part(self, begin, end)

    def report(self, fraction: float, label: str) -> None:
        """Override to show the fraction done, in [0, 1]; raise Cancelled to stop the work."""

    def show(self, partial: dict[str, Any]) -> None:
        """Override to show first curves and figures before the work is done; plain values only."""

    def note(self, sentence: str) -> None:
        """Override to tell the person something that happened on the way (a halved batch, say)."""

    def kept(self, name: str, compute: Callable[[], dict[str, np.ndarray]]) -> dict[str, np.ndarray]:
        """The arrays that `compute` gives; override to keep them, so that a resumed run goes on where it was."""
        del name
        return compute()


class _Part(Progress):
    def __init__(self, whole: Progress, begin: float, end: float) -> None:
        self.whole, self.begin, self.end = whole, begin, end

    def report(self, fraction: float, label: str) -> None:
        self.whole.report(self.begin + fraction * (self.end - self.begin), label)

    def show(self, partial: dict[str, Any]) -> None:
        self.whole.show(partial)

    def note(self, sentence: str) -> None:
        self.whole.note(sentence)

    def kept(self, name: str, compute: Callable[[], dict[str, np.ndarray]]) -> dict[str, np.ndarray]:
        return self.whole.kept(name, compute)
