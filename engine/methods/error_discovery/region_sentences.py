"""What the search, the regions and their tests show, in words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import isnan

import numpy as np

from engine.methods.error_discovery.labelling import KINDS, LabelState
from engine.methods.error_discovery.result import Errors, Novelty, Regions, RegionTests
from engine.methods.error_discovery.settings import IdentificationSettings
from engine.subject.subject import listed
from engine.toolkit.wording import capital, plural

MISTAKEN = 0.5  # of the draws, from which on a region is one of errors
FAR, NEAR = 95.0, 50.0  # percentiles of the usual distances
SAID = {
    "class": "given a class",
    "unreadable": "not recognisable",
    "mixed": "mixed",
    "model_right": "where the classifier is right",
    "skipped": "skipped",
}


def what_was_grouped(errors: Errors, regions: Regions) -> str:
    """How many regions there are and how many of the errors are in them."""
    count, own = int(regions.alive.sum()), int((~errors.aside).sum())
    if not count:
        return " ".join(regions.notes) or "There is no region."
    placed = int(regions.size[regions.alive].sum())
    pairs = len(set(zip(regions.label[regions.alive], regions.prediction[regions.alive], strict=True)))
    hold = "holds" if count == 1 else "hold"
    return (
        f"{plural(count, 'region')} of {plural(pairs, 'mistake')} (label and prediction) {hold} {placed:,} of {own:,} "
        f"errors; {int(errors.aside.sum()):,} more were kept aside to try them on."
    )


def what_was_tried(regions: Regions, tests: RegionTests) -> list[str]:
    """How many regions are errors on fresh draws, how many were found again, and what could not be tried."""
    alive = np.flatnonzero(regions.alive)
    if not len(alive):
        return []
    drawn = [number for number in alive if tests.error[number].n]
    wrong = sum(tests.error[number].low > MISTAKEN for number in drawn)
    again = int(tests.reproduced[alive].sum())
    tried = int((~np.isnan(tests.p[alive])).sum())
    what = "fresh draws" if regions.source == "generated" else "images kept aside"
    sure = f"In {wrong} of {len(drawn):,} regions most {what} are surely errors (95 %)."
    found = (
        f"{again} of {tried} that could be tried {'was' if again == 1 else 'were'} found again among the seeds kept "
        "aside: more errors of that kind inside than elsewhere."
    )
    return [sure, found, *tests.notes]


def what_a_region_is(regions: Regions, tests: RegionTests, classes: Sequence[str], region: int) -> str:
    """One region: what is taken for what, how large it is, and what the tests gave."""
    error, q = tests.error[region], tests.q[region]
    label, prediction = classes[regions.label[region]], classes[regions.prediction[region]]
    kind = "fresh draws" if regions.source == "generated" else "images kept aside"
    tried = f"{error} of {kind} are not taken for {label}" if error.n else f"no {kind} to try it on"
    again = (
        "could not be tried on the seeds kept aside"
        if isnan(q)
        else f"{'found again' if tests.reproduced[region] else 'not found again'} on the seeds kept aside (q = {q:.2g})"
    )
    return (
        f"{label} taken for {prediction}: {plural(int(regions.size[region]), 'error')} around "
        f"{plural(int(regions.units[region]), 'image')}; {tried}; {again}."
    )


def how_novel(novelty: Novelty, region: int) -> str:
    """How far a region lies from what was known, beside how far real images lie from each other."""
    said = []
    for name, value, share in (
        ("misclassified image", novelty.to_errors[region], novelty.percentile_errors[region]),
        ("image", novelty.to_all[region], novelty.percentile_all[region]),
    ):
        if isnan(value):
            said.append(f"there is no {name} of train to compare with")
        elif isnan(share):
            said.append(f"the nearest {name} of train is {value:.3g} away")
        else:
            said.append(f"the nearest {name} of train is {value:.3g} away, {judged(share)}")
    return f"{capital('; '.join(said))}."


def judged(share: float) -> str:
    """What a percentile of the usual distances means."""
    if share > FAR:
        return f"farther than {share:.0f} % of unseen real images are"
    return (
        f"as far as usual (percentile {share:.0f})" if share > NEAR else f"nearer than usual (percentile {share:.0f})"
    )


def how_far_labelled(regions: Regions, state: LabelState) -> str:
    """How many regions are decided, and as what."""
    alive = np.flatnonzero(regions.alive).tolist()
    kinds = [state.decisions[number].kind for number in alive if number in state.decisions]
    parts = [f"{kinds.count(kind)} {SAID[kind]}" for kind in KINDS if kind in kinds]
    return f"{len(kinds)} of {len(alive)} labelled" + (f": {', '.join(parts)}." if parts else ".")


def what_was_left(errors: Errors) -> str:
    """The funnel in one sentence: how many were tried, and how many were left after each filter."""
    return ", ".join(f"{name} {count:,}" for name, count in errors.funnel) + "."


def what_is_not_searched(few: Mapping[int, int], settings: IdentificationSettings, classes: Sequence[str]) -> str:
    """Which labels a search hardly says anything of, by their few independent seeds; "" where there is none such."""
    if not few:
        return ""
    none = [classes[label] for label, count in few.items() if not count]
    some = [f"{classes[label]} ({count})" for label, count in few.items() if count]
    parts = [f"none of {listed(none)}"] if none else []
    parts += [f"hardly any independent ones of {listed(some)}"] if some else []
    rebuilt = " together with their reconstructions" if settings.reconstruction else ""
    those = "this label" if len(few) == 1 else "these labels"
    return (
        f"The search starts from at most {settings.images:,} images of {settings.role} that are classified "
        f"correctly{rebuilt}: {' and '.join(parts)}. What goes wrong with {those} it can hardly find; the real errors "
        "have to show it."
    )


def both_sides(generated: Regions, real: Regions, classes: Sequence[str]) -> str:
    """Which mistakes were only generated, only seen, or both."""
    found, seen = pairs_of(generated, classes), pairs_of(real, classes)
    parts = [
        f"{len(group)} {what} ({listed(sorted(group))})"
        for group, what in (
            (found & seen, "both generated and seen"),
            (found - seen, "only generated"),
            (seen - found, "only seen"),
        )
        if group
    ]
    return f"Of the kinds of mistakes that have a region: {'; '.join(parts)}." if parts else "No mistake has a region."


def pairs_of(regions: Regions, classes: Sequence[str]) -> set[str]:
    """The mistakes of living regions, such as "3 as 5"."""
    return {
        f"{classes[regions.label[each]]} as {classes[regions.prediction[each]]}"
        for each in np.flatnonzero(regions.alive)
    }
