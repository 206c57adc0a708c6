"""Many questions of one step, such as each arm and seed of a comparison: one estimate, one bar, answers by and by."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

import streamlit as st

from engine.runs.run import Input, Outcome, Step
from engine.runs.worker import Job
from engine.subject.subject import Subject
from engine.workbench import Workbench
from pages.parts.run_panel import POLL_SECONDS, Asked, standing
from pages.parts.text import duration, plain

S = TypeVar("S")
R = TypeVar("R")


@dataclass(frozen=True)
class Question(Generic[S]):
    """One of many, with a few words that tell it from the others."""

    name: str
    settings: S
    inputs: Mapping[str, Input]


def answered_so_far(
    bench: Workbench,
    step: Step[S, R],
    subject: Subject,
    questions: Sequence[Question[S]],
    estimate: Callable[[], float],
    start: str,
) -> list[R]:
    """The answers that are known, in the questions' order; shows how the others stand.

    What is missing is asked when the button called `start` is pressed; `estimate()` gives seconds for one question.
    """
    asked = [Asked(bench, step, subject, each.settings, each.inputs) for each in questions]
    found = [each.answer() for each in asked]
    missing = [place for place, answer in enumerate(found) if answer is None]
    jobs = {place: bench.worker.jobs.get(asked[place].fingerprint) for place in missing}
    going = [job for job in jobs.values() if job is not None and not job.is_over]
    if going:
        watch(going, len(questions))
    elif missing:
        for sentence in dict.fromkeys(failures(bench, [asked[place] for place in missing])):
            st.error(plain(sentence))
        seconds = once(f"estimate {asked[0].fingerprint}", estimate) * len(missing)
        rest = f"{len(missing)} of {len(questions)} trainings are missing" if len(missing) < len(questions) else (
            f"{len(questions)} trainings"
        )  # fmt: skip
        st.caption(f"{rest}, about {duration(seconds)}.")
        if st.button(start, type="primary", key=f"many {asked[0].fingerprint} {len(questions)}"):
            ask_all(asked, missing)
    return [answer for answer in found if answer is not None]


def once(key: str, estimate: Callable[[], float]) -> float:
    """An estimate made once; nothing where it can't be made, for then the run says why."""
    if key not in st.session_state:
        try:
            st.session_state[key] = estimate()
        except Exception:  # whatever stands in its way stands in the run's, which says it in words
            st.session_state[key] = 0.0
    return st.session_state[key]


def ask_all(asked: Sequence[Asked[S, R]], missing: Sequence[int]) -> None:
    """Queue what is missing and draw the page anew."""
    try:
        for place in missing:
            each = asked[place]
            each.bench.ask(each.step, each.subject, each.settings, each.inputs)
    except ValueError as error:  # another process got there first
        st.info(plain(str(error)))
        return
    st.rerun()


def failures(bench: Workbench, asked: Sequence[Asked[S, R]]) -> list[str]:
    """Why questions that were asked before have no answer, where they failed."""
    entries = [bench.store.register.entry(each.fingerprint) for each in asked]
    return [each.message for each in entries if each is not None and each.outcome == Outcome.FAILED]


@st.fragment(run_every=POLL_SECONDS)
def watch(going: Sequence[Job], count: int) -> None:
    """The jobs under way, as one; the page is drawn anew when one more is done, so that its answer shows."""
    left = [job for job in going if not job.is_over]
    if len(left) < len(going):
        st.rerun()
    now = next((job for job in left if job.outcome == Outcome.RUNNING), left[0])
    done = count - len(left)
    with st.container(border=True):
        text = f"{done} of {count} done · {standing(now)}"
        if now.seconds_left:
            whole = now.seconds_left / max(1 - now.fraction, 1e-6)
            text += f", {duration(now.seconds_left + whole * (len(left) - 1))} for all"
        st.progress(min(1.0, (done + now.fraction) / count), text=text)
        st.button("Stop all", key=f"stop all {going[0].fingerprint}", on_click=stop, args=(left,))


def stop(jobs: Sequence[Job]) -> None:
    """Stop them all, those that wait first."""
    for job in reversed(jobs):
        job.cancel()
