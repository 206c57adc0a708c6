"""From groups of errors to regions: what each is of, its Gaussian, its size."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from engine.methods.error_discovery.gaussians import fitted
from engine.methods.error_discovery.result import Errors, Regions, Stratum


@dataclass(frozen=True)
class Group:
    """Rows (n,) of `Errors` that belong together, and the label and prediction that they stand for."""

    rows: np.ndarray
    label: int
    prediction: int


def gathered(
    errors: Errors,
    groups: Sequence[Group],
    full: bool,
    strata: tuple[Stratum, ...] = (),
    notes: tuple[str, ...] = (),
) -> Regions:
    """One region for each group, in their order, all alive; covariances `full` or diagonal."""
    dimensions = errors.codes.shape[1]
    member = np.full(len(errors.codes), -1, np.int64)
    mean = np.zeros((len(groups), dimensions), np.float32)
    covariance = np.zeros((len(groups), dimensions, dimensions), np.float32)
    for number, group in enumerate(groups):
        member[group.rows] = number
        mean[number], covariance[number] = fitted(errors.codes[group.rows], full)
    size = np.array([len(group.rows) for group in groups], np.int64)
    return Regions(
        source=errors.source,
        member=member,
        label=np.array([group.label for group in groups], np.int64),
        prediction=np.array([group.prediction for group in groups], np.int64),
        mean=mean,
        covariance=covariance,
        size=size,
        units=np.array([len(np.unique(errors.units[group.rows])) for group in groups], np.int64),
        weight=size / max(1, int((~errors.aside).sum())),
        alive=np.ones(len(groups), bool),
        strata=strata,
        notes=notes,
    )


def most_frequent(values: np.ndarray) -> int:
    """The value that (n,) integers have most often, the smallest of those."""
    found, count = np.unique(values, return_counts=True)
    return int(found[count.argmax()])
