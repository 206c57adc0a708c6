"""What was asked, in words that name it: the same question has the same fingerprint."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Any, Generic, TypeVar

from engine.runs.progress import Progress

S = TypeVar("S")
R = TypeVar("R")


class Outcome(StrEnum):
    """How a run stands; written down, never inferred."""

    WAITING = "waiting"
    RUNNING = "running"
    FINISHED = "finished"
    CANCELLED = "cancelled"
    FAILED = "failed"
    INTERRUPTED = "interrupted"


@dataclass(frozen=True)
class Input:
    """Something that a step builds on: another run's result, a selection, labels; and the fingerprint it goes by."""

    fingerprint: str
    value: Any = field(repr=False)


@dataclass(frozen=True)
class Step(Generic[S, R]):
    """One piece of work: `run(subject, settings, inputs, progress) -> Result`, the inputs' values by their names.

    `settings` and `result` are frozen dataclasses; a step whose mathematics changes gets another `version`, so that
    answers of the old one are not taken for its own. `title` is what a person reads while it runs.
    """

    name: str
    version: int
    title: str
    settings: type[S]
    result: type[R]
    run: Callable[[Any, S, Mapping[str, Any], Progress], R]


@dataclass(frozen=True)
class Run:
    """A question: which step, about which subject, with what settings, inputs (name -> fingerprint) and seed."""

    step: str
    version: int
    subject: str
    settings: Mapping[str, Any]
    inputs: Mapping[str, str] = field(default_factory=dict)
    seed: int = 0

    @property
    def fingerprint(self) -> str:
        """The same question always has the same one, after a restart too."""
        asked = json.dumps(asdict(self), sort_keys=True, allow_nan=False)
        return hashlib.sha256(asked.encode()).hexdigest()[:16]
