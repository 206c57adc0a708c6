"""Errors grouped into regions, those of one label and prediction at a time."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from engine.methods.error_discovery.gathering import Group, gathered, most_frequent
from engine.methods.error_discovery.mixtures import Grouping, by_density, by_mixture
from engine.methods.error_discovery.result import Errors, Regions, Stratum
from engine.methods.error_discovery.settings import DistillationSettings
from engine.runs.progress import Progress
from engine.toolkit.threads import one_thread

LEAST_UNITS = 2  # what is found around one image only is no region
PUBLISHED_COMPONENTS, PUBLISHED_WEIGHT, PUBLISHED_CODES = 100, 0.01, 10_000


def distilled(errors: Errors, settings: DistillationSettings, progress: Progress) -> Regions:
    """The regions of the errors that are not aside, the largest first; the same for the same seed.

    Groups of fewer than `least` errors, or of errors around one image only, are no regions. There may be none.
    """
    groups: list[Group] = []
    strata: list[Stratum] = []
    with one_thread():
        for stratum, found in grouped(errors, settings, progress):
            strata.append(stratum)
            groups += found
    groups.sort(key=lambda group: -len(group.rows))
    full = settings.full or settings.method == "published"
    return gathered(errors, groups, full, tuple(strata), notes_on(errors, groups, strata, settings))


def grouped(
    errors: Errors, settings: DistillationSettings, progress: Progress
) -> Iterator[tuple[Stratum, list[Group]]]:
    """Each stratum with its regions."""
    rows = np.flatnonzero(~errors.aside)
    if settings.method == "published":
        progress.report(0.0, "grouping errors")
        yield published(errors, rows, settings)
        progress.report(1.0, "grouping errors")
        return
    pairs, which = np.unique(
        np.stack([errors.labels[rows], errors.predictions[rows]], axis=1), axis=0, return_inverse=True
    )
    for place in progress.steps(len(pairs), "grouping errors"):
        label, prediction = (int(each) for each in pairs[place])
        own = rows[which.reshape(-1) == place]
        if len(own) < settings.least:
            yield Stratum(label, prediction, len(own), 0, 0, True), []
            continue
        found = grouping_of(errors.codes[own], settings)
        stratum = Stratum(label, prediction, len(own), found.components, found.alive, found.converged)
        yield stratum, [Group(own[part], label, prediction) for part in regions_in(found, errors.units[own], settings)]


def grouping_of(codes: np.ndarray, settings: DistillationSettings) -> Grouping:
    """The codes (n, d) of one stratum in groups; no more components than could have `least` codes each."""
    if settings.method == "hdbscan":
        return by_density(codes, settings.least)
    components = min(settings.components, len(codes) // settings.least)
    return by_mixture(codes, components, settings.full, settings.concentration, settings.seed)


def regions_in(found: Grouping, units: np.ndarray, settings: DistillationSettings) -> list[np.ndarray]:
    """The places (n,) of each group that is large enough, of codes of units (n,) str."""
    parts = [np.flatnonzero(found.group == number) for number in range(found.components)]
    return [part for part in parts if len(part) >= settings.least and len(np.unique(units[part])) >= LEAST_UNITS]


def published(errors: Errors, rows: np.ndarray, settings: DistillationSettings) -> tuple[Stratum, list[Group]]:
    """One mixture over all, whatever label and prediction; of at most 10,000 errors, drawn once each."""
    if len(rows) > PUBLISHED_CODES:
        rows = np.sort(np.random.default_rng(settings.seed).choice(rows, PUBLISHED_CODES, replace=False))
    if len(rows) < settings.least:
        return Stratum(-1, -1, len(rows), 0, 0, True), []
    found = by_mixture(errors.codes[rows], PUBLISHED_COMPONENTS, True, 0.0, settings.seed)
    light = np.flatnonzero(found.weights <= PUBLISHED_WEIGHT)
    heavy = Grouping(
        np.where(np.isin(found.group, light), -1, found.group), found.components, found.converged, found.weights
    )
    groups = [
        Group(rows[part], most_frequent(errors.labels[rows[part]]), most_frequent(errors.predictions[rows[part]]))
        for part in regions_in(heavy, errors.units[rows], settings)
    ]
    return Stratum(-1, -1, len(rows), found.components, found.alive, found.converged), groups


def notes_on(
    errors: Errors, groups: list[Group], strata: list[Stratum], settings: DistillationSettings
) -> tuple[str, ...]:
    """What a person should know: that there is no region, and mixtures that have not settled."""
    notes = []
    count = int((~errors.aside).sum())
    if not groups:
        notes.append(
            f"No region: none of the groups of {count:,} errors has {settings.least} or more around two or more images."
            if count
            else "No region, for there is no error to group."
        )
    if unsettled := sum(not stratum.converged for stratum in strata):
        notes.append(f"{unsettled} of {len(strata)} mixtures had not settled; their groups may be ragged.")
    return tuple(notes)
