"""Which labelled regions a correction may use, and which it must not see anything of."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from engine.methods.error_discovery.result import Errors, Labels, Regions

REST = 0.5  # of its errors that a used region must keep once those around held-out seeds have gone; and of the regions


@dataclass(frozen=True, eq=False)
class Division:
    """The labelled regions by number, with the labels that they were given.

    `held_units` (u,) str, sorted, are the seeds of the held-out ones: no correction sees an image of theirs. `rows` has
    the rows of `Errors` that are left of each used region.
    """

    used: tuple[int, ...]
    held: tuple[int, ...]
    target: dict[int, int]
    held_units: np.ndarray
    rows: dict[int, np.ndarray]


def divided(labels: Labels, regions: Regions, errors: Errors, share: float, seed: int) -> Division:
    """Hold out `share` of the regions that were given a class, drawn by the seed; at least one is used.

    A region that has errors around a held-out seed loses these, and is not used where fewer than half of its errors, or
    those of one seed only, are left. Fewer regions are held out, or none, where fewer than half of the others could be
    used. ValueError where no region was given a class.
    """
    target = given_classes(labels, regions)
    if not target:
        raise ValueError("no region was given a class, so there is nothing to correct; label some as errors first")
    numbers = np.random.default_rng([seed, 11]).permutation(sorted(target))
    most = min(round(share * len(numbers)), len(numbers) - 1)
    for count in range(most, -1, -1):
        held, others = numbers[:count], sorted(numbers[count:].tolist())
        units = np.unique(errors.units[np.isin(regions.member, held)])
        left = {number: rows_left(number, regions, errors, units) for number in others}
        rows = {number: own for number, own in left.items() if len(own)}
        if len(rows) >= REST * len(others):
            break
    return Division(tuple(rows), tuple(sorted(held.tolist())), target, units, rows)


def rows_left(number: int, regions: Regions, errors: Errors, units: np.ndarray) -> np.ndarray:
    """(n,) the rows of a region's errors that are around none of these units; none where too few are."""
    own = np.flatnonzero(regions.member == number)
    left = own[~np.isin(errors.units[own], units)]
    enough = len(left) == len(own) or (len(left) >= REST * len(own) and len(np.unique(errors.units[left])) > 1)
    return left if enough else own[:0]


def given_classes(labels: Labels, regions: Regions) -> dict[int, int]:
    """The class of each living region that was given one, by number."""
    return {
        int(number): int(label)
        for number, kind, label in zip(labels.region, labels.kind, labels.label, strict=True)
        if kind == "class" and regions.alive[number]
    }
