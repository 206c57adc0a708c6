"""How long errors take to be grouped into regions, and what comes of it.

python -m benchmarks.error_discovery_regions [--codes 10000] [--dimensions 16] [--rounds 3]

Codes are drawn from a seed: three clouds for each of 90 pairs of a label and a prediction, and once all of one pair;
nothing is kept aside. Each way of grouping is timed in the same run, and the adjusted Rand index
tells how well it finds the clouds among the errors that it puts into a region.
"""

from __future__ import annotations

import argparse

import numpy as np
from sklearn.metrics import adjusted_rand_score

from benchmarks.input_optimization_subjects import spread, timed, told
from engine.methods.error_discovery.distillation import distilled
from engine.methods.error_discovery.result import Errors
from engine.methods.error_discovery.settings import DistillationSettings
from engine.runs.progress import Progress

CLASSES, CLOUDS = 10, 3
WIDE = 0.3  # standard deviation of a cloud, where the middles have 1
WAYS = {
    "mixture, diagonal": DistillationSettings(),
    "mixture, full": DistillationSettings(full=True),
    "hdbscan": DistillationSettings("hdbscan"),
    "as published (100 full components over all)": DistillationSettings("published"),
}


def planted(count: int, dimensions: int, one_pair: bool) -> tuple[Errors, np.ndarray]:
    """So many errors, and which cloud each is of."""
    random = np.random.default_rng(0)
    pairs = [(0, 1)] if one_pair else [(a, b) for a in range(CLASSES) for b in range(CLASSES) if a != b]
    middles = random.standard_normal((len(pairs) * CLOUDS, dimensions))
    cloud = random.integers(0, len(middles), count)
    codes = middles[cloud] + WIDE * random.standard_normal((count, dimensions))
    labels, predictions = (np.array(column)[cloud // CLOUDS] for column in zip(*pairs, strict=True))
    units = random.integers(0, max(2, count // 5), count).astype(np.str_)
    nothing = np.zeros(0, np.int64)
    errors = Errors(
        source="generated",
        codes=codes.astype(np.float32),
        ids=units,
        units=units,
        labels=labels,
        predictions=predictions,
        p_prediction=np.ones(count, np.float32),
        p_label=np.zeros(count, np.float32),
        noise=np.ones(count, np.float32),
        agreement=np.ones(count, np.float32),
        aside=np.zeros(count, bool),
        trial_codes=np.zeros((0, dimensions), np.float32),
        trial_units=nothing.astype(np.str_),
        trial_labels=nothing,
        trial_predictions=nothing,
        label_draws=np.zeros(CLASSES, np.int64),
        funnel=(),
        seconds=0.0,
        notes=(),
    )
    return errors, cloud


def measure(codes: int, dimensions: int, rounds: int) -> None:
    """Print seconds, regions, and how well they are the planted clouds."""
    for one_pair in (False, True):
        errors, cloud = planted(codes, dimensions, one_pair)
        what = "one pair" if one_pair else f"{CLASSES * (CLASSES - 1)} pairs"
        told(f"{codes:,} codes of {dimensions} dimensions, {what}, {CLOUDS} clouds each")
        for name, settings in WAYS.items():
            seconds = []
            for _ in range(rounds if settings.method != "published" else 1):
                took, regions = timed(lambda settings=settings, errors=errors: distilled(errors, settings, Progress()))
                seconds.append(took)
            inside = regions.member >= 0
            alike = adjusted_rand_score(cloud[inside], regions.member[inside])
            told(
                f"  {name}: {spread(seconds, 's')}; {len(regions.label)} regions hold {inside.mean():.1%}, "
                f"Rand index {alike:.2f}; {sum(each.converged for each in regions.strata)} of {len(regions.strata)} "
                "settled"
            )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--codes", type=int, default=10_000)
    parser.add_argument("--dimensions", type=int, default=16)
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    measure(arguments.codes, arguments.dimensions, arguments.rounds)


if __name__ == "__main__":
    main()
