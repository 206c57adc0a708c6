"""What the steps found in words: what breaks first, how two families act together, what comes back, who is better."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from engine.methods.input_optimization.breakpoints import ALL
from engine.methods.input_optimization.comparison import BreakpointDifference
from engine.methods.input_optimization.result import REACHED, Breakpoint, Breakpoints, Interaction, Optimisation, Sweep
from engine.methods.input_optimization.wording import said_interval, said_value
from engine.toolkit.statistics import FEW_UNITS
from engine.toolkit.transforms.families import family_named


def ways(count: int) -> str:
    """So many ways to change images."""
    return f"{count} way{'' if count == 1 else 's'}"


def were(count: int) -> str:
    """The verb for so many."""
    return "was" if count == 1 else "were"


def for_all_images(breakpoints: Breakpoints) -> list[Breakpoint]:
    """The rows of all images, one a side: each side's first, even where a class is called "all"."""
    found: dict[tuple[str, int], Breakpoint] = {}
    for row in breakpoints.rows:
        if row.scope == ALL:
            found.setdefault((row.family, row.sign), row)
    return list(found.values())


def what_breaks(breakpoints: Breakpoints, sweep: Sweep) -> str:
    """Which change breaks the classifier first, where, what the other half says of it, and how many break it."""
    rows = for_all_images(breakpoints)
    broken = [row for row in rows if row.reached]
    images = f"{len(sweep.ids):,} images"
    if not rows:
        return f"Nothing was changed about the {images}."
    if all(math.isnan(row.reached_share) for row in rows):
        groups = f" of {rows[0].units:,} groups" if rows[0].units < rows[0].n else ""
        return (
            f"{images}{groups} are too few to say where it breaks: "
            f"half of them, to find it on, must be at least {FEW_UNITS} that are independent."
        )
    if rows[0].threshold <= 0:
        return (
            f"Of {images} unchanged, {float(sweep.clean_right.mean()):.1%} are recognised: too few for accuracy to "
            "fall by as much as the rule asks. Choose a smaller drop, or a level."
        )
    if not broken:
        return (
            f"Nothing breaks it for certain: in none of {ways(len(rows))} to change {images} does accuracy fall "
            f"below {rows[0].threshold:.1%} within the range in 95 % of the resamples."
        )
    first = min(broken, key=lambda row: row.severity)
    if first.severity == 0:
        return f"Accuracy lies below {first.threshold:.1%} on unchanged images already, so there is nothing to break."
    confirmed = sum(row.verified is True for row in broken)
    return (
        f"It breaks first under {family_named(first.family).title}, at "
        f"{said_value(first.family, first.sign * first.severity)} "
        f"({said_interval(first.family, first.sign, first.low, first.high)}), {first.severity:.0%} of the range: from "
        f"there on accuracy lies below {first.threshold:.1%}. {what_the_other_half_says(first)} "
        f"Of {ways(len(rows))} to change {images}, {len(broken)} {'breaks' if len(broken) == 1 else 'break'} it for "
        f"certain within the range; {confirmed} of these {were(confirmed)} confirmed on the other half."
    )


def what_the_other_half_says(row: Breakpoint) -> str:
    """Whether a breakpoint that was reached was confirmed, with the numbers of the other half.

    The one that breaks first is the lowest of many, so it is rather too low; the other half isn't chosen so.
    """
    if row.verified is None:
        return "The other half of the images is too small to check that."
    if math.isnan(row.other):
        return (
            f"The other half of the images does not confirm it: {said_value(row.family, row.sign * math.inf, row.end)}."
        )
    there = said_value(row.family, row.sign * row.other)
    numbers = f"{there} ({said_interval(row.family, row.sign, row.other_low, row.other_high)})"
    if row.verified:
        return f"The other half of the images confirms it, at {numbers}."
    return f"The other half of the images does not confirm it: there it breaks at {numbers}."


