"""Two classifiers put through the same changes of the same images: which of the two breaks later, and where."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from engine.methods.input_optimization.bootstrap import IMAGINED, Estimate, drawn_counts, estimates, interval
from engine.methods.input_optimization.result import Sweep
from engine.methods.input_optimization.settings import BreakpointSettings
from engine.methods.input_optimization.sides import SweptSide, swept_sides

LEVEL = 0.05
DRAWS_A_SIDE = 200  # a bootstrap's least p is 2 / (draws + 1), which must pass Holm's first step, 0.05 / sides


@dataclass(frozen=True)
class BreakpointDifference:
    """How much later the second classifier breaks than the first on a side of a family, on all images.

    `first` and `second` are severities in [0, 1], NaN where accuracy stays above the threshold in the whole range;
    `first_reached` and `second_reached` say that at least 95 % of the resamples break. `difference` in [-1, 1] is
    second - first with its 95 % interval `low` to `high`, the same images being drawn for both. A classifier that
    doesn't break is taken to break at the end of what was swept, `end`; so where one of the two isn't reached, the
    difference is at least as large as it says. `p` is the two-sided p-value of no difference, and `significant` says
    that it holds at 5 % over all sides (Holm 1979). Interval and p are NaN where there are fewer than five `units`.
    """

    family: str
    sign: int
    first: float
    first_low: float
    first_high: float
    first_reached: bool
    second: float
    second_low: float
    second_high: float
    second_reached: bool
    difference: float
    low: float
    high: float
    p: float
    significant: bool
    n: int
    units: int
    end: float


def compare(first: Sweep, second: Sweep, settings: BreakpointSettings) -> tuple[BreakpointDifference, ...]:
    """One difference for every side that the two sweeps vary, in the families' order.

    Both sweeps must hold the same images in the same order, put through the same changes: else ValueError.
    """
    check_alike(first, second)
    sides = swept_sides(first)
    names, units = np.unique(first.units, return_inverse=True)
    draws = np.random.default_rng([settings.seed, 0, 2])
    counts = drawn_counts(len(names), max(settings.resamples, DRAWS_A_SIDE * len(sides)), draws, IMAGINED)
    ours, theirs = (
        estimates(sides, [side.right(sweep) for side in sides], units, counts, settings) for sweep in (first, second)
    )
    chances = [
        p_value(within(b.resampled, side) - within(a.resampled, side))
        for side, a, b in zip(sides, ours, theirs, strict=True)
    ]
    return tuple(
        paired(side, a, b, p, holds, len(units), len(names))
        for side, a, b, p, holds in zip(sides, ours, theirs, chances, holm(chances), strict=True)
    )


def check_alike(first: Sweep, second: Sweep) -> None:
    """ValueError, saying what differs, where two sweeps can't be compared."""
    grids = len(first.grids) == len(second.grids) and all(
        one.families == other.families and np.array_equal(one.severities, other.severities)
        for one, other in zip(first.grids, second.grids, strict=True)
    )
    alike = {
        "images": np.array_equal(first.ids, second.ids),
        "classes": first.classes == second.classes,
        "labels": np.array_equal(first.labels, second.labels),
        "groups": np.array_equal(first.units, second.units),
        "transforms": grids,
        "seeds": first.seed == second.seed,
    }
    differing = [what for what, same in alike.items() if not same]
    if differing:
        raise ValueError(f"the two sweeps can't be compared, because their {' and '.join(differing)} differ")


def paired(
    side: SweptSide, first: Estimate, second: Estimate, p: float, significant: bool, n: int, units: int
) -> BreakpointDifference:
    """Both estimates of a side and their difference."""
    low, high = interval(within(second.resampled, side) - within(first.resampled, side))
    return BreakpointDifference(
        family=side.family,
        sign=side.sign,
        first=first.severity if np.isfinite(first.severity) else float("nan"),
        first_low=first.interval[0],
        first_high=first.interval[1],
        first_reached=first.reached,
        second=second.severity if np.isfinite(second.severity) else float("nan"),
        second_low=second.interval[0],
        second_high=second.interval[1],
        second_reached=second.reached,
        difference=float(within(np.array(second.severity), side) - within(np.array(first.severity), side)),
        low=low,
        high=high,
        p=p,
        significant=significant,
        n=n,
        units=units,
        end=float(side.severities[-1]),
    )


def within(severities: np.ndarray, side: SweptSide) -> np.ndarray:
    """The severities, those beyond the side's range put at its end."""
    return np.minimum(severities, side.severities[-1])


def p_value(differences: np.ndarray) -> float:
    """The two-sided p-value of no difference from resampled differences (R,); NaN without any.

    Twice the smaller share of those on either side of 0, the data themselves counted as one (Davison and Hinkley
    1997, eq. 4.11).
    """
    if not len(differences):
        return float("nan")
    rarer = min(np.count_nonzero(differences <= 0), np.count_nonzero(differences >= 0))
    return min(1.0, 2 * (int(rarer) + 1) / (len(differences) + 1))


def holm(chances: Sequence[float]) -> list[bool]:
    """Which of these p-values are significant at 5 % all together, NaN never being so (Holm 1979)."""
    order = np.argsort(chances, kind="stable")
    passed = [False] * len(chances)
    for step, which in enumerate(order):
        if not chances[which] <= LEVEL / (len(chances) - step):
            break
        passed[which] = True
    return passed
