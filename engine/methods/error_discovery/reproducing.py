"""Whether a region is found again among the seeds kept aside: more errors of its kind inside than elsewhere."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import chdtri

from engine.methods.error_discovery.gaussians import distance
from engine.methods.error_discovery.result import Errors, Regions
from engine.toolkit.statistics import FEW_UNITS, Rate, rate

REACH = 0.95  # of a region's own errors lie as near to its middle as what counts as inside


@dataclass(frozen=True)
class Found:
    """For each region (R,): the shares inside and elsewhere, all errors inside, and p, NaN where it can't be told."""

    inside: tuple[Rate, ...]
    elsewhere: tuple[Rate, ...]
    wrong: tuple[Rate, ...]
    p: np.ndarray


def found_again(errors: Errors, regions: Regions) -> Found:
    """Each living region beside the trials of its label that lie outside of it; of dead ones nothing."""
    unknown = rate(np.zeros(0, bool), np.zeros(0))
    own, others, wrong = ([unknown] * len(regions.label) for _ in range(3))
    p = np.full(len(regions.label), np.nan)
    for region in np.flatnonzero(regions.alive).tolist():
        rows = np.flatnonzero(errors.trial_labels == regions.label[region])
        near = inside(errors, regions, region, errors.trial_codes[rows])
        units, predictions = errors.trial_units[rows], errors.trial_predictions[rows]
        hits = predictions == regions.prediction[region]
        own[region], others[region] = rate(hits[near], units[near]), rate(hits[~near], units[~near])
        wrong[region] = rate(predictions[near] != regions.label[region], units[near])
        p[region] = more_inside(hits, near, units)
    return Found(tuple(own), tuple(others), tuple(wrong), p)


def inside(errors: Errors, regions: Regions, region: int, codes: np.ndarray) -> np.ndarray:
    """(n,) bool: which codes (n, d) lie as near to the middle of a region as 95 % of its own errors do.

    At least as far as 95 % of its Gaussian reach, for the Gaussian of few errors lies nearer to them than to others.
    """
    mean, covariance = regions.mean[region], regions.covariance[region]
    own = distance(errors.codes[regions.member == region], mean, covariance)
    reach = max(float(np.quantile(own, REACH)), float(chdtri(len(mean), 1 - REACH)))
    return distance(codes, mean, covariance) <= reach


def more_inside(hits: np.ndarray, near: np.ndarray, units: np.ndarray) -> float:
    """One-sided p that trials inside, `near` (n,) bool, are hits (n,) bool no more often than the others.

    Fisher's exact test of as many independent trials as those of units (n,) are worth on either side, in whole numbers;
    NaN where a side has none.
    """
    from scipy.stats import hypergeom

    if near.all() or not near.any():
        return float("nan")
    alike = agreement_within(hits, units)
    count, others = round(worth(units[near], alike)), round(worth(units[~near], alike))
    inside_hits, other_hits = round(hits[near].mean() * count), round(hits[~near].mean() * others)
    return float(hypergeom.sf(inside_hits - 1, count + others, inside_hits + other_hits, count))


def agreement_within(hits: np.ndarray, units: np.ndarray) -> float:
    """How far trials of a unit agree, in [0, 1]: the correlation of hits (n,) bool within units (n,), over all pairs.

    Taken over all trials, for those inside are too few to tell: where all of them agree, that may be chance. 1 where
    fewer than five units hold the rarer outcome (Donner and Klar 2000, for the design effect that follows from it).
    """
    _, members = np.unique(units, return_inverse=True)
    size = np.bincount(members)
    rarer = hits if hits.mean() < 0.5 else ~hits
    if (np.bincount(members, weights=rarer) > 0).sum() < FEW_UNITS:
        return 1.0
    pairs = float((size * (size - 1)).sum())
    if not pairs:
        return 0.0
    apart = hits - hits.mean()
    together = (np.bincount(members, weights=apart) ** 2).sum() - (apart**2).sum()
    return float(np.clip(together / pairs / (apart**2).mean(), 0, 1))


def worth(units: np.ndarray, alike: float) -> float:
    """How many independent trials those of units (n,) are worth that agree so far within one."""
    size = np.unique(units, return_counts=True)[1].astype(np.float64)
    return float(size.sum() ** 2 / (size * (1 + (size - 1) * alike)).sum())


def discoveries(p: np.ndarray) -> np.ndarray:
    """(R,) q of p (R,) over those that are known, by Benjamini and Hochberg 1995; NaN stays NaN."""
    from scipy.stats import false_discovery_control

    q, known = np.full(len(p), np.nan), ~np.isnan(p)
    if known.any():
        q[known] = false_discovery_control(p[known])
    return q
