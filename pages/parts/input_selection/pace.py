"""How long the steps of the page will take, measured where it matters."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from engine.methods.input_selection.settings import RetrainingSettings, TapSettings, reads_layers
from engine.subject.subject import Subject
from engine.workbench import Workbench
from pages.parts.input_selection.scene import Scene

DEMO_SECONDS = {"digits": 17.0, "backgrounds": 8.0}  # that their training takes on two cores
LITTLE = 300_000_000  # images x values of all taps x classes that are fitted within a few seconds


def seconds_of_taps(bench: Workbench, subject: Subject) -> float:
    """Seconds for one pass over all blocks."""
    from engine.methods.input_selection import estimate

    with bench.quick(subject) as quick:
        return estimate.seconds_of_taps(quick, TapSettings())


def seconds_of_issues(scene: Scene) -> float:
    """Seconds for finding likely wrong labels."""
    return seconds_of_fits(scene.run_id, scene)[0]


def seconds_of_probes(scene: Scene) -> float:
    """Seconds for the final probes of all taps."""
    return seconds_of_fits(scene.run_id, scene)[1]


@st.cache_data(show_spinner=False, max_entries=8)
def seconds_of_fits(name: str, _scene: Scene) -> tuple[float, float]:
    """Seconds for likely wrong labels and for probes, 0 where there is little to fit."""
    from engine.methods.input_selection import estimate

    del name
    taps = _scene.taps
    images = sum(len(role.ids) for role in taps.roles)
    values = sum(tap.channels * tap.grid**2 for tap in taps.taps)
    if images * values * len(taps.classes) < LITTLE:
        return 0.0, 0.0
    with _scene.bench.quick(_scene.subject) as quick:
        return estimate.seconds_of_fits(quick, TapSettings())


def seconds_of_arena(scene: Scene, asked: Sequence[RetrainingSettings], anew: str) -> float:
    """Seconds for one of these retrainings, the training of the built-in example that is drawn anew shared among them.

    Measured on one that looks at layers, if there is one, for it takes the longest.
    """
    slowest = next((each for each in asked if reads_layers(each.selection)), asked[-1])
    others = len({each.selection.seed for each in asked} - {0})
    training = DEMO_SECONDS.get(anew, 0.0) * others / len(asked)
    return training + seconds_of_retraining(scene.bench, scene.subject, slowest)


def seconds_of_retraining(bench: Workbench, subject: Subject, settings: RetrainingSettings) -> float:
    """Seconds for one retraining, measured on a few steps."""
    from engine.methods.input_selection import estimate

    with bench.quick(subject) as quick:
        return estimate.seconds_of_retraining(quick, settings)
