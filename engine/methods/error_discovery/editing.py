"""Regions merged and split by hand: numbers stay, what was merged or split is dead, its heirs come last."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from engine.methods.error_discovery.gathering import Group, gathered, most_frequent
from engine.methods.error_discovery.gaussians import is_full
from engine.methods.error_discovery.mixtures import by_mixture
from engine.methods.error_discovery.result import Errors, Regions

COLUMNS = ("label", "prediction", "mean", "covariance", "size", "units", "weight", "alive")


@dataclass(frozen=True)
class Merge:
    """Two regions become one, which gets the next number."""

    first: int
    second: int


@dataclass(frozen=True)
class Split:
    """A region becomes two, which get the next two numbers."""

    region: int


Edit = Merge | Split


def edited(regions: Regions, errors: Errors, edits: Sequence[Edit]) -> Regions:
    """The regions after all edits, in their order; ValueError in one sentence for one that can't be done."""
    full = is_full(regions.covariance)
    for edit in edits:
        regions = merged(regions, errors, edit, full) if isinstance(edit, Merge) else split(regions, errors, edit, full)
    return regions


def merged(regions: Regions, errors: Errors, edit: Merge, full: bool) -> Regions:
    """The regions with one more, and two dead ones."""
    for number in (edit.first, edit.second):
        check_alive(regions, number)
    if edit.first == edit.second:
        raise ValueError(f"region {edit.first} can't be merged with itself")
    if regions.label[edit.first] != regions.label[edit.second]:
        raise ValueError(f"regions {edit.first} and {edit.second} have different labels, so they can't be merged")
    rows = np.flatnonzero(np.isin(regions.member, (edit.first, edit.second)))
    heir = Group(rows, int(regions.label[edit.first]), most_frequent(errors.predictions[rows]))
    return succeeded(regions, errors, (edit.first, edit.second), [heir], full)


def split(regions: Regions, errors: Errors, edit: Split, full: bool) -> Regions:
    """The regions with two more, and a dead one: the larger part first."""
    check_alive(regions, edit.region)
    rows = np.flatnonzero(regions.member == edit.region)
    second = halved(errors.codes[rows], edit.region)
    if second.all() or not second.any():
        raise ValueError(f"region {edit.region} can't be split, for all its errors are alike")
    parts = sorted((rows[~second], rows[second]), key=len, reverse=True)
    heirs = [Group(part, most_frequent(errors.labels[part]), most_frequent(errors.predictions[part])) for part in parts]
    return succeeded(regions, errors, (edit.region,), heirs, full)


def halved(codes: np.ndarray, seed: int) -> np.ndarray:
    """(n,) bool, which codes (n, d) are in the second of two parts: by a mixture, or k-means where that finds one."""
    from sklearn.cluster import KMeans

    from engine.toolkit.threads import one_thread

    if len(np.unique(codes, axis=0)) < 2:
        return np.zeros(len(codes), bool)
    with one_thread():
        group = by_mixture(codes, 2, full=False, concentration=1.0, seed=seed).group
        if len(np.unique(group)) < 2:
            group = KMeans(2, n_init=5, random_state=seed).fit_predict(codes.astype(np.float64))
    return group == 1


def succeeded(regions: Regions, errors: Errors, dead: tuple[int, ...], groups: Sequence[Group], full: bool) -> Regions:
    """The regions in which some are dead and these groups come after all others."""
    heirs = gathered(errors, groups, full)
    columns: dict[str, Any] = {name: np.concatenate([getattr(regions, name), getattr(heirs, name)]) for name in COLUMNS}
    columns["alive"][list(dead)] = False
    member = np.where(heirs.member >= 0, heirs.member + len(regions.label), regions.member)
    return replace(regions, member=member, **columns)


def check_alive(regions: Regions, number: int) -> None:
    """ValueError where there is no such region (any more)."""
    if not 0 <= number < len(regions.label):
        raise ValueError(f"there is no region {number}")
    if not regions.alive[number]:
        raise ValueError(f"region {number} was merged or split, so it can't be changed any more")
