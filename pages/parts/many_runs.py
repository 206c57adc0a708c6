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
) -> dict[str, R]:
    """The answers that are known, by their runs, in the questions' order; shows how the others stand.

    What is missing is asked when the button called `start` is pressed; `estimate()` gives seconds for one question.
    A question that failed is answered by its reason.
    """
    asked = {(each := Asked(bench, step, subject, one.settings, one.inputs)).fingerprint: each for one in questions}
    names = dict(zip(asked, (each.name for each in questions), strict=True))
    found = {run: answer for run, each in asked.items() if (answer := each.answer()) is not None}
    failed = {run: reason for run in asked if run not in found and (reason := failure(bench, run)) is not None}
    missing = [run for run in asked if run not in found and run not in failed]
    going = [job for run in asked if (job := bench.worker.jobs.get(run)) is not None and not job.is_over]
    for reason in dict.fromkeys(failed.values()):
        these = ", ".join(names[run] for run in failed if failed[run] == reason)
        st.warning(plain(f"{these}: {reason}."))
    if failed and not going and st.button("Try these again", key=f"again {next(iter(failed))}"):
        ask_all([asked[run] for run in failed])
    if going:
        watch(going, len(asked), len(found) + len(failed))
    elif missing:
        seconds = once(f"estimate {missing[0]}", estimate)
        takes = f", about {duration(seconds * len(missing))}" if seconds else ""
        few = f"{len(missing)} of {len(asked)} trainings are missing" if found else f"{len(missing)} trainings"
        st.caption(f"{few}{takes}.")
        if st.button(start, type="primary", key=f"many {missing[0]} {len(missing)}"):
            ask_all([asked[run] for run in missing])
    return found


def once(key: str, estimate: Callable[[], float]) -> float:
    """An estimate made once; nothing where it can't be made, for then the run says why."""
    if key not in st.session_state:
        try:
            st.session_state[key] = estimate()
        except Exception:  # whatever stands in its way stands in the run's, which says it in words
            st.session_state[key] = 0.0
    return st.session_state[key]


def ask_all(asked: Sequence[Asked[S, R]]) -> None:
    """Queue these and draw the page anew."""
    try:
        for each in asked:
            each.bench.ask(each.step, each.subject, each.settings, each.inputs)
    except ValueError as error:  # another process got there first
        st.info(plain(str(error)))
        return
    st.rerun()


def failure(bench: Workbench, run: str) -> str | None:
    """Why a question that was asked before has no answer, None where it didn't fail."""
    entry = bench.store.register.entry(run)
    return entry.message if entry is not None and entry.outcome == Outcome.FAILED else None


@st.fragment(run_every=POLL_SECONDS)
def watch(going: Sequence[Job], count: int, done: int) -> None:
    """The jobs under way, as one; the page is drawn anew when one more is done, so that its answer shows."""
    left = [job for job in going if not job.is_over]
    if len(left) < len(going):
        st.rerun()
    now = next((job for job in left if job.outcome == Outcome.RUNNING), left[0])
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
