"""`input-optimization`: which changes of the input break it, from where on, and how far is the way back?"""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, TypeVar

import numpy as np

from engine.commands.describing import described, without_nan
from engine.commands.input_optimization_options import Asked, add_options, asked_of
from engine.commands.subject_options import add_subject_options, subject_of
from engine.commands.waiting import Bar, answer
from engine.commands.writing import written
from engine.methods.input_optimization import BREAKPOINTS, DIFFERENCES, OPTIMISATION, SWEEP
from engine.methods.input_optimization.export import (
    BREAKPOINT_COLUMNS,
    PAIR_COLUMNS,
    SWEEP_COLUMNS,
    breakpoint_rows,
    breakpoint_values,
    failing_rows,
    pair_rows,
    pairs_npz,
    sweep_rows,
)
from engine.methods.input_optimization.ranges import augmentation_ranges
from engine.methods.input_optimization.result import REACHED, Breakpoints, Differences, Optimisation, Sweep
from engine.methods.input_optimization.sentences import for_all_images, how_two_act, what_breaks, what_comes_back
from engine.methods.input_optimization.settings import DifferenceSettings
from engine.runs.run import Input, Step
from engine.subject.subject import Subject
from engine.toolkit.error_table import error_csv
from engine.toolkit.statistics import rate
from engine.toolkit.tables import to_csv
from engine.workbench import Workbench

S = TypeVar("S")
R = TypeVar("R")


@dataclass(frozen=True)
class Found(Generic[R]):
    """What a step found, the fingerprint of its run, and the seconds that it took to compute."""

    result: R
    run: str
    seconds: float


@dataclass(frozen=True)
class Chain:
    """What the steps found. The last two are missing where `not_optimised` or `not_compared` says why."""

    sweep: Found[Sweep]
    breakpoints: Found[Breakpoints]
    optimisation: Found[Optimisation] | None
    differences: Found[Differences] | None
    not_optimised: str
    not_compared: str


def add_to(parsers: Any) -> None:
    """Describe the command."""
    parser = parsers.add_parser(
        "input-optimization",
        help="which changes of the images break it, from where on, and how small a change mends them",
        description="Put images through transforms of growing severity, find where accuracy breaks, and move failing "
        "images until the answer is right again. Writes summary.json, breakpoints.csv, sweep.csv, pairs.csv, "
        "failing.csv and augmentation.py into --out.",
    )
    add_subject_options(parser)
    add_options(parser)
    parser.add_argument("--npz", action="store_true", help="write the transformed and optimised images into pairs.npz")
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="folder for the results")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> None:
    """Sweep, find breakpoints, bring back and write; ValueError in one sentence where that can't be."""
    bench = Workbench()
    subject = subject_of(arguments, bench)
    asked = asked_of(arguments, subject.images)
    chain = followed(bench, subject, asked)
    files = files_of(chain, subject, asked)
    if arguments.npz and chain.optimisation:
        files["pairs.npz"] = arrays(subject, chain.sweep.result, chain.optimisation.result)
    written(arguments.out, files, sentences(chain))


def followed(bench: Workbench, subject: Subject, asked: Asked) -> Chain:
    """All steps, one after the other; what can't be brought back or compared keeps nobody from the breakpoints."""
    sweep = found(bench, SWEEP, subject, asked.sweep, {})
    swept: dict[str, Found[Any]] = {"sweep": sweep}
    breakpoints = found(bench, BREAKPOINTS, subject, asked.breakpoints, swept)
    try:
        optimisation = found(bench, OPTIMISATION, subject, asked.optimisation, swept)
    except ValueError as error:
        return Chain(sweep, breakpoints, None, None, str(error), "")
    try:
        both = {**swept, "optimisation": optimisation}
        differences = found(bench, DIFFERENCES, subject, DifferenceSettings(), both)
    except ValueError as error:
        return Chain(sweep, breakpoints, optimisation, None, "", str(error))
    return Chain(sweep, breakpoints, optimisation, differences, "", "")


