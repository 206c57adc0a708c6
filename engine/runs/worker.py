"""One thread that does the long work, one job after the other, whether or not anybody is looking."""

from __future__ import annotations

import queue
import threading
import time
import traceback
import uuid
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import numpy as np

from engine.runs.progress import Cancelled, Progress
from engine.runs.run import Outcome, Run
from engine.runs.store import Store

BEAT_SECONDS = 1.0
STOPPED = "stopped; what it had finished is kept, and it can be resumed"
STOPPED_FOR_GOOD = "stopped; it begins anew when it is asked for again"


class Job(Progress):
    """A run on its way: the Progress that its work reports to, and what a page shows of it."""

    def __init__(self, store: Store, run: Run, title: str, model: str = "", dataset: str = "") -> None:
        self.store, self.run, self.title, self.model, self.dataset = store, run, title, model, dataset
        self.outcome = Outcome.WAITING
        self.fraction, self.label, self.message = 0.0, "waiting for its turn", ""
        self.partial: dict[str, Any] = {}
        self.notes: list[str] = []
        self.started_at = 0.0
        self._stop = threading.Event()
        self.future: Future[None] = Future()

    @property
    def fingerprint(self) -> str:
        """The run's."""
        return self.run.fingerprint

    @property
    def is_over(self) -> bool:
        """Whether nothing more will come."""
        return self.outcome not in (Outcome.WAITING, Outcome.RUNNING)

    @property
    def seconds_left(self) -> float | None:
        """An estimate from how far the work has come; None as long as that says nothing."""
        gone = time.time() - self.started_at
        if self.outcome != Outcome.RUNNING or self.fraction < 0.02 or gone < 0.5:
            return None
        return gone * (1 - self.fraction) / self.fraction

    @property
    def stopped(self) -> str:
        """What is left of it when it is stopped, in a sentence."""
        return STOPPED if self.store.documents.has_pieces(self.fingerprint) else STOPPED_FOR_GOOD

    def cancel(self) -> None:
        """Ask for a stop; what runs stops where it next reports, what waits never starts."""
        self._stop.set()
        if self.future.cancel():
            self.outcome, self.message = Outcome.CANCELLED, self.stopped
            self.store.register.end(self.fingerprint, Outcome.CANCELLED, self.message)

    def report(self, fraction: float, label: str) -> None:
        """Called by the work."""
        if self._stop.is_set():
            raise Cancelled
        self.fraction, self.label = fraction, label

    def show(self, partial: dict[str, Any]) -> None:
        """Called by the work."""
        self.partial = partial

    def note(self, sentence: str) -> None:
        """Called by the work."""
        self.notes.append(sentence)

    def kept(self, name: str, compute: Callable[[], dict[str, np.ndarray]]) -> dict[str, np.ndarray]:
        """The arrays of this name if a run that stopped earlier has left them, else computed and kept."""
        key = f"{self.fingerprint}/{name}"
        held = self.store.documents.find(key, Piece)
        if held is not None:
            return held.arrays
        arrays = compute()
        self.store.documents.save(key, self.fingerprint, Piece(arrays))
        return arrays


@dataclass(frozen=True)
class Piece:
    """Part of a result, kept until the whole is there."""

    arrays: dict[str, np.ndarray]


class Worker:
    """Does jobs one at a time in a thread of its own; the store learns how each stands.

    Its threads are daemons: a program that ends doesn't wait for hours of work, which is then marked interrupted.
    """

    def __init__(self, store: Store) -> None:
        self.store = store
        self.owner = uuid.uuid4().hex
        self.jobs: dict[str, Job] = {}
        self._lock = threading.Lock()
        self._waiting: queue.SimpleQueue[tuple[Job, Callable[[Progress], Any]] | None] = queue.SimpleQueue()
        self._closed = threading.Event()
        self._threads: list[threading.Thread] = []

    def submit(self, job: Job, work: Callable[[Progress], Any]) -> Job:
        """Queue a job, or give the one that is at the same question already.

        Raises ValueError where another process on the same store is at it.
        """
        with self._lock:
            known = self.jobs.get(job.fingerprint)
            if known is not None and not known.is_over:
                return known
            if not self.store.register.ask(job.run, job.title, job.model, job.dataset, self.owner):
                raise ValueError("another Faultline on this data folder is working on this already; wait for it")
            self.jobs[job.fingerprint] = job
            self._waiting.put((job, work))
            if not self._threads:
                self._threads = [threading.Thread(target=each, daemon=True) for each in (self._work, self._beat)]
                for thread in self._threads:
                    thread.start()
        return job

    def current(self) -> list[Job]:
        """The jobs that wait or run, in their order."""
        return [job for job in list(self.jobs.values()) if not job.is_over]

    def close(self) -> None:
        """Stop what runs, drop what waits."""
        for job in self.current():
            job.cancel()
        self._closed.set()
        self._waiting.put(None)
        for thread in self._threads:
            thread.join()

    def _work(self) -> None:
        while (item := self._waiting.get()) is not None:
            job, work = item
            if job.future.set_running_or_notify_cancel():
                self._do(job, work)
                job.future.set_result(None)

    def _do(self, job: Job, work: Callable[[Progress], Any]) -> None:
        outcome, message, detail = Outcome.FAILED, "", ""
        try:
            job.outcome, job.started_at = Outcome.RUNNING, time.time()
            self.store.register.start(job.fingerprint)
            self.store.finish(job.run, work(job))
            outcome = Outcome.FINISHED
            self.store.make_room(spared=job.fingerprint)
        except Cancelled:
            outcome, message = Outcome.CANCELLED, job.stopped
        except Exception as error:  # the thread must live on, and the person must learn of it
            if outcome != Outcome.FINISHED:  # if it is, only making room has failed
                message, detail = sentence_of(error), traceback.format_exc()
        try:
            if outcome != Outcome.FINISHED:
                self.store.register.end(job.fingerprint, outcome, message, detail)
        except Exception as error:  # a full disk, say
            message = f"{message}; and the outcome could not be written down: {error}"
        finally:
            job.message = message
            job.outcome = outcome

    def _beat(self) -> None:
        """Tell the store that this process lives, as long as it has work."""
        while not self._closed.wait(BEAT_SECONDS):
            if work := self.current():
                running = next((job for job in work if job.outcome == Outcome.RUNNING), work[0])
                with suppress(Exception):  # a store that is busy for long is told the next time
                    self.store.register.beat(self.owner, running.fingerprint, running.fraction, running.label)


def sentence_of(error: Exception) -> str:
    """What went wrong in one sentence: our own errors as they are, others with their type's name."""
    if isinstance(error, ValueError):
        return str(error)
    if isinstance(error, MemoryError):
        return "the machine ran out of memory; close other programs or examine fewer or smaller images"
    return f"{type(error).__name__}: {error}"
