"""Overview: how good is it, and on which images does it fail?"""

from __future__ import annotations

import streamlit as st

from engine.methods.evaluation import EVALUATION
from engine.methods.evaluation.result import Evaluation
from engine.methods.evaluation.sentences import how_good, suggestion, what_fails
from engine.methods.evaluation.settings import EvaluationSettings
from engine.subject.image_set import Role
from engine.subject.subject import Subject
from engine.toolkit.statistics import Rate
from engine.workbench import Workbench
from pages.parts.bench import framed, workbench
from pages.parts.bench import subject as opened_subject
from pages.parts.browser import Scene, browser
from pages.parts.command import evaluate_command
from pages.parts.images_of_test import test_is_open
from pages.parts.run_panel import answered
from pages.parts.text import plain

FIRST_ROLES = (Role.DIAGNOSIS, Role.TEST, Role.POOL, Role.TRAIN)
METHODS = {
    "input_optimization": "Input optimization",
    "cam_training": "CAM training",
    "input_selection": "Input selection",
    "error_discovery": "Error discovery",
}


def page() -> None:
    """The whole page."""
    bench, subject = workbench(), opened_subject()
    st.title("Overview")
    role = choose_role(subject)
    if role is None:
        st.warning("There are no images here. Load data in the sidebar.")
        return
    settings = EvaluationSettings(role)
    evaluation = answered(bench, EVALUATION, subject, settings, lambda: seconds(bench, subject, settings))
    if evaluation is None:
        return
    sentences(evaluation)
    figures(evaluation)
    scene = Scene(bench, subject, evaluation, bench.question(EVALUATION, subject, settings).fingerprint)
    browser(scene, lambda: role != Role.TEST or test_is_open(bench, subject))
    with st.expander("The same on the command line", icon=":material/terminal:"):
        command = evaluate_command(bench, subject, role)
        if command:
            st.code(command, language="bash", wrap_lines=True)
        else:
            st.caption("There is no command for a built-in classifier or data that is combined with something else.")


def choose_role(subject: Subject) -> str | None:
    """Which images are looked at: those meant for looking first."""
    counts = {role.value: len(subject.images.indices(role)) for role in FIRST_ROLES}
    there = [role for role, count in counts.items() if count]
    if not there:
        return None
    return st.segmented_control(
        "Images",
        there,
        default=there[0],
        required=True,
        format_func=lambda role: f"{role} ({counts[role]:,})",
        key=f"role {subject.fingerprint}",
        help="diagnosis: to look at; test: only reported; pool: what a fix may draw on; train: trained on",
    )


def seconds(bench: Workbench, subject: Subject, settings: EvaluationSettings) -> float:
    """How long an evaluation will take, measured on a few images."""
    from engine.methods.evaluation.estimate import seconds as estimated

    with bench.quick(subject) as quick:
        return estimated(quick, settings)


def sentences(evaluation: Evaluation) -> None:
    """Three measured sentences: how good, what fails, where to go next."""
    st.markdown(plain(how_good(evaluation)))
    st.markdown(plain(what_fails(evaluation)))
    advice = suggestion(evaluation)
    said = f"Try next: **{METHODS[advice.method]}**. {plain(advice.reason)}."
    st.page_link(f"pages/{advice.method}.py", label=said)


def figures(evaluation: Evaluation) -> None:
    """The figures in a row, each with its interval."""
    summary = evaluation.summary
    if not summary.accuracy.n:
        return
    with st.container(horizontal=True):
        rate_metric("Accuracy", summary.accuracy, "the share of images whose likeliest class is the label")
        st.metric(
            "Balanced accuracy",
            f"{summary.balanced_accuracy:.1%}",
            f"{summary.balanced_low:.1%} to {summary.balanced_high:.1%}",
            delta_color="off",
            delta_arrow="off",
            help="the mean of all labels' recall, so that rare labels count as much as common ones",
            width=150,
        )
        if summary.top5:
            rate_metric("Top-5 accuracy", summary.top5, "the share of images with the label among the best five")
        st.metric(
            "Calibration error",
            f"{summary.ece:.1%}",
            f"15 bins, n = {summary.accuracy.n:,}",
            delta_color="off",
            delta_arrow="off",
            help="ECE: by how much confidence and accuracy differ on average; 0 % would be perfectly honest",
            width=150,
        )
        st.metric(
            "NLL, nats",
            f"{summary.nll:.3f}",
            f"{summary.nll_low:.3f} to {summary.nll_high:.3f}",
            delta_color="off",
            delta_arrow="off",
            help="log loss, the mean negative log-likelihood of the label; being sure and wrong costs most",
            width=150,
        )
    grouped = f" in {summary.accuracy.groups:,} groups" if summary.accuracy.groups < summary.accuracy.n else ""
    st.caption(
        f"n = {summary.accuracy.n:,} labelled images{grouped}"
        + (f", {summary.unlabelled:,} without a label" if summary.unlabelled else "")
        + "; ranges are 95 % intervals."
    )


def rate_metric(name: str, rate: Rate, meaning: str) -> None:
    """One rate with its interval below."""
    interval = f"{rate.low:.1%} to {rate.high:.1%}"
    st.metric(name, f"{rate.value:.1%}", interval, delta_color="off", delta_arrow="off", help=meaning, width=150)


framed("pages/evaluation.py")
page()