def found(
    bench: Workbench, step: Step[S, R], subject: Subject, settings: S, before: Mapping[str, Found[Any]]
) -> Found[R]:
    """What a step finds that builds on others."""
    inputs = {name: Input(each.run, each.result) for name, each in before.items()}
    result, seconds = answer(bench, step, subject, settings, inputs)
    return Found(result, bench.question(step, subject, settings, inputs).fingerprint, seconds)


def files_of(chain: Chain, subject: Subject, asked: Asked) -> dict[str, bytes]:
    """What to write, by file name."""
    from engine.methods.input_optimization.augmentation import augmentation_code

    sweep, breakpoints = chain.sweep.result, chain.breakpoints.result
    frame, images = subject.images.frame, subject.images
    differences = chain.differences.result if chain.differences else None
    pairs = pair_rows(sweep, images, chain.optimisation.result, differences) if chain.optimisation else []
    summary = without_nan({**described(subject), "role": asked.sweep.role, **summary_of(chain)})
    return {
        "summary.json": (json.dumps(summary, indent=2, allow_nan=False) + "\n").encode(),
        "pairs.csv": to_csv(pairs, PAIR_COLUMNS),
        "breakpoints.csv": to_csv(breakpoint_rows(breakpoints), BREAKPOINT_COLUMNS),
        "sweep.csv": to_csv(sweep_rows(sweep, images), SWEEP_COLUMNS),
        "augmentation.py": augmentation_code(augmentation_ranges(breakpoints), frame.height, frame.width).encode(),
        "failing.csv": error_csv(failing_rows(sweep, breakpoints, subject, chain.breakpoints.run)),
    }


def summary_of(chain: Chain) -> dict[str, Any]:
    """The figures as plain values; None where there is nothing to tell."""
    sweep, breakpoints = chain.sweep.result, chain.breakpoints.result
    clean, everywhere = rate(sweep.clean_right, sweep.units), for_all_images(breakpoints)
    steps = {
        name: each.seconds if each else None
        for name in ("sweep", "breakpoints", "optimisation", "differences")
        for each in [getattr(chain, name)]
    }
    return {
        "n": clean.n,
        "groups": clean.groups,
        "clean_accuracy": clean.value,
        "clean_accuracy_low": clean.low,
        "clean_accuracy_high": clean.high,
        **summary_of_optimisation(chain.optimisation.result if chain.optimisation else None),
        "not_optimised": chain.not_optimised or None,
        "not_compared": chain.not_compared or None,
        "sweep_evaluations": sweep.evaluations,
        "seconds": sum(seconds for seconds in steps.values() if seconds is not None),
        "seconds_per_step": steps,
        "breakpoints": [breakpoint_values(row) for row in everywhere],
        "breakpoints_by_label": [
            breakpoint_values(row) for row in breakpoints.rows if not any(row is each for each in everywhere)
        ],
        "interactions": [
            {"families": list(each.families), "excess": each.excess, "low": each.low, "high": each.high}
            for each in breakpoints.interactions
        ],
    }


def summary_of_optimisation(optimisation: Optimisation | None) -> dict[str, Any]:
    """How many pairs of an image and a change there are, and what became of them."""
    if optimisation is None:
        names = ("pairs", "already_correct", "reached", "not_reached", "rule", "median_distance", "model_evaluations")
        return dict.fromkeys(names)
    already, reached, missed = optimisation.counts
    return {
        "pairs": already + reached + missed,
        "already_correct": already,
        "reached": reached,
        "not_reached": missed,
        "rule": optimisation.rule,
        "median_distance": float(np.median(optimisation.distance[optimisation.state == REACHED])) if reached else None,
        "model_evaluations": optimisation.evaluations,
    }


def arrays(subject: Subject, sweep: Sweep, optimisation: Optimisation) -> bytes:
    """The pairs' images, with a progress bar."""
    bar = Bar("writing images")
    try:
        return pairs_npz(subject, sweep, optimisation, bar)
    finally:
        bar.bar.close()


def sentences(chain: Chain) -> list[str]:
    """What was found, in words."""
    said = [what_breaks(chain.breakpoints.result, chain.sweep.result)]
    said += [how_two_act(each) for each in chain.breakpoints.result.interactions]
    if chain.optimisation:
        return [*said, what_comes_back(chain.optimisation.result)]
    return [*said, f"No image was brought back: {chain.not_optimised}."]
