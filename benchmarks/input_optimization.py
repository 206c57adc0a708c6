"""Input optimization against the published procedure, foolbox and the bare passes of its network.

python -m benchmarks.input_optimization [MNIST FOLDER] [--images 60] [--rounds 3] [--only page published passes ...]

On the built-in planted digits and on a small_cnn that is trained on MNIST first. Ratios are measured side by side,
round by round. The page's run comes first, for the first of its rounds has imports in it that a person waits for, too.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

import torch

from benchmarks.input_optimization_costs import measure_page, measure_passes
from benchmarks.input_optimization_distances import measure_margin, measure_minimal
from benchmarks.input_optimization_published import measure_published
from benchmarks.input_optimization_subjects import digits, mnist
from engine.subject.subject import Subject

PARTS = ("page", "published", "passes", "minimal", "margin")
PASSES_ROUNDS = 3  # so many times as many, for the step's time over its passes: they are short


def measure(subject: Subject, arguments: argparse.Namespace) -> None:
    """All parts that were asked for."""
    only, images, rounds = arguments.only, arguments.images, arguments.rounds
    if {"page", "passes", "margin"} & set(only):
        run = measure_page(subject, rounds if "page" in only else 1)
    if "passes" in only:
        measure_passes(subject, run.sweep, PASSES_ROUNDS * rounds)
    if "margin" in only:
        measure_margin(subject, run)
    if "minimal" in only:
        measure_minimal(subject, max(1, images // 3), rounds)
    if "published" in only:
        measure_published(subject, images, rounds)


def main() -> None:
    """Both subjects."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("mnist", type=Path, nargs="?", default=Path("../shared/data/mnist"))
    parser.add_argument("--images", type=int, default=60)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only", nargs="+", choices=PARTS, default=PARTS)
    arguments = parser.parse_args()
    begin = time.perf_counter()
    print(f"{torch.get_num_threads()} threads")
    measure(digits(), arguments)
    if arguments.mnist.is_dir():
        measure(mnist(arguments.mnist), arguments)
    else:
        print(f"there is no folder {arguments.mnist}, so nothing is measured on MNIST")
    print(f"measured in {(time.perf_counter() - begin) / 60:.0f} minutes")


if __name__ == "__main__":
    main()
