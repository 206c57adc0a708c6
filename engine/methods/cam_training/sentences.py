"""What maps, hiding and groups found, in words: numbers with their n and 95 % interval."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from engine.methods.cam_training.figure import Figure
from engine.methods.cam_training.groups import FEWEST
from engine.methods.cam_training.hiding import HidingFigure
from engine.methods.cam_training.localisation import Summary
from engine.methods.cam_training.result import Cams, Groups
from engine.methods.cam_training.rules import RULES
from engine.methods.cam_training.settings import LABEL, NOTHING, PREDICTION, REST
from engine.toolkit.statistics import rate
from engine.toolkit.wording import plural


def what_it_speaks_for(cams: Cams) -> str:
    """Whose evidence the maps show."""
    return f"{named(cams.of, cams)}{'' if cams.against == NOTHING else f' against {named(cams.against, cams)}'}"


def named(target: str, cams: Cams) -> str:
    """A target of a map in words."""
    words = {LABEL: "the label", PREDICTION: "its answer", REST: "all other classes"}
    return words[target] if target in words else f"the class {cams.classes[int(target)]}"


def unit_of(cams: Cams) -> str:
    """What the maps are in, for captions."""
    return RULES[cams.method].unit


def how_it_was_seen(cams: Cams) -> str:
    """The rule, the layer, and whether the maps add up to the score."""
    height, width = cams.maps.shape[1:]
    cells = f"{len(cams.ids):,} maps of {height} x {width} cells from layer {cams.layer} by {cams.method}"
    if not RULES[cams.method].adds_up:
        return f"{cells}, in {unit_of(cams)}: by this rule a map doesn't add up to the score; judge by hiding."
    if cams.exact:
        return f"{cells}: exact, for a logit is the mean over its map's cells and the head's bias."
    return f"{cells}: not exact, for what follows that layer is no average with one linear layer; judge by hiding."


def where_it_looks(cams: Cams, summary: Summary) -> str:
    """How much of the evidence lies where it may, against chance, and how often the hottest cell does."""
    energy, corrected, pointing = summary.energy, summary.corrected, summary.pointing
    speaks = what_it_speaks_for(cams)
    if energy.n == 0:
        return f"None of {energy.missing:,} maps has evidence for {speaks} in one place more than in another."
    said = (
        f"Of the evidence for {speaks}, {share(energy)} lies where it may look, which is {summary.area.mean:.1%} of "
        f"what it sees: {than_chance(corrected)}. The hottest cell lies there in {share(pointing)}."
    )
    if energy.missing:
        said += f" {energy.missing:,} more {'maps have' if energy.missing > 1 else 'map has'} no such evidence."
    return said


def than_chance(corrected: Figure) -> str:
    """Whether that is more than the area alone would give."""
    if corrected.n == 0:
        return "nothing is forbidden there, so that says nothing"
    numbers = f"{corrected.mean:+.2f} on a scale from 0, by chance, to 1{between(corrected, '+.2f')}"
    if corrected.low > 0:
        return f"more than by chance, {numbers}"
    if corrected.high < 0:
        return f"less than by chance, {numbers}"
    return f"no different from chance, {numbers}"


def what_comes_from_outside(cams: Cams, summary: Summary) -> str:
    """The forbidden cells' share of what the maps add up to; nothing where the rule's maps don't add up."""
    outside = summary.outside
    if not RULES[cams.method].adds_up:
        return ""
    if outside.n == 0:
        return "What share of the score comes from outside can't be told: for and against cancel in every map."
    said = f"{share(outside)} of {what_it_adds_up_to(cams)} comes from where it may not look"
    if outside.missing:
        said += f", not counting {outside.missing:,} where evidence for and against cancel"
    return f"{said}."


