from __future__ import annotations

import threading
import time
from dataclasses import dataclass

import numpy as np
import pytest

from engine.runs.run import Outcome, Run
from engine.runs.worker import Job, Worker


@dataclass(frozen=True)
class Numbers:
    values: np.ndarray


@pytest.fixture
def worker(store):
    worker = Worker(store)
    yield worker
    worker.close()


def question(**settings) -> Run:
    return Run(step="count", version=1, subject="s", settings=settings)


def submitted(worker, run, work):
    return worker.submit(Job(worker.store, run, "counting", "m", "d"), work)


def test_a_job_ends_with_its_result_in_the_store(worker, store):
    job = submitted(worker, question(), lambda progress: Numbers(np.arange(3)))
    job.future.result(10)
    assert job.outcome == Outcome.FINISHED
    np.testing.assert_array_equal(store.result(question(), Numbers).values, [0, 1, 2])
    assert store.register.entry(question().fingerprint).seconds >= 0


def test_the_same_question_asked_while_it_runs_is_the_same_job(worker):
    go = threading.Event()
    counted = []

    def work(progress):
        counted.append(1)
        go.wait(10)
        return Numbers(np.arange(3))

    first, second = submitted(worker, question(), work), submitted(worker, question(), work)
    go.set()
    first.future.result(10)
    assert first is second
    assert counted == [1]


def test_a_cancelled_job_stops_where_it_next_reports_and_resumes_from_what_it_kept(worker, store):
    reached, go = threading.Event(), threading.Event()
    computed = []

    def piece(number):
        computed.append(number)
        return {"values": np.full(2, number)}

    def work(progress):
        parts = []
        for number in progress.steps(3, "counting"):
            parts.append(progress.kept(f"piece {number}", lambda number=number: piece(number))["values"])
            if number == 1 and not reached.is_set():
                reached.set()
                go.wait(10)
        return Numbers(np.concatenate(parts))

    job = submitted(worker, question(), work)
    assert reached.wait(10)
    job.cancel()
    go.set()
    job.future.result(10)
    assert job.outcome == Outcome.CANCELLED
    assert store.register.entry(question().fingerprint).outcome == Outcome.CANCELLED
    assert computed == [0, 1]
    submitted(worker, question(), work).future.result(10)
    assert computed == [0, 1, 2]
    np.testing.assert_array_equal(store.result(question(), Numbers).values, [0, 0, 1, 1, 2, 2])
    with store.database.reading() as tables:
        assert tables.table("documents").count == 1  # the pieces are gone


def test_a_waiting_job_is_cancelled_at_once(worker, store):
    go = threading.Event()
    first = submitted(worker, question(a=1), lambda progress: go.wait(10) and Numbers(np.arange(1)))
    while first.outcome != Outcome.RUNNING:
        time.sleep(0.01)
    second = submitted(worker, question(a=2), lambda progress: Numbers(np.arange(1)))
    second.cancel()
    assert second.outcome == Outcome.CANCELLED
    assert store.register.entry(question(a=2).fingerprint).outcome == Outcome.CANCELLED
    go.set()
    first.future.result(10)
    assert first.outcome == Outcome.FINISHED


def test_a_job_whose_run_is_forgotten_elsewhere_still_ends(worker, store):
    go = threading.Event()
    job = submitted(worker, question(), lambda progress: go.wait(10) and Numbers(np.arange(1)))
    store.forget_run(question().fingerprint)
    go.set()
    job.future.result(10)
    assert job.is_over
    assert store.register.entries() == []


def test_a_job_ends_even_if_its_outcome_can_t_be_written(worker, store, monkeypatch):
    def full(*arguments):
        raise OSError("the disk is full")

    monkeypatch.setattr(store.register, "end", full)
    job = submitted(worker, question(), lambda progress: Numbers(np.arange(1)))
    job.future.result(10)
    assert job.outcome == Outcome.FAILED
    assert "the disk is full" in job.message


def test_a_failure_says_what_went_wrong_and_the_next_job_runs(worker, store):
    def broken(progress):
        raise ValueError("no image has the role 'pool'")

    job = submitted(worker, question(a=1), broken)
    job.future.result(10)
    entry = store.register.entry(question(a=1).fingerprint)
    assert (entry.outcome, entry.message) == (Outcome.FAILED, "no image has the role 'pool'")
    assert "Traceback" in entry.detail
    after = submitted(worker, question(a=2), lambda progress: Numbers(np.arange(1)))
    after.future.result(10)
    assert after.outcome == Outcome.FINISHED


def test_time_left_follows_from_how_far_the_work_has_come(store):
    job = Job(store, question(), "counting")
    assert job.seconds_left is None
    job.outcome, job.started_at = Outcome.RUNNING, time.time() - 10
    job.report(0.25, "counting")
    assert job.seconds_left == pytest.approx(30, rel=0.05)


def test_another_process_at_the_same_question_is_respected(worker, store):
    store.register.ask(question(), "counting", "m", "d", "another process")
    with pytest.raises(ValueError, match="another Faultline"):
        submitted(worker, question(), lambda progress: Numbers(np.arange(1)))


def test_a_long_job_keeps_its_lease_while_it_lives(worker, store, monkeypatch):
    monkeypatch.setattr("engine.runs.worker.BEAT_SECONDS", 0.05)
    monkeypatch.setattr("engine.runs.register.LEASE_SECONDS", 0.4)
    go = threading.Event()
    job = submitted(worker, question(), lambda progress: go.wait(10) and Numbers(np.arange(1)))
    time.sleep(1.0)
    assert store.register.entry(question().fingerprint).outcome == Outcome.RUNNING
    go.set()
    job.future.result(10)
