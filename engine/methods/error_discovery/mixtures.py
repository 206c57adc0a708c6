"""Codes in groups: a Gaussian mixture whose number of components is found by itself, or density."""

from __future__ import annotations

import warnings
from dataclasses import dataclass

import numpy as np

ROUNDS = 300
LEAST_VARIANCE = 1e-4


@dataclass(frozen=True)
class Grouping:
    """Which group each code is in (n,) int64, -1 for none; of how many components, and whether it had settled."""

    group: np.ndarray
    components: int
    converged: bool
    weights: np.ndarray

    @property
    def alive(self) -> int:
        """How many components have any code."""
        return len(np.unique(self.group[self.group >= 0]))


def by_mixture(codes: np.ndarray, components: int, full: bool, concentration: float, seed: int) -> Grouping:
    """Codes (n, d) by their likeliest component of a Bayesian Gaussian mixture with a Dirichlet process.

    Truncated at `components`, or at as many as there are different codes; `concentration` 0 for 1 / components.
    """
    from sklearn.mixture import BayesianGaussianMixture

    values = codes.astype(np.float64)
    most = min(components, len(np.unique(values, axis=0)))
    mixture = BayesianGaussianMixture(
        n_components=most,
        covariance_type="full" if full else "diag",
        weight_concentration_prior_type="dirichlet_process",
        weight_concentration_prior=concentration or None,
        max_iter=ROUNDS,
        reg_covar=LEAST_VARIANCE,
        random_state=seed,
    )
    if len(values) < 2:  # scikit-learn wants two
        return Grouping(np.zeros(len(values), np.int64), most, True, np.ones(most))
    with warnings.catch_warnings(action="ignore", category=UserWarning):  # what has not settled is told by the result
        group = mixture.fit_predict(values).astype(np.int64)
    return Grouping(group, most, bool(mixture.converged_), mixture.weights_)


def by_density(codes: np.ndarray, least: int) -> Grouping:
    """Codes (n, d) by HDBSCAN (Campello et al. 2013), at least `least` in a group; what is in no dense place is -1."""
    from sklearn.cluster import HDBSCAN

    finder = HDBSCAN(min_cluster_size=least, allow_single_cluster=True, copy=True)
    group = finder.fit_predict(codes.astype(np.float64)).astype(np.int64)
    count = int(group.max(initial=-1)) + 1
    return Grouping(group, count, True, np.bincount(group[group >= 0], minlength=count) / len(group))