def how_two_act(interaction: Interaction) -> str:
    """Whether two families together leave more or less accuracy than if they broke images independently."""
    first, second = (family_named(name).title for name in interaction.families)
    size, ends = abs(interaction.excess), sorted((abs(interaction.low), abs(interaction.high)))
    if not math.isfinite(interaction.excess + interaction.low + interaction.high):
        return f"How {first} and {second} act together can't be said: too few images, or none that is right unchanged."
    points = f"{100 * size:.1f} points of accuracy (95 % interval {100 * ends[0]:.1f} to {100 * ends[1]:.1f})"
    if interaction.high < 0:
        return (
            f"{first} and {second} make each other worse: together they leave {points} less than if each broke images "
            "regardless of the other."
        )
    if interaction.low > 0:
        return (
            f"{first} and {second} together leave {points} more than if each broke images regardless of the other: "
            "much the same images break under both, or the one undoes the other."
        )
    return (
        f"{first} and {second} together leave about as much accuracy as if each broke images regardless of the other: "
        f"{100 * interaction.excess:+.1f} points (95 % interval {100 * interaction.low:+.1f} to "
        f"{100 * interaction.high:+.1f})."
    )


def what_comes_back(optimisation: Optimisation) -> str:
    """How many transformed images passed as they were, were brought back, and were not, and by how large a change."""
    already, reached, missed = optimisation.counts
    pairs = already + reached + missed
    if pairs == 0:
        return "No image was brought back, for none was asked for."
    said = f"Of {pairs:,} transformed images {already:,} passed as they were ({optimisation.rule})"
    if reached + missed == 0:
        return f"{said}, so none had to be brought back."
    if reached == 0:
        return f"{said}; of the other {missed:,} none was brought back."
    distance = float(np.median(optimisation.distance[optimisation.state == REACHED]))
    return (
        f"{said}; of the other {reached + missed:,}, {reached:,} {were(reached)} brought back, "
        f"{missed:,} {were(missed)} not. The median change that brought one back has the length {distance:.3g} "
        "(L2, pixel values from 0 to 1)."
    )


def which_breaks_later(differences: Sequence[BreakpointDifference], first: str, second: str) -> str:
    """On how many sides the second classifier breaks later or earlier than the first, and where they differ most."""
    if not differences:
        return "Nothing was changed about the images, so there is nothing to compare."
    if math.isnan(differences[0].p):
        return f"{differences[0].units:,} independent images are too few to compare {first} and {second}."
    significant = [each for each in differences if each.significant]
    largest = max(significant or differences, key=lambda each: abs(each.difference))
    if not significant:
        said = f"In none of {ways(len(differences))} to change the images do {first} and {second} differ beyond chance"
    else:
        later = sum(each.difference > 0 for each in significant)
        said = (
            f"{second} withstands more than {first} in {later} of {ways(len(differences))} to change the images and "
            f"less in {len(significant) - later}, beyond chance"
        )
    said += f" ({differences[0].n:,} images, 5 % over all of them)."
    if largest.difference == 0:
        return said
    size, ends = abs(largest.difference), sorted(math.copysign(1, largest.difference) * np.array(ends_of(largest)))
    return (
        f"{said} They differ most under {family_named(largest.family).title}: {first} {where(largest, largest.first)}, "
        f"{second} {where(largest, largest.second)}, by {at_least(largest)}{100 * size:.0f} % of the range "
        f"(95 % interval {100 * ends[0]:.0f} to {100 * ends[1]:.0f})."
    )


def ends_of(difference: BreakpointDifference) -> tuple[float, float]:
    """The interval of a difference."""
    return difference.low, difference.high


def where(difference: BreakpointDifference, severity: float) -> str:
    """Where one of two classifiers breaks on the side, NaN being not within the range."""
    return said_value(
        difference.family, difference.sign * (math.inf if math.isnan(severity) else severity), difference.end
    )


def at_least(difference: BreakpointDifference) -> str:
    """A word that the difference is larger than can be measured, where one of the two isn't reached."""
    return "at least " if math.isnan(difference.first) or math.isnan(difference.second) else ""
