"""How far a retraining's figures hang on which test images there are: in resamples of their units, and of the seeds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.sparse import csr_array
from scipy.special import stdtr, stdtrit

from engine.methods.input_selection.result import Retrained
from engine.toolkit.seeds import ALIKE

RESAMPLES = 2000
SEED = 0


@dataclass(frozen=True)
class Resampled:
    """The mean of differences over seeds, with what a bootstrap over images and seeds says of it.

    The interval is Student's at 95 %, `p` that of a mean of 0, two-sided. All are NaN where nothing varies.
    """

    low: float
    high: float
    p: float


def drawn_units(units: int) -> np.ndarray:
    """(R + 1, units) how often each unit comes: once (index 0), and in 2,000 resamples of so many."""
    draws = np.random.default_rng(SEED).multinomial(units, np.full(units, 1 / units), size=RESAMPLES)
    return np.vstack([np.ones(units), draws])


def resampled_figures(run: Retrained, drawn: np.ndarray) -> dict[str, np.ndarray]:
    """Each figure after the last round on the test images and in resamples of their units (R + 1,), as `drawn_units`.

    NaN where a resample has no image of what it takes.
    """
    _, members = np.unique(run.units, return_inverse=True)

    def counts(chosen: np.ndarray, column: np.ndarray) -> np.ndarray:
        """(R + 1, K) how many of the chosen images have each label in this column."""
        places = members[chosen], column[chosen]
        return drawn @ csr_array((np.ones(len(places[0])), places), shape=(drawn.shape[1], classes))

    classes = int(max(run.labels.max(), run.answers.max(), *run.targets)) + 1
    every, right = np.ones(len(run.labels), dtype=bool), run.right
    hits, own = counts(right, run.labels), counts(every, run.labels)
    recalls = np.divide(hits, own, out=np.full_like(hits, np.nan), where=own > 0)
    targets = list(run.targets)
    answered = counts(np.isin(run.answers, targets), run.answers)[:, targets]
    precisions = np.divide(hits[:, targets], answered, out=np.zeros_like(answered), where=answered > 0)
    return {
        "accuracy": hits.sum(axis=1) / own.sum(axis=1),
        "target_recall": mean_of_known(recalls[:, targets]),
        "target_precision": precisions.mean(axis=1),
        "worst_recall": np.nanmin(recalls, axis=1),
        "broken": counts(run.right_before & ~right, run.labels).sum(axis=1),
    }


def mean_of_known(columns: np.ndarray) -> np.ndarray:
    """(R,) the mean of each row of (R, m) without NaN; NaN where nothing is known."""
    known = ~np.isnan(columns)
    total = np.where(known, columns, 0).sum(axis=1)
    return np.divide(total, known.sum(axis=1), out=np.full(len(columns), np.nan), where=known.any(axis=1))


def over_seeds_and_images(differences: Sequence[np.ndarray], units: int) -> Resampled:
    """What the differences of each seed, on the test images and in resamples of them (R + 1,), say of their mean.

    Its variance is that over resamples of images and seeds together (Owen 2007). As S seeds resampled show (S - 1) / S
    of how they vary, the rest is added. Student's degrees of freedom are S - 1 and units - 1, weighted by what seeds
    and images each contribute (Satterthwaite 1946), so that few seeds widen the interval as far as seeds matter.
    """
    drawn = np.stack(differences, axis=1)
    plain, resamples = drawn[0], drawn[1:][~np.isnan(drawn[1:]).any(axis=1)]
    seeds, mean = len(plain), float(plain.mean())
    by_seeds = plain.var(ddof=1) / seeds
    by_images = resamples.mean(axis=1).var(ddof=1)
    again = np.random.default_rng(SEED + 1).multinomial(seeds, np.full(seeds, 1 / seeds), size=len(resamples))
    variance = (again * resamples).sum(axis=1).var(ddof=1) / seeds**2 + by_seeds / seeds
    if variance <= ALIKE**2:
        return Resampled(float("nan"), float("nan"), float("nan"))
    freedom = (by_seeds + by_images) ** 2 / (by_seeds**2 / (seeds - 1) + by_images**2 / (units - 1))
    error = np.sqrt(variance)
    half = float(stdtrit(freedom, 0.975) * error)
    return Resampled(mean - half, mean + half, float(2 * stdtr(freedom, -abs(mean) / error)))