def what_it_adds_up_to(cams: Cams) -> str:
    """What the mean over a map's cells is.

    Against several other classes the score takes the log-sum-exp of their logits, the map their mean by softmax share.
    """
    if not cams.exact:
        return "what the layer adds to the score, to first order,"
    if cams.against == REST and len(cams.classes) > 2:
        whose = {LABEL: "the label's logit", PREDICTION: "its answer's logit"}
        logit = whose.get(cams.of, f"the logit of {named(cams.of, cams)}")
        return f"{logit} less the others' mean by softmax share, without the head's bias,"
    return "the score without the head's bias"


def what_hiding_showed(figures: Sequence[HidingFigure]) -> str:
    """Whether accuracy falls more with the hot area hidden than with an equal one elsewhere."""
    costly = [each for each in figures if each.difference.low > 0]
    cheap = [each for each in figures if each.difference.high < 0]
    before = figures[0].before.value
    if before == 0:
        return (
            f"None of the answers was right with nothing hidden (n = {figures[0].before.n:,}), so there is no accuracy "
            "that hiding could cost: look at images that are answered rightly."
        )
    if all(each.hot.value == each.elsewhere.mean == before for each in figures):
        return (
            f"Accuracy stays {before:.1%} (n = {figures[0].before.n:,}) with up to "
            f"{max(each.share for each in figures):.0%} of each image hidden, where the maps are hottest and in random "
            "places alike: what the answers rest on is there more than once, and hiding says nothing of the maps."
        )
    sizes = f"{plural(len(figures), 'size')} of hidden area"
    if len(costly) == len(cheap) == 0:
        most = max(figures, key=lambda each: abs(each.difference.mean))
        return (
            "Hiding what the maps point at costs no more accuracy than hiding random places of the same size: no "
            f"difference beyond chance in any of {sizes}. {one_size(most)}"
        )
    most = max(costly or cheap, key=lambda each: abs(each.difference.mean))
    said = f"Hiding what the maps point at costs more accuracy than hiding random places in {len(costly)} of {sizes}"
    if cheap:
        said += f" and less in {len(cheap)}"
    return f"{said}, beyond chance (95 %, each size by itself). {one_size(most)}"


def one_size(found: HidingFigure) -> str:
    """The accuracies with so much of the image hidden."""
    points = 100 * found.difference.mean
    ends = f"95 % interval {100 * found.difference.low:+.1f} to {100 * found.difference.high:+.1f}"
    return (
        f"With {found.share:.0%} of each image hidden, accuracy is {found.hot.value:.1%} where the map is hottest and "
        f"{found.elsewhere.mean:.1%} in random places, {points:+.1f} points ({ends}, n = {found.difference.n:,}); "
        f"with nothing hidden {found.before.value:.1%}."
    )


def what_groups_there_are(groups: Groups, cams: Cams, units: np.ndarray) -> list[str]:
    """How many groups the maps fall into, then for each its share and its accuracy."""
    there = groups.group >= 0
    count, maps = len(groups.mean_maps), int(there.sum())
    if maps == 0:
        return ["None of the maps has evidence that could be grouped."]
    if maps < FEWEST:
        return [f"{plural(maps, 'map')}: too few to look for groups, which takes {FEWEST}."]
    if count == 1:
        return [f"The {maps:,} maps are of one kind: they differ no more than one place that wanders would."]
    said = [f"The {maps:,} maps fall into {count} groups."]
    for each in range(count):
        members = groups.group == each
        labelled = members & (cams.labels >= 0)
        right = rate(cams.predictions[labelled] == cams.labels[labelled], units[labelled])
        accuracy = f"accuracy {right}" if right.n else "no labels"
        said.append(f"Group {each + 1}: {members.sum():,} maps ({members.sum() / maps:.0%}), {accuracy}.")
    return said


def share(found: Figure) -> str:
    """A mean share with its interval and n."""
    return f"{found.mean:.1%}{between(found, '.1%')}"


def between(found: Figure, digits: str) -> str:
    """The interval and n in brackets, n alone where there is no interval."""
    if math.isnan(found.low):
        return f" (n = {found.n:,})"
    return f" ({found.low:{digits}} to {found.high:{digits}}, n = {found.n:,})"
