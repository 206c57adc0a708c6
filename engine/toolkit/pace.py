"""How long work on many images will take, from a few batches of it."""

from __future__ import annotations

import time
from collections.abc import Callable

import torch

FEW, GROWTH = 4, 4  # images in the first batch; then so many times as many each time


def pace(work: Callable[[int], None], most: int, seconds: float) -> float:
    """Seconds an image, with all of PyTorch's threads or with one, whichever is faster.

    On small batches threads wait for each other, and while a browser draws the page on the same cores a hundred times
    longer than they work: in whole batches that matters less, so the slow measurement would mislead.
    """
    threads = torch.get_num_threads()
    found = []
    try:
        for count in (1, threads):
            torch.set_num_threads(count)
            found.append(fastest_batch(work, most, seconds / 2))
    finally:
        torch.set_num_threads(threads)
    return min(found)


def fastest_batch(work: Callable[[int], None], most: int, seconds: float) -> float:
    """Seconds an image in the fastest of several batches, which grow to `most` images as far as the time allows.

    `work` takes so many images at once. The fastest, because the first one warms up what is needed, and whatever else
    the machine does only slows one down. There are at least two, even where that takes longer.
    """
    fastest, count, tries, end = float("inf"), FEW, 0, time.perf_counter() + seconds
    fits = True
    while fits or tries < 2:
        begin = time.perf_counter()
        work(count)
        took = time.perf_counter() - begin
        fastest, tries = min(fastest, took / count), tries + 1
        larger = min(count * GROWTH, most // FEW * FEW)
        fits = time.perf_counter() + took * larger / count < end
        count = larger if fits else count
    return fastest
