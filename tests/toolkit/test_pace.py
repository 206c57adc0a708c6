from __future__ import annotations

import time

import pytest
import torch

from engine.toolkit import pace as module
from engine.toolkit.pace import fastest_batch, pace


@pytest.fixture
def clock(monkeypatch):
    """A clock that only moves when it is told to."""

    class Clock:
        now = 0.0

        def sleep(self, seconds: float) -> None:
            self.now += seconds

    clock = Clock()
    monkeypatch.setattr(module.time, "perf_counter", lambda: clock.now)
    return clock


def test_batches_grow_and_the_fastest_counts(clock):
    asked = []

    def work(count: int) -> None:
        asked.append(count)
        clock.sleep(0.01 * count + (1 if len(asked) == 1 else 0.001))  # the first one warms up

    assert fastest_batch(work, 100, 12) == pytest.approx((0.64 + 0.001) / 64, rel=0.01)
    assert asked[:3] == [4, 16, 64]
    assert max(asked) == 100


def test_two_batches_are_made_even_where_there_is_no_time(clock):
    asked = []

    def work(count: int) -> None:
        asked.append(count)
        clock.sleep(10 / len(asked))

    assert fastest_batch(work, 100, 0.1) == 5 / 4
    assert asked == [4, 4]


def test_the_faster_of_one_thread_and_all_of_them_counts(clock):
    threads = torch.get_num_threads()
    torch.set_num_threads(3)
    try:
        alone = pace(lambda count: clock.sleep(count * torch.get_num_threads()), 4, 1)
        together = pace(lambda count: clock.sleep(count * (4 - torch.get_num_threads())), 4, 1)
        assert torch.get_num_threads() == 3
    finally:
        torch.set_num_threads(threads)
    assert alone == together == 1
    assert time.perf_counter() == clock.now
