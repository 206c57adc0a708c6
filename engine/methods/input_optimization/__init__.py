"""Which changes of the input break it, from where on, and how far is the way back? No torch until a step runs.

After ProactiV: Prasad, van Sloun, Vilanova, Pezzotti, IEEE TVCG 30(8), 2024. The chain is sweep, breakpoints, and
from the sweep again optimisation, differences, maps; each step takes the results before it as inputs.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from engine.methods.input_optimization.result import Breakpoints, Differences, Map, Optimisation, Sweep
from engine.methods.input_optimization.settings import (
    BreakpointSettings,
    DifferenceSettings,
    MapSettings,
    OptimisationSettings,
    SweepSettings,
)
from engine.runs.progress import Progress
from engine.runs.run import Step
from engine.subject.subject import Subject


def _sweep(subject: Subject, settings: SweepSettings, inputs: Mapping[str, Any], progress: Progress) -> Sweep:
    from engine.methods.input_optimization.sweep import sweep

    return sweep(subject, settings, inputs.get("selection"), progress)


def _breakpoints(
    subject: Subject, settings: BreakpointSettings, inputs: Mapping[str, Any], progress: Progress
) -> Breakpoints:
    from engine.methods.input_optimization.breakpoints import breakpoints

    del subject
    progress.report(0, "finding breakpoints")
    return breakpoints(inputs["sweep"], settings)


def _bring_back(
    subject: Subject, settings: OptimisationSettings, inputs: Mapping[str, Any], progress: Progress
) -> Optimisation:
    from engine.methods.input_optimization.bring_back import bring_back

    return bring_back(subject, settings, inputs["sweep"], progress)


def _differences(
    subject: Subject, settings: DifferenceSettings, inputs: Mapping[str, Any], progress: Progress
) -> Differences:
    from engine.methods.input_optimization.differences import differences

    return differences(subject, settings, inputs["sweep"], inputs["optimisation"], progress)


def _map(subject: Subject, settings: MapSettings, inputs: Mapping[str, Any], progress: Progress) -> Map:
    from engine.methods.input_optimization.maps import make_map

    del subject
    progress.report(0, "drawing the map")
    return make_map(settings, inputs["sweep"], inputs["optimisation"], inputs["differences"])


SWEEP = Step("input_sweep", 1, "Sweep", SweepSettings, Sweep, _sweep)
BREAKPOINTS = Step("input_breakpoints", 1, "Breakpoints", BreakpointSettings, Breakpoints, _breakpoints)
OPTIMISATION = Step("input_optimisation", 1, "Bringing back", OptimisationSettings, Optimisation, _bring_back)
DIFFERENCES = Step("input_differences", 1, "Differences", DifferenceSettings, Differences, _differences)
MAP = Step("input_map", 1, "Map", MapSettings, Map, _map)
