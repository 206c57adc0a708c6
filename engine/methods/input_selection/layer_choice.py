"""Which layer a buggy label is due to, as far as probes can tell."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from engine.methods.input_selection.result import Probes, TappedRole, Taps
from engine.methods.input_selection.settings import VerdictSettings
from engine.methods.input_selection.shares import newcombe
from engine.methods.input_selection.verdicts import NO_RATE, OVER, UNDER
from engine.subject.image_set import Role, Seen
from engine.toolkit.statistics import Rate, mean_interval, rate

RESAMPLES = 1000
MUCH = 0.1  # of recall, from which the probe is said to know better than the head


@dataclass(frozen=True)
class LayerChoice:
    """The tap with this number and name, and a sentence why.

    `values` (T, 3) float64: of each tap the label's recall on diagnosis, for an over-fitted label its gap (train's
    less diagnosis's), with the 95 % interval; NaN without images. `of_gap` says which.
    """

    tap: int
    name: str
    why: str
    values: np.ndarray
    of_gap: bool


def chosen_layer(
    probes: Probes, taps: Taps, label: int, verdict: str, gap: float = VerdictSettings.gap, seed: int = 0
) -> LayerChoice:
    """The layer to look at for a label with this verdict.

    Under-fitted: the earliest tap whose probe has, on diagnosis, a recall of the label within one standard error of
    the best later one, so that no block behind it makes the label any clearer. Over-fitted: the first at which the
    gap between images of train known to be seen and diagnosis is above `gap`, with the lower end of its interval; all
    are judged by probes that saw none of their unit, so that it is the network that treats them differently. Else, or
    where there is no such tap, the last.
    """
    held = taps.role(Role.DIAGNOSIS)
    diagnosis = recalls_of(probes.right, held, label)
    gaps = gaps_of(probes, taps, label)
    values = gaps if verdict == OVER else np.array([(each.value, each.low, each.high) for each in diagnosis])
    last, name = len(taps.taps) - 1, taps.classes[label]
    if verdict == OVER:
        opened = np.flatnonzero(gaps[:, 1] > gap)
        tap = int(opened[0]) if len(opened) else last
        why = over_fitted_sentence(gaps, tap, name, gap)
    elif verdict == UNDER and held is not None and diagnosis[0].n:
        own = held.labels == label
        tap = saturated(probes.right[:, own], held.units[own], seed)
        why = under_fitted_sentence([each.value for each in diagnosis], tap, name)
    else:
        tap, why = last, f"The last layer: nothing points to another for {name}."
    return LayerChoice(tap, taps.taps[tap].name, why, values, verdict == OVER)


def gaps_of(probes: Probes, taps: Taps, label: int) -> np.ndarray:
    """(T, 3) each tap's gap of the label between seen images of train and diagnosis with its interval, out of fold."""
    train = taps.role(Role.TRAIN)
    own = recalls_of(probes.gap_right, train, label, seen=True)
    others = recalls_of(probes.gap_diagnosis, taps.role(Role.DIAGNOSIS), label)
    return np.array([(a.value - b.value, *newcombe(a, b)) for a, b in zip(own, others, strict=True)])


def recalls_of(right: np.ndarray, role: TappedRole | None, label: int, seen: bool = False) -> list[Rate]:
    """The label's recall at each tap, of all images or of those known to be seen alone; right (T, n)."""
    if role is None:
        return [NO_RATE] * len(right)
    own = role.labels == label
    if seen:
        own &= role.seen == Seen.YES
    return [rate(each[own], role.units[own]) for each in right]


def saturated(right: np.ndarray, units: np.ndarray, seed: int) -> int:
    """The earliest tap within one standard error of the best later one; right (T, n) of images in `units` (n,).

    The standard error is that of the paired difference, by a bootstrap over units.
    """
    means = right.mean(axis=1)
    resampled = resampled_means(right, units, np.random.default_rng(seed))
    for tap in range(len(right) - 1):
        best = tap + 1 + int(means[tap + 1 :].argmax())
        if means[best] - means[tap] <= (resampled[:, best] - resampled[:, tap]).std(ddof=1):
            return tap
    return len(right) - 1


def resampled_means(right: np.ndarray, units: np.ndarray, draws: np.random.Generator) -> np.ndarray:
    """(R, T) the mean of each row of right (T, n) in resamples of whole units, the same for all rows."""
    _, members = np.unique(units, return_inverse=True)
    groups = members.max() + 1
    size = np.bincount(members)
    hits = np.stack([np.bincount(members, weights=each) for each in right], axis=1)
    counts = draws.multinomial(groups, np.full(groups, 1 / groups), size=RESAMPLES)
    return (counts @ hits) / (counts @ size)[:, None]


def under_fitted_sentence(recalls: list[float], tap: int, name: str) -> str:
    """Why this layer of an under-fitted label."""
    here = f"{name} is read off it for {recalls[tap]:.0%} of its images of diagnosis"
    if tap == len(recalls) - 1:
        return f"The last layer: every block still makes {name} clearer, and {here}."
    return f"No later block makes {name} clearer: {here}, off the best later one for {max(recalls[tap + 1 :]):.0%}."


def over_fitted_sentence(gaps: np.ndarray, tap: int, name: str, gap: float) -> str:
    """Why this layer of an over-fitted label; gaps (T, 3) with their intervals."""
    value, low, high = gaps[tap]
    if not low > gap:
        return (
            f"The last layer: no probe of {name} has a gap between train and diagnosis that is surely above {gap:.0%}."
        )
    where = "Here the gap opens first" if tap else "The gap is open from the first block on"
    whose = (
        "" if tap else " Train shows another kind of it than diagnosis already there: the data is at fault, no block."
    )
    return (
        f"{where}: probes fitted without an image's group get {name} right {value:.0%} more often on train than on "
        f"diagnosis ({low:.0%} to {high:.0%}), surely more than {gap:.0%}.{whose}"
    )


def head_sentence(probes: Probes, taps: Taps, label: int) -> str | None:
    """That the label can be read off the last layer much better than the classifier answers, where that is sure.

    None where the probe's recall on diagnosis is not a tenth higher, or the interval of the paired difference, by
    unit, reaches zero.
    """
    held = taps.role(Role.DIAGNOSIS)
    if held is None:
        return None
    own = held.labels == label
    read, answered = probes.right[-1][own], held.predictions[own] == label
    more, low, high = mean_interval(read.astype(float) - answered, held.units[own])
    if not (more >= MUCH and low > 0):
        return None
    points = f"{100 * more:.0f} points more, {100 * low:.0f} to {100 * high:.0f}"
    return (
        f"A linear probe fitted on train reads {taps.classes[label]} off the last layer for {read.mean():.0%} of its "
        f"images of diagnosis, while the classifier itself answers right for {answered.mean():.0%} ({points}): the "
        "features are there, and its head is at fault."
    )
