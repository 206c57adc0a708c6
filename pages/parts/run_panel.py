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
    fingerprint = bench.question(step, subject, settings).fingerprint
    found, entry = bench.answer(step, subject, settings), bench.store.register.entry(fingerprint)
    if found is None and entry is not None and entry.outcome == Outcome.FINISHED:
        found = bench.answer(step, subject, settings)  # it may have come between the two
    if found is not None:
        return found
    job = bench.worker.jobs.get(fingerprint)
    if job is not None and not job.is_over:
        watch(job)
    elif entry is None:
        first_time(bench, step, subject, settings, estimate, most_seconds)
    elif entry.outcome in (Outcome.WAITING, Outcome.RUNNING):
        wait_for_another(bench, fingerprint)
    elif entry.outcome == Outcome.FINISHED:  # dropped for room, or it can't be read any more
        start(bench, step, subject, settings)
    else:
        over(bench, step, subject, settings, entry)
    return None


def first_time(
    bench: Workbench,
    step: Step[S, R],
    subject: Subject,
    settings: S,
    estimate: Callable[[], float],
    most_seconds: float,
) -> None:
    """Start a short question; offer a long one with the time that it will take."""
    key = f"estimate {bench.question(step, subject, settings).fingerprint}"
    if key not in st.session_state:
        try:
            st.session_state[key] = estimate()
        except Exception:  # whatever stands in its way stands in the run's, which says it in words
            st.session_state[key] = 0.0
    seconds = st.session_state[key]
    if seconds <= most_seconds:
        start(bench, step, subject, settings)
        return
    st.info(f"**{step.title}** has not been run on this. It will take about {duration(seconds)}.")
    if st.button(f"Run {step.title.lower()}", type="primary", key=f"run {key}"):
        start(bench, step, subject, settings)


def start(bench: Workbench, step: Step[S, R], subject: Subject, settings: S) -> None:
    """Ask, and draw the page anew with the question under way."""
    try:
        bench.ask(step, subject, settings)
    except ValueError as error:  # another process got there first
        st.info(plain(str(error)))
        return
    st.rerun()


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
    }
    what, label = again[entry.outcome]
    show = st.error if entry.outcome == Outcome.FAILED else st.warning
    show(f"**{step.title}** {what}" + (f": {plain(entry.message)}." if entry.message else "."))
    if st.button(label, type="primary", key=f"again {entry.fingerprint}"):
        start(bench, step, subject, settings)
    if entry.detail and entry.outcome == Outcome.FAILED:
        with st.expander("What the program said"):
            st.code(entry.detail, language=None)
