"""How many of the processor's cores a small network should be given."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import cache

import torch

from engine.subject.classifier import Classifier

SMALL = 1e9  # multiplications in a batch, at most: a hundredth of a second or two on one core


@contextmanager
def as_many_as_help(classifier: Classifier, batch_size: int) -> Iterator[None]:
    """One thread inside where a batch is so little work that threads would wait for each other longer than they work.

    While others use the same cores, two of them took about 2.5 times as long as one on the built-in small network.
    How much work a batch is, is taken from the weights and the pixels, so that the same network gets the same number,
    and the same sums, every time.
    """
    size = classifier.blueprint.preprocessing
    weights = sum(weight.numel() for weight in classifier.network.parameters())
    with one_if_small(weights * size.height * size.width * batch_size):
        yield


@contextmanager
def one_if_small(work: float) -> Iterator[None]:
    """One thread inside where the `work` of a batch, in multiplications, is small; outside as many as before."""
    threads = torch.get_num_threads()
    if work < SMALL:
        torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)


@contextmanager
def side_by_side() -> Iterator[ThreadPoolExecutor]:
    """As many workers as PyTorch has threads, each of which computes with one.

    For portions that don't need each other: threads that share the work of one portion wait for each other after
    every layer, and where other programs use the same cores, far longer than they work.
    """
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield workers(threads)
    finally:
        torch.set_num_threads(threads)


@cache
def workers(count: int) -> ThreadPoolExecutor:
    """The threads themselves; new ones for every piece of work would each keep memory of their own."""
    return ThreadPoolExecutor(count, "side by side", torch.set_num_threads, (1,))
