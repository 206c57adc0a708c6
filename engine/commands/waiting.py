"""Ask the workbench and wait, with a progress bar on stderr."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from concurrent.futures import TimeoutError as NotYet
from concurrent.futures import wait
from typing import TypeVar

from tqdm import tqdm

from engine.runs.progress import Cancelled, Progress
from engine.runs.run import Input, Outcome, Step
from engine.runs.worker import Job
from engine.subject.subject import Subject
from engine.workbench import Workbench

S = TypeVar("S")
R = TypeVar("R")
LOOK_SECONDS, STOP_SECONDS = 0.1, 10.0
BAR = "{desc}: {percentage:3.0f}%|{bar}| {elapsed}<{remaining}"


class Bar(Progress):
    """A progress bar for work done in this thread."""

    def __init__(self, title: str) -> None:
        self.bar = tqdm(total=1.0, desc=title, bar_format=BAR, file=sys.stderr)

    def report(self, fraction: float, label: str) -> None:
        """Moves the bar."""
        self.bar.set_description(label, refresh=False)
        self.bar.update(fraction - self.bar.n)

    def note(self, sentence: str) -> None:
        """Written above the bar."""
        self.bar.write(sentence, file=sys.stderr)


def answer(
    bench: Workbench, step: Step[S, R], subject: Subject, settings: S, inputs: Mapping[str, Input] | None = None
) -> tuple[R, float]:
    """What the step found, known or computed now, and the seconds that it took to compute.

    Raises ValueError with the reason where it fails, Cancelled after Ctrl+C.
    """
    found = bench.answer(step, subject, settings, inputs)
    if found is None:
        follow(bench.ask(step, subject, settings, inputs))
        found = bench.answer(step, subject, settings, inputs)
    entry = bench.store.register.entry(bench.question(step, subject, settings, inputs).fingerprint)
    if found is None or entry is None:
        raise ValueError("the result could not be kept; is the data folder writable?")
    return found, entry.seconds


def follow(job: Job) -> None:
    """Wait for a job, showing how far it is."""
    bar = Bar(job.title)
    try:
        while not job.is_over:
            bar.report(job.fraction, job.label)
            while job.notes:
                bar.note(job.notes.pop(0))
            try:
                job.future.result(LOOK_SECONDS)
            except NotYet:
                continue
    except KeyboardInterrupt:
        job.cancel()
        wait([job.future], STOP_SECONDS)  # until the store knows that it was stopped
        raise Cancelled from None
    finally:
        bar.report(job.fraction, job.label)
        bar.bar.close()
    if job.outcome != Outcome.FINISHED:
        raise ValueError(job.message)
