"""What a comparison of corrections came to, in words."""

from __future__ import annotations

from collections.abc import Sequence
from math import isnan

from engine.methods.error_discovery.comparison import ArmOutcome, Comparison
from engine.toolkit.seeds import OverSeeds
from engine.toolkit.wording import points

TITLES = {
    "before": "before",
    "continued": "trained on as before",
    "regions": "labelled regions",
    "identified": "single errors alone",
    "identified_mixed": "single errors with real images",
    "unlabelled": "moved images without labels",
}
SHOWN = {
    "regions": "new draws of the labelled regions",
    "held_out": "regions held out",
    "fresh": "fresh perturbations of test images",
    "fresh_wrong": "those of them that were wrong before",
}


def what_correction_came_to(found: Comparison) -> list[str]:
    """The sentences on top: what labelled regions gained, what they cost on test, and what else would have done."""
    own = found.chosen().get("regions")
    if own is None:
        return ["Labelled regions were not trained on, so there is nothing to tell yet."]
    return [gained(own), cost_on_test(own), elsewhere(own), *beside(found, own)]


def gained(own: ArmOutcome) -> str:
    """What fresh images that were wrong gained over training on, which is what all this is for."""
    title = f"Labelled regions (weight {own.weight:g}, chosen on diagnosis)"
    gap = own.vs_continued.get("fresh_wrong")
    if gap is None or not gap.values:
        return f"{title} can't be set against training on as before, which was not run or has no such images."
    said = f"of {SHOWN['fresh']}, {more(gap)} more of those that were wrong before are right than after training on"
    if isnan(gap.low):
        return f"{title}: {said}, {few(gap)}."
    verdict = "helped" if gap.low > 0 else "hurt" if gap.high < 0 else "did not help beyond chance"
    return f"{title} {verdict}: {said} as before {interval(gap)}."


def cost_on_test(own: ArmOutcome) -> str:
    """What test lost or gained since before, and how many of its images are newly wrong."""
    after, gap = own.figures["test"].mean, own.vs_before.get("test")
    if gap is None or not gap.values:
        return f"Accuracy on test is {after:.1%}."
    broken = "" if isnan(own.broken.mean) else f"; {own.broken.mean:.0f} of its images are newly wrong"
    return f"Accuracy on test went from {after - gap.mean:.1%} to {after:.1%}, {more(gap)} {interval(gap)}{broken}."


def elsewhere(own: ArmOutcome) -> str:
    """The regions themselves, and those that nobody labelled."""
    used, held = own.figures["regions"].mean, own.figures["held_out"].mean
    said = f"Of {SHOWN['regions']}, {shown(used)} are right" + before_of(own, "regions")
    if isnan(held):
        return f"{said}; no region was held out."
    gap = own.vs_continued.get("held_out")
    further = f", {more(gap)} more than after training on {interval(gap)}" if gap is not None and gap.values else ""
    return f"{said}; of {SHOWN['held_out']}, {shown(held)}{before_of(own, 'held_out')}{further}."


def before_of(own: ArmOutcome, figure: str) -> str:
    """What a figure was before, in brackets."""
    gap = own.vs_before.get(figure)
    return f" ({shown(own.figures[figure].mean - gap.mean)} before)" if gap is not None and gap.values else ""


def beside(found: Comparison, own: ArmOutcome) -> list[str]:
    """The other arms' fresh images and test accuracy, and the labels that each cost."""
    said = []
    for name, arm in found.chosen().items():
        if name in ("before", "continued", "regions"):
            continue
        fresh, test = arm.figures["fresh_wrong"].mean, arm.figures["test"].mean
        said.append(
            f"{TITLES[name].capitalize()}: {shown(fresh)} of the fresh images that were wrong, against "
            f"{shown(own.figures['fresh_wrong'].mean)}, {shown(test)} of test against "
            f"{shown(own.figures['test'].mean)}, for {arm.labels:,.0f} labels against {own.labels:,.0f}."
        )
    return said


def what_each_did(found: Comparison) -> list[str]:
    """A line for each arm at each weight, with all figures."""
    return [
        f"{TITLES[each.arm].capitalize()}, weight {each.weight:g}: test {shown(each.figures['test'].mean)}, regions "
        f"{shown(each.figures['regions'].mean)}, held out {shown(each.figures['held_out'].mean)}, fresh "
        f"{shown(each.figures['fresh'].mean)}, formerly wrong {shown(each.figures['fresh_wrong'].mean)}, "
        f"{each.labels:,.0f} labels."
        for each in found.outcomes
    ]


def which_classes(own: ArmOutcome, classes: Sequence[str]) -> str:
    """The classes whose recall on test moved most since before, either way; "" where none did."""
    moved = {label: each.mean for label, each in own.recall.items() if abs(each.mean) >= 0.005}
    if not moved:
        return ""
    best, worst = max(moved, key=lambda label: moved[label]), min(moved, key=lambda label: moved[label])
    said = [f"{classes[best]} gained most ({100 * moved[best]:+.1f} points)"] if moved[best] > 0 else []
    said += [f"{classes[worst]} lost most ({100 * moved[worst]:+.1f} points)"] if moved[worst] < 0 else []
    return f"Of the classes' recall on test, {' and '.join(said)}."


def shown(value: float) -> str:
    """A share, or that there is none."""
    return "unknown" if isnan(value) else f"{value:.1%}"


def more(gap: OverSeeds) -> str:
    """A difference in points, with its sign."""
    return points(gap.mean, "+.1f")


def interval(gap: OverSeeds) -> str:
    """The interval of a difference with its number of seeds, in brackets."""
    if isnan(gap.low):
        return f"({few(gap)})"
    return f"(95 % interval {100 * gap.low:+.1f} to {100 * gap.high:+.1f}, {len(gap.values)} seeds)"


def few(gap: OverSeeds) -> str:
    """Why there is no interval."""
    n = len(gap.values)
    return "with one seed, which is too few to say how sure that is" if n < 2 else f"{n} seeds, which all agree"
