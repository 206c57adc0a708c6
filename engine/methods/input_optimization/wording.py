"""Numbers of transforms in words."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from engine.toolkit.transforms.families import DEGREES, FACTOR, SIDE, Family, family_named

SHARES = {  # small shares are easier to read in per cent
    "share": "%",
    "of the range": "% of the range",
    "share of pixels": "% of the pixels",
    "of the resolution": "% of the resolution",
}
AMOUNTS = {
    DEGREES: "{}°",
    FACTOR: "{} times",
    SIDE: "{} % of the side",
    "% of the width": "{} % of the width",
    "% of the height": "{} % of the height",
    "exponent": "exponent {}",
    "bits": "{} bit",
    "quality": "quality {}",
    **{unit: f"{{}} {said}" for unit, said in SHARES.items()},
}
TOWARDS = {"right": "to the right", "left": "to the left"}


def said_number(value: float) -> str:
    """Three digits at most, as a person would write them."""
    return f"{value:.0f}" if abs(value) >= 100 else f"{value:.3g}"


def shown_number(family: Family, severity: float) -> str:
    """The value that belongs to a severity, shares in per cent, with its sign; its unit is `shown_unit`."""
    return said_number(family.value(severity) * (100 if family.unit in SHARES else 1))


def shown_unit(family: Family) -> str:
    """The unit of `shown_number`, for axes and heads."""
    return SHARES.get(family.unit, family.unit)


def amount(family: Family, severity: float) -> str:
    """A severity in the family's unit, without its side."""
    return AMOUNTS[family.unit].format(shown_number(family, severity).removeprefix("-"))


def said_value(family: str, severity: float, end: float = 1.0) -> str:
    """A severity in [-1, 1] in the family's unit and the side it lies on, such as "12.3° counter-clockwise".

    "not reached in the range", and how far that goes, where it is infinite, on the side of its sign, or NaN, on any;
    `end` is the severity, in (0, 1], up to which it was tried.
    """
    told = family_named(family)
    if math.isnan(severity):
        return (
            f"not reached in the range ({' or '.join(dict.fromkeys(far_end(told, sign, end) for sign in told.signs))})"
        )
    if math.isinf(severity):
        return f"not reached in the range ({far_end(told, 1 if severity > 0 else -1, end)})"
    if severity == 0:
        return "no change"
    if len(told.sides) == 1:
        return amount(told, severity)
    side = told.side(1 if severity > 0 else -1).name
    if told.unit in (DEGREES, SIDE):
        return f"{amount(told, severity)} {TOWARDS.get(side, side)}"
    return f"{amount(told, severity)} ({side})"


def far_end(family: Family, sign: int, end: float) -> str:
    """How far a side was tried, up to the severity `end`."""
    away = abs(family.side(sign).end) > abs(family.identity)
    return f"{'up' if away else 'down'} to {amount(family, sign * end)}"


def said_interval(family: str, sign: int, low: float, high: float) -> str:
    """A 95 % interval of severities in [0, 1] of one side, in the family's unit; says so where there is none (NaN)."""
    told = family_named(family)
    if math.isnan(low) or math.isnan(high):
        return "too few images for an interval"
    if math.isinf(high):
        return f"95 % interval {amount(told, sign * low)} to beyond the range"
    first, last = (shown_number(told, sign * each).removeprefix("-") for each in (low, high))
    return f"95 % interval {AMOUNTS[told.unit].format(f'{first} to {last}')}"


def said_combination(families: Sequence[str], severities: Sequence[float] | np.ndarray) -> str:
    """What a combination of severities does, "unchanged" where it does nothing."""
    parts = [
        f"{family_named(name).title} {said_value(name, float(severity))}"
        for name, severity in zip(families, severities, strict=True)
        if severity
    ]
    return ", ".join(parts) or "unchanged"
