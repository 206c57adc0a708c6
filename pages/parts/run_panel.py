"""A question's way on a page: known, waiting, running, stopped, failed; the same for every step."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import streamlit as st

from engine.runs.register import Entry
from engine.runs.run import Input, Outcome, Step
from engine.runs.worker import Job
from engine.subject.subject import Subject
from engine.workbench import Workbench
from pages.parts.text import duration, plain

S = TypeVar("S")
R = TypeVar("R")
POLL_SECONDS = 0.5
AT_ONCE_SECONDS = 20.0  # what takes no longer starts by itself


@dataclass(frozen=True)
class Asked(Generic[S, R]):
    """A question on a page."""

    bench: Workbench
    step: Step[S, R]
    subject: Subject
    settings: S
    inputs: Mapping[str, Input] | None = None

    @property
    def fingerprint(self) -> str:
        """The run's."""
        return self.bench.question(self.step, self.subject, self.settings, self.inputs).fingerprint

    def answer(self) -> R | None:
        """What was found when it was asked before, or None."""
        return self.bench.answer(self.step, self.subject, self.settings, self.inputs)


def answered(
    bench: Workbench,
    step: Step[S, R],
    subject: Subject,
    settings: S,
    estimate: Callable[[], float],
    most_seconds: float = AT_ONCE_SECONDS,
    inputs: Mapping[str, Input] | None = None,
    partly: Callable[[dict[str, Any]], None] | None = None,
) -> R | None:
    """The answer if it is known; else shows how the question stands, and None.

    A question never asked before starts by itself if `estimate()`, in seconds, is at most `most_seconds`; else a
    person starts it, knowing how long it will take. `partly` draws what a running job shows of its first findings.
    """
    asked = Asked(bench, step, subject, settings, inputs)
    found, entry = asked.answer(), bench.store.register.entry(asked.fingerprint)
    if found is None and entry is not None and entry.outcome == Outcome.FINISHED:
        found = asked.answer()  # it may have come between the two
    if found is not None:
        return found
    job = bench.worker.jobs.get(asked.fingerprint)
    if job is not None and not job.is_over:
        watch(job, partly)
    elif entry is None:
        first_time(asked, estimate, most_seconds)
    elif entry.outcome in (Outcome.WAITING, Outcome.RUNNING):
        wait_for_another(bench, asked.fingerprint)
    elif entry.outcome == Outcome.FINISHED:  # dropped for room, or it can't be read any more
        start(asked)
    else:
        over(asked, entry)
    return None


def first_time(asked: Asked[S, R], estimate: Callable[[], float], most_seconds: float) -> None:
    """Start a short question; offer a long one with the time that it will take."""
    key, title = f"estimate {asked.fingerprint}", asked.step.title
    if key not in st.session_state:
        try:
            st.session_state[key] = estimate()
        except Exception:  # whatever stands in its way stands in the run's, which says it in words
            st.session_state[key] = 0.0
    seconds = st.session_state[key]
    if seconds <= most_seconds:
        start(asked)
        return
    st.info(f"**{title}** has not been run on this. It will take about {duration(seconds)}.")
    if st.button(f"Run {title.lower()}", type="primary", key=f"run {key}"):
        start(asked)


def start(asked: Asked[S, R]) -> None:
    """Ask, and draw the page anew with the question under way."""
    try:
        asked.bench.ask(asked.step, asked.subject, asked.settings, asked.inputs)
    except ValueError as error:  # another process got there first
        st.info(plain(str(error)))
        return
    st.rerun()


@st.fragment(run_every=POLL_SECONDS)
def watch(job: Job, partly: Callable[[dict[str, Any]], None] | None) -> None:
    """A running job with its time left and a stop; the page is drawn anew when it is over."""
    if job.is_over:
        st.rerun()
    with st.container(border=True):
        st.markdown(f"**{plain(job.title)}**")
        st.progress(min(job.fraction, 1.0), text=standing(job))
        for sentence in job.notes:
            st.caption(plain(sentence))
        st.button("Stop", key=f"stop {job.fingerprint}", on_click=job.cancel)
    if partly is not None and job.partial:
        partly(job.partial)


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
    return f"{plain(job.label)} · {job.fraction:.0%}" + (f" · {duration(left)} left" if left else "")


def over(asked: Asked[S, R], entry: Entry) -> None:
    """A run that ended without an answer: why, and the way on."""
    why = plain(entry.message)
    what = {
        Outcome.CANCELLED: f"was {why or 'stopped'}",  # a stopped run's message begins so
        Outcome.INTERRUPTED: f"was interrupted{why and f': {why}'}",
        Outcome.FAILED: f"failed{why and f': {why}'}",
    }
    resumes = asked.bench.store.documents.has_pieces(entry.fingerprint) and entry.outcome != Outcome.FAILED
    label = "Resume" if resumes else "Run again"
    show = st.error if entry.outcome == Outcome.FAILED else st.warning
    show(f"**{asked.step.title}** {what[entry.outcome]}.")
    if st.button(label, type="primary", key=f"again {entry.fingerprint}"):
        start(asked)
    if entry.detail and entry.outcome == Outcome.FAILED:
        with st.expander("What the program said"):
            st.code(entry.detail, language=None)
