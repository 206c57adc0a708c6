"""Can the errors be corrected? A snapshot of the labels, every arm trained on over weights and seeds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import streamlit as st

from engine.methods.error_discovery import CORRECTION
from engine.methods.error_discovery.holding import given_classes
from engine.methods.error_discovery.settings import (
    ARMS,
    SEEDS,
    WEIGHTS,
    CorrectionSettings,
)
from engine.runs.encoding import content_fingerprint
from engine.runs.run import Input
from pages.parts.error_discovery.command import Asked, error_discovery_command
from pages.parts.error_discovery.corrected import corrected
from pages.parts.error_discovery.deciding import state_of
from pages.parts.error_discovery.grouping import left_as, tried_again
from pages.parts.error_discovery.pace import seconds_of_correction
from pages.parts.error_discovery.scene import Tried
from pages.parts.error_discovery.snapshots import Snapshot, snapshots, take
from pages.parts.error_discovery.words import ARM_TITLES
from pages.parts.many_runs import Question, answered_so_far

WEIGHTED = ("regions", "identified_mixed", "unlabelled")  # arms for which the weight makes a difference
NEEDED = ("before", "continued", "regions")
FIRST_WEIGHTS = (0.03, 0.1, 0.3, 1.0)
FEW = 3  # regions with a class, of which one is held out


def correcting(now: Tried, given: Asked) -> None:
    """Take a snapshot, choose the arms, train them, and see what it came to."""
    chosen = choose_snapshot(now)
    if chosen is None:
        return
    tried = tried_again(left_as(now.made, now.about, now.errors, now.at_first, chosen.state), given.testing)
    if tried is None:
        return
    labels = chosen.labels
    classes = given_classes(labels, tried.groups)
    if not classes:
        st.info(
            "No region of this snapshot was given a class other than the classifier's answer, so there is nothing to "
            "correct. Label some, and take another snapshot."
        )
        return
    if len(classes) < FEW:
        st.caption(f"With {len(classes)} such regions hardly anything can be held out, so the figures say little.")
    settings, arms, weights, seeds = asked()
    inputs = {
        **tried.inputs,
        "tests": tried.tests,
        "labels": Input(content_fingerprint(labels), labels),
        "search": Input(content_fingerprint(given.search), given.search),
        "testing": Input(content_fingerprint(given.testing), given.testing),
    }
    questions = questions_of(settings, arms, weights, seeds, inputs)
    if not set(NEEDED) <= set(arms) or not weights:
        st.info("Without before, just trained on, labelled regions and a weight nothing can be said.")
        return
    estimate = seconds_of_correction(tried.made, settings)
    found = answered_so_far(
        tried.made.bench, CORRECTION, tried.made.subject, questions, estimate, "Correct and compare"
    )
    if found:
        corrected(tried, found)
    same = error_discovery_command(tried.made.bench, tried.made.subject, given, settings, weights, seeds)
    if same:
        with st.expander("The same on the command line", icon=":material/terminal:"):
            st.code(same, language="bash", wrap_lines=True)
            st.caption("With the labels taken out above as regions.csv.")


def choose_snapshot(now: Tried) -> Snapshot | None:
    """The snapshot that is built on; None, and what to do, where there is none yet."""
    taken = snapshots(now)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        chosen = None
        if taken:
            chosen = st.selectbox(
                "Labels", list(taken), format_func=lambda each: taken[each].title, width=280,
                key=now.key(f"snapshot {len(taken)}"),
                help="a correction builds on labels as they stood at a moment, so that labelling can go on meanwhile",
            )  # fmt: skip
        pressed = st.button(
            "Take a snapshot of the labels", key=now.key("take snapshot"), icon=":material/photo_camera:",
            type="secondary" if taken else "primary",
        )  # fmt: skip
    if pressed and state_of(now).decisions:
        take(now)
        st.rerun()
    if pressed:
        st.caption("Nothing is labelled yet, so there is nothing to take a snapshot of.")
    elif not taken:
        st.caption("A correction learns from regions that were given a class. Label some, then take a snapshot.")
    return None if chosen is None else taken[chosen]


def asked() -> tuple[CorrectionSettings, list[str], list[float], int]:
    """How each is trained, which arms, which weights, and how many seeds."""
    usual = CorrectionSettings()
    with st.container(horizontal=True, vertical_alignment="bottom"):
        arms = st.multiselect(
            "Arms", ARMS, default=ARMS, format_func=ARM_TITLES.__getitem__, key="correction arms", width=900, wrap=True,
            help="ways of training on, from the same weights and with as many steps, that are compared",
        )  # fmt: skip
        weights = st.multiselect(
            "Weights of generated images", WEIGHTS, default=FIRST_WEIGHTS, format_func=lambda each: f"{each:g}",
            key="correction weights", width=420,
        )  # fmt: skip
        seeds = st.number_input("Seeds", 1, 50, SEEDS, key="correction seeds", width=100)
    with (
        st.expander("How it is trained on", icon=":material/tune:"),
        st.container(horizontal=True, vertical_alignment="bottom"),
    ):
        steps = st.number_input("Steps", 1, 100_000, usual.steps, 50, key="correction steps", width=120)
        batch = st.number_input("Images a step", 2, 1024, usual.batch_size, key="correction batch", width=130)
        rate = st.number_input(
            "Learning rate", 1e-6, 1.0, usual.learning_rate, 1e-4, format="%.4g", key="correction rate", width=140
        )
        draws = st.number_input("Draws of a region", 1, 10_000, usual.per_region, key="correction draws", width=150)
        held = st.slider(
            "Regions held out", 0.0, 0.9, usual.held_out, 0.01, format="percent", key="correction held", width=220,
            help="no arm sees them, nor the images that they lie around",
        )  # fmt: skip
        fresh = st.number_input("Fresh perturbations an image", 1, 100, usual.fresh, key="correction fresh", width=200)
    settings = replace(
        usual, steps=int(steps), batch_size=int(batch), learning_rate=rate, per_region=int(draws), held_out=held,
        fresh=int(fresh),
    )  # fmt: skip
    return settings, arms, sorted(weights), int(seeds)


def questions_of(
    settings: CorrectionSettings, arms: Sequence[str], weights: Sequence[float], seeds: int, inputs: dict[str, Input]
) -> list[Question[CorrectionSettings]]:
    """One training an arm, weight and seed; seeds decide what is held out and drawn, and the order."""
    return [
        Question(
            f"{ARM_TITLES[arm]}{f' at {weight:g}' if arm in WEIGHTED else ''}, seed {seed}",
            replace(
                settings, arm=arm, weight=weight, seed=seed, order=seed, keep_weights=arm == "regions" and seed == 0
            ),
            inputs,
        )
        for seed in range(seeds)
        for arm in ARMS
        if arm in arms
        for weight in (weights if arm in WEIGHTED else (1.0 if arm == "identified" else 0.0,))
    ]
