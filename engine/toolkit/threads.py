"""How many of the processor's cores a small network should be given."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

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
    threads = torch.get_num_threads()
    if weights * size.height * size.width * batch_size < SMALL:
        torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)
