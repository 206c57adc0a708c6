"""The nine metrics beside scipy's pair functions in a loop, and how the quick Wasserstein distances rank.

python -m benchmarks.input_selection_metrics [--candidates 10000] [--values 784] [--labels 10] [--rounds 3]
[--looped 300]

Candidates and maps are drawn from a seed, float32 in [0, 1]. scipy's loop is timed on the first `--looped` candidates
and its time taken times what is left out, for all of them would take minutes; the results are compared on those. The
ranks are of 100 of scikit-learn's digits, as scanned and enlarged to 14 px, against a digit and against a mean image.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from time import perf_counter

import numpy as np
from scipy import stats
from scipy.ndimage import zoom
from scipy.spatial import distance
from sklearn.datasets import load_digits

from benchmarks.input_optimization_subjects import spread, timed, told
from engine.methods.input_selection.metrics import scores
from engine.methods.input_selection.settings import METRICS
from engine.methods.input_selection.wasserstein import transport

POWER = 3.0
SAME = 1e-6
RANKED = 100
PAIRS: dict[str, Callable[[np.ndarray, np.ndarray], float]] = {
    "dot": lambda own, other: -float(np.dot(own, other)),
    "cosine": distance.cosine,
    "manhattan": distance.cityblock,
    "euclidean": distance.euclidean,
    "minkowski": lambda own, other: distance.minkowski(own, other, POWER),
    "chebyshev": distance.chebyshev,
    "wasserstein": stats.wasserstein_distance,
    "canberra": distance.canberra,
    "bray_curtis": distance.braycurtis,
}


def measure_metrics(candidates: int, values: int, labels: int, rounds: int, looped: int) -> None:
    """Print each metric's times, their ratio, and how far the results are apart."""
    random = np.random.default_rng(0)
    own, maps = random.random((candidates, values), dtype=np.float32), random.random((labels, values))
    print(f"{candidates:,} x {values} against {labels} maps, one thread; the loop on {looped}")
    totals = [[0.0, 0.0] for _ in range(rounds)]
    for metric in METRICS:
        ratios = []
        for total in totals:
            loop, expected = timed(lambda metric=metric: by_pairs(own[:looped], maps, PAIRS[metric]))
            ours, found = timed(lambda metric=metric: scores(own, maps, metric, POWER, "histogram"))
            loop *= candidates / looped
            total[0], total[1] = total[0] + loop, total[1] + ours
            ratios.append(loop / ours)
        apart = float(np.abs(found[:looped] - expected).max())
        told(f"{metric}: {spread(ratios, 'times as fast')}, {apart:.0e} apart{'' if apart <= SAME else ': NOT EQUAL'}")
    told(
        f"all nine: loop {spread([loop for loop, _ in totals], 's')}, ours {spread([ours for _, ours in totals], 's')}"
    )
    told(f"all nine: {spread([loop / ours for loop, ours in totals], 'times as fast')}")


def by_pairs(own: np.ndarray, maps: np.ndarray, pair: Callable[[np.ndarray, np.ndarray], float]) -> np.ndarray:
    """(n, k) pair by pair, as scipy takes them."""
    return np.array([[pair(one, other) for other in maps] for one in own.astype(np.float64)])


def measure_ranks() -> None:
    """Print Spearman's correlation of each quick Wasserstein distance with the exact one."""
    digits = load_digits().images
    larger = np.clip(np.stack([zoom(image, 14 / 8, order=1) for image in digits[: RANKED + 1]]), 0, None)
    for name, images in (("8 px", digits[: RANKED + 1]), ("14 px", larger)):
        flat = images.reshape(len(images), -1)
        shape = (1, *images.shape[1:])
        for whose, other in (("a digit", flat[RANKED:]), ("their mean", flat[:RANKED].mean(axis=0, keepdims=True))):
            begun = perf_counter()
            exact = transport(flat[:RANKED], other, "exact", shape)[:, 0]
            took = perf_counter() - begun
            found = {
                kind: stats.spearmanr(exact, transport(flat[:RANKED], other, kind, shape)[:, 0]).statistic
                for kind in ("sliced", "marginal", "histogram")
            }
            ranks = ", ".join(f"{kind} {rank:.3f}" for kind, rank in found.items())
            told(f"{RANKED} digits of {name} to {whose}, Spearman with exact ({took:.1f} s): {ranks}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--candidates", type=int, default=10_000)
    parser.add_argument("--values", type=int, default=784)
    parser.add_argument("--labels", type=int, default=10)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--looped", type=int, default=300)
    arguments = parser.parse_args()
    measure_metrics(arguments.candidates, arguments.values, arguments.labels, arguments.rounds, arguments.looped)
    measure_ranks()


if __name__ == "__main__":
    main()
