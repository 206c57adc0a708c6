"""How far training augmentation should go, as the breakpoints suggest."""

from __future__ import annotations

from engine.methods.input_optimization.result import Breakpoints
from engine.methods.input_optimization.sentences import for_all_images
from engine.toolkit.transforms.families import family_named

BEYOND = 1.5  # times the breakpoint's severity


def augmentation_ranges(breakpoints: Breakpoints) -> dict[str, tuple[float, float]]:
    """By family the lowest and the highest value, in its unit, that training should show; none where nothing breaks.

    A side that breaks for certain, all images taken together, goes from the identity to half as far again as its
    breakpoint, within the range that was tried. Up to the breakpoint most images are right anyway, so that what there
    is to mend lies beyond it; but the stronger the change, the likelier it hides what the image shows, and a label that
    can't be seen teaches nothing. A side that doesn't break stays at the identity, for there is nothing to mend.
    """
    found: dict[str, tuple[float, float]] = {}
    for row in for_all_images(breakpoints):
        family = family_named(row.family)
        if row.reached and row.severity > 0:
            low, high = found.get(row.family, (family.identity, family.identity))
            end = family.value(row.sign * min(1.0, BEYOND * row.severity))
            found[row.family] = (min(low, end), max(high, end))
    return found
