"""Where accuracy breaks along every side of every family: found on half of the images, checked on the other half."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import numpy as np

from engine.methods.input_optimization.bootstrap import IMAGINED, Estimate, drawn_counts, estimates, interval
from engine.methods.input_optimization.image_breaks import breaks_for_good, returns
from engine.methods.input_optimization.interactions import interactions
from engine.methods.input_optimization.result import Breakpoint, Breakpoints, Sweep
from engine.methods.input_optimization.settings import BreakpointSettings
from engine.methods.input_optimization.sides import SweptSide, swept_sides

ALL = "all"
NOTHING = Estimate(float("nan"), float("nan"), np.zeros(0))


def breakpoints(sweep: Sweep, settings: BreakpointSettings) -> Breakpoints:
    """The breakpoint of every side, for all images and for those of each label, how families act together, and the
    severity at which each image turns wrong.

    Rows go side by side; each side's first is that of all images (scope "all"), then come the classes with images in
    their order. Interpolated on the curve of accuracy made monotone, with intervals from a bootstrap over units; these
    tell what chance does to the images, not what accuracy does between the severities that were swept.
    """
    sides = swept_sides(sweep)
    right = [side.right(sweep) for side in sides]
    scopes = scoped_rows(sweep, sides, right, settings)
    margins = [side.margin(sweep) for side in sides]
    breaks = [breaks_for_good(side.severities, *each) for side, *each in zip(sides, right, margins, strict=True)]
    return Breakpoints(
        rows=tuple(row for of_side in zip(*scopes, strict=True) for row in of_side),
        interactions=interactions(sweep, settings),
        image_sides=tuple((side.family, side.sign) for side in sides),
        image_breaks=np.array(breaks, np.float32).reshape(len(sides), len(sweep.ids)).T,
        image_returns=np.array([returns(each) for each in right], bool).reshape(len(sides), len(sweep.ids)).T,
    )


def first_half(names: np.ndarray) -> np.ndarray:
    """(U,) bool, which units (U,) str breakpoints are found on; the others check them.

    By a hash of the name, so that a unit stays in its half whatever else is swept.
    """
    # the hash is not that of the name alone: by that one the images of a sweep are drawn
    return np.array([hashlib.sha256(f"half {name}".encode()).digest()[0] % 2 == 0 for name in names], dtype=bool)


def scoped_rows(
    sweep: Sweep, sides: Sequence[SweptSide], right: Sequence[np.ndarray], settings: BreakpointSettings
) -> list[list[Breakpoint]]:
    """For all images, then for each class that has some: a row for every side."""
    names, units = np.unique(sweep.units, return_inverse=True)
    finding = first_half(names)[units]
    scopes = [(ALL, 0, np.ones(len(units), dtype=bool))]
    scopes += [(name, number + 1, sweep.labels == number) for number, name in enumerate(sweep.classes)]
    found = []
    for scope, number, ours in scopes:
        if not ours.any():
            continue
        halves = [
            estimates_of(half, sides, right, units, np.random.default_rng([settings.seed, number, which]), settings)
            for which, half in enumerate((ours & finding, ours & ~finding))
        ]
        n, groups = int(ours.sum()), len(np.unique(units[ours]))
        found.append([row(side, scope, one, other, n, groups) for side, one, other in zip(sides, *halves, strict=True)])
    return found


def estimates_of(
    images: np.ndarray,
    sides: Sequence[SweptSide],
    right: Sequence[np.ndarray],
    units: np.ndarray,
    draws: np.random.Generator,
    settings: BreakpointSettings,
) -> list[Estimate]:
    """An estimate a side for these images (N,) bool; the same resamples for every side, whichever there are."""
    if not images.any():
        return [NOTHING] * len(sides)
    present, members = np.unique(units[images], return_inverse=True)
    counts = drawn_counts(len(present), settings.resamples, draws, IMAGINED)
    return estimates(sides, [each[images] for each in right], members, counts, settings)


def row(side: SweptSide, scope: str, found: Estimate, other: Estimate, n: int, units: int) -> Breakpoint:
    """What both halves say of one side."""
    low, high = found.interval
    other_low, other_high = other.interval
    return Breakpoint(
        family=side.family,
        sign=side.sign,
        scope=scope,
        severity=finite_or_nan(found.severity),
        low=low,
        high=high,
        reached=found.reached,
        reached_share=found.share,
        other=finite_or_nan(other.severity),
        other_low=other_low,
        other_high=other_high,
        verified=verified(found, other),
        threshold=found.threshold,
        n=n,
        units=units,
        end=float(side.severities[-1]),
    )


def finite_or_nan(severity: float) -> float:
    """The severity; NaN where nothing breaks within the range."""
    return severity if np.isfinite(severity) else float("nan")


def verified(found: Estimate, other: Estimate) -> bool | None:
    """Whether the other half breaks too, at a severity that differs from the found one by no more than chance.

    None where the first half doesn't break, or where a half has too few units. The halves share no unit, so that any
    resample of the one goes with any of the other.
    """
    if not found.reached or not len(other.resampled):
        return None
    if not other.reached:
        return False
    low, high = interval(difference(found.resampled, other.resampled))
    return low <= 0 <= high


def difference(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """second - first (R,), where either may be infinite; 0 where both are, for both lie beyond the range."""
    both = np.isinf(first) & np.isinf(second)
    return np.where(both, 0.0, second) - np.where(both, 0.0, first)
