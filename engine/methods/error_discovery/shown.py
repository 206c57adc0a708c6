"""Which images stand for a region: the same for a person, an oracle and the export."""

from __future__ import annotations

import numpy as np

from engine.methods.error_discovery.gaussians import distance
from engine.methods.error_discovery.result import Errors, Regions, RegionTests

SHOWN = 16


def shown_draws(tests: RegionTests, region: int, most: int = SHOWN) -> np.ndarray:
    """The numbers (n,) of the first fresh draws of a region that count."""
    return np.flatnonzero(tests.kept[region])[:most]


def shown_errors(regions: Regions, errors: Errors, region: int, most: int = SHOWN) -> np.ndarray:
    """The rows (n,) of the errors of a region that lie nearest to its middle, nearest first."""
    rows = np.flatnonzero(regions.member == region)
    far = distance(errors.codes[rows], regions.mean[region], regions.covariance[region])
    return rows[np.argsort(far, kind="stable")[:most]]
