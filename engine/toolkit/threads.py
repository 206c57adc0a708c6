"""How many of the processor's cores a small network should be given."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, nullcontext
from functools import cache
from threading import Lock, local

import torch
from threadpoolctl import threadpool_limits

from engine.subject.classifier import Classifier

SMALL = 1e10  # multiplications in a batch, at most, counted as if every weight met every pixel: tens of milliseconds


@contextmanager
def as_many_as_help(classifier: Classifier, batch_size: int) -> Iterator[None]:
    """One thread inside where a batch is so little work that threads would wait for each other longer than they work.

    While others used the same two cores, as a browser does, retraining the built-in network of the digits took up to
    six times as long with two threads as with one. How much work a batch is, is taken from the weights and the pixels,
    so that the same network gets the same number, and the same sums, every time.
    """
    size = classifier.blueprint.preprocessing
    weights = sum(weight.numel() for weight in classifier.network.parameters())
    with one_if_small(weights * size.height * size.width * batch_size):
        yield


@contextmanager
def one_if_small(work: float) -> Iterator[None]:
    """One thread inside where the `work` of a batch, in multiplications, is small; else as many as outside."""
    with one_thread() if work < SMALL else nullcontext():
        yield


class Inside:
    """Who is in `one_thread`: the first one in notes how many threads PyTorch had, and who leaves gets them back.

    It has a number for each thread, which begins with what was set last anywhere, but only when it is asked for first.
    """

    def __init__(self) -> None:
        self.lock, self.count, self.threads = Lock(), 0, 1
        self.own = local()

    def enter(self) -> None:
        """One more."""
        threads = torch.get_num_threads()
        with self.lock:
            self.threads = self.threads if self.count else threads
            self.count += 1
        self.own.depth = getattr(self.own, "depth", 0) + 1
        torch.set_num_threads(1)

    def leave(self) -> None:
        """One fewer."""
        self.own.depth -= 1
        with self.lock:
            self.count -= 1
        if not self.own.depth:
            torch.set_num_threads(self.threads)


inside, blas = Inside(), Lock()


@contextmanager
def one_thread() -> Iterator[None]:
    """One thread inside, for PyTorch and for what NumPy, SciPy and scikit-learn compute with.

    For many small products one after the other, in which threads wait for each other far longer than they work: with
    two busy programs beside them on two cores, all softmax probes of the built-in digits took 35 s, and 0.9 s in one.
    Several may be inside at once and leave in any order. BLAS has one number for the process: who comes first sets it,
    and gives it back when leaving.
    """
    first = blas.acquire(blocking=False)
    inside.enter()
    try:
        with threadpool_limits(1, "blas") if first else nullcontext():
            yield
    finally:
        inside.leave()
        if first:
            blas.release()


@contextmanager
def side_by_side() -> Iterator[ThreadPoolExecutor]:
    """As many workers as PyTorch has threads, each of which computes with one.

    For portions that don't need each other: threads that share the work of one portion wait for each other after
    every layer, and where other programs use the same cores, far longer than they work.
    """
    threads = torch.get_num_threads()
    with one_thread():
        yield workers(threads)


@cache
def workers(count: int) -> ThreadPoolExecutor:
    """The threads themselves; new ones for every piece of work would each keep memory of their own."""
    return ThreadPoolExecutor(count, "side by side", torch.set_num_threads, (1,))
