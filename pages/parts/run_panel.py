"""A question's way on a page: known, waiting, running, stopped, failed; the same for every step."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import streamlit as st

from engine.runs.register import Entry
from engine.runs.run import Outcome, Step
from engine.runs.worker import Job
from engine.subject.subject import Subject
from engine.workbench import Workbench
from pages.parts.text import duration, plain

S = TypeVar("S")
R = TypeVar("R")
POLL_SECONDS = 0.5


def answered(
    bench: Workbench,
    step: Step[S, R],
    subject: Subject,
    settings: S,
    estimate: Callable[[], float],
    most_seconds: float = 20.0,
) -> R | None:
    """The answer if it is known; else shows how the question stands, and None.

    A question never asked before starts by itself if `estimate()`, in seconds, is at most `most_seconds`; else a
    person starts it, knowing how long it will take.
    """
    run = bench.question(step, subject, settings)
    if (found := bench.answer(step, subject, settings)) is not None:
        return found
    job = bench.worker.jobs.get(run.fingerprint)
    entry = bench.store.register.entry(run.fingerprint)
    if job is None and entry is None:
        seconds = estimate()
        if seconds > most_seconds:
            st.info(f"**{step.title}** has not been run on this. It will take about {duration(seconds)}.")
            if st.button(f"Run {step.title.lower()}", type="primary", key=f"run {run.fingerprint}"):
                bench.ask(step, subject, settings)
                st.rerun()
            return None
        job = bench.ask(step, subject, settings)
    if job is not None and not job.is_over:
        watch(job)
    elif entry is not None and entry.outcome in (Outcome.WAITING, Outcome.RUNNING):
        wait_for_another(bench, entry.fingerprint)
    elif entry is not None:
        over(bench, step, subject, settings, entry)
    return None


@st.fragment(run_every=POLL_SECONDS)
def watch(job: Job) -> None:
    """A running job with its time left and a stop; the page is drawn anew when it is over."""
    if job.is_over:
        st.rerun()
    with st.container(border=True):
        st.markdown(f"**{plain(job.title)}**")
        st.progress(min(job.fraction, 1.0), text=standing(job))
        for sentence in job.notes:
            st.caption(plain(sentence))
        st.button("Stop", key=f"stop {job.fingerprint}", on_click=job.cancel)


@st.fragment(run_every=2.0)
def wait_for_another(bench: Workbench, fingerprint: str) -> None:
    """Another process on the same data folder is at it: look until it is over."""
    entry = bench.store.register.entry(fingerprint)
    if entry is None or entry.outcome not in (Outcome.WAITING, Outcome.RUNNING):
        st.rerun()
    st.info(f"Another Faultline on this data folder is working on this: {plain(entry.label)} ({entry.fraction:.0%}).")


def standing(job: Job) -> str:
    """How far a job has come, in words."""
    left = job.seconds_left
    return f"{plain(job.label)} · {job.fraction:.0%}" + (f" · about {duration(left)} left" if left else "")


def over(bench: Workbench, step: Step[S, R], subject: Subject, settings: S, entry: Entry) -> None:
    """A run that ended without an answer: why, and the way on."""
    again = {
        Outcome.CANCELLED: ("was stopped", "Resume"),
        Outcome.INTERRUPTED: ("was interrupted", "Resume"),
        Outcome.FAILED: ("failed", "Run again"),
        Outcome.FINISHED: ("is no longer kept, or can't be read", "Run again"),
    }
    what, label = again[entry.outcome]
    show = st.error if entry.outcome == Outcome.FAILED else st.warning
    show(f"**{step.title}** {what}" + (f": {plain(entry.message)}." if entry.message else "."))
    if st.button(label, type="primary", key=f"again {entry.fingerprint}"):
        bench.ask(step, subject, settings)
        st.rerun()
    if entry.detail and entry.outcome == Outcome.FAILED:
        with st.expander("What the program said"):
            st.code(entry.detail, language=None)
