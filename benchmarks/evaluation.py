"""Evaluation against a bare loop over the same images and network: python -m benchmarks.evaluation [MNIST FOLDER]

From uint8 pixels in memory to the finished Result, and to logits in the bare loop, in turn, on all 10,000 test images.
"""

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch

from engine.loading.architectures import build
from engine.loading.data_options import DataOptions
from engine.loading.datasets import load_images
from engine.methods.evaluation import EVALUATION
from engine.methods.evaluation.settings import EvaluationSettings
from engine.runs.progress import Progress
from engine.subject.blueprint import Blueprint
from engine.subject.classifier import Classifier
from engine.subject.preprocessing import Preprocessing
from engine.subject.subject import Subject, joined
from engine.toolkit.prediction import batch_size

ROUNDS = 9
SIDE = 28


def test_images(folder: Path) -> Subject:
    """MNIST's test images, joined to nothing yet."""
    images = load_images(folder, DataOptions())
    return images.take(np.flatnonzero(images.roles != "train"))


def subject_of(name: str, images) -> Subject:
    """A network with random weights on these images, at their own size."""
    torch.manual_seed(0)
    preprocessing = Preprocessing(1, SIDE, SIDE, (0.1307,), (0.3081,))
    blueprint = Blueprint(name, name, 10, 1, images.classes, preprocessing, "random")
    network = build(name, 10, 1)
    return joined(blueprint, images, lambda blueprint: Classifier(network, blueprint))


def seconds(work: Callable[[], object]) -> float:
    """How long it takes."""
    begin = time.perf_counter()
    work()
    return time.perf_counter() - begin


def measure(name: str, images) -> None:
    """Print the two times and their ratio, round by round."""
    subject = subject_of(name, images)
    classifier, size = subject.classifier, batch_size(subject.classifier)
    pixels = torch.from_numpy(images.read(np.arange(len(images)))).float().div(255)
    tensors = (pixels - 0.1307) / 0.3081

    def bare() -> None:
        with torch.inference_mode():
            for start in range(0, len(tensors), size):
                classifier.network(tensors[start : start + size])

    def ours() -> None:
        EVALUATION.run(subject, EvaluationSettings("all"), {}, Progress())

    bare(), ours()
    pairs = [(seconds(bare), seconds(ours)) for _ in range(ROUNDS)]
    ratios = [own / other for other, own in pairs]
    print(
        f"{name:10} n = {len(images):,}, batches of {size}: bare {statistics.median(b for b, _ in pairs):.3f} s, "
        f"evaluation {statistics.median(o for _, o in pairs):.3f} s, ratio {statistics.median(ratios):.3f} "
        f"({min(ratios):.3f} to {max(ratios):.3f}, {ROUNDS} rounds)"
    )


def main() -> None:
    """Both networks."""
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else "../shared/data/mnist")
    if not folder.is_dir():
        sys.exit(f"there is no folder {folder}; give the one with MNIST's IDX files")
    images = test_images(folder)
    for name in ("lenet5", "resnet18"):
        measure(name, images)


if __name__ == "__main__":
    main()
