"""Error discovery on MNIST and Fashion-MNIST: the whole chain, and what each weight of the correction comes to.

python -m benchmarks.error_discovery_sets [--data ../shared/data] [--images 12000] [--orders 3]

Two thirds of the images are train, a sixth each diagnosis and test. A small conv net is trained on train; regions are
labelled by three others, trained on all 70,000 images, those of diagnosis and test included. Their training, and that
of the classifier, is counted apart from the chain.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

from benchmarks.error_discovery import print_comparison
from benchmarks.error_discovery_chain import Stages, corrections, discovered, told
from engine.loading.architectures import build
from engine.loading.data_options import DataOptions
from engine.loading.datasets import load_images
from engine.methods.error_discovery.comparison import compare
from engine.methods.error_discovery.oracle import Panel, panel_of
from engine.methods.error_discovery.settings import WEIGHTS
from engine.runs.progress import Progress
from engine.subject.blueprint import Blueprint
from engine.subject.classifier import Classifier
from engine.subject.image_set import ImageSet, Seen
from engine.subject.preprocessing import Preprocessing
from engine.subject.subject import joined
from engine.toolkit.seeding import seeded
from engine.toolkit.training import TrainingSettings, train

SETS = ("mnist", "fashion_mnist")
TRAINING = TrainingSettings(epochs=3, batch_size=64)
ORACLE = TrainingSettings(epochs=2, batch_size=128, learning_rate=4e-3)


def measure(name: str, folder: Path, count: int, orders: int) -> None:
    """The chain on one set, its seconds, and the table of weights."""
    whole = load_images(folder / name, DataOptions(seen="yes"))
    images = cast(whole, count)
    begin = time.perf_counter()
    classifier = trained(images, images.indices("train"), "digits_cnn", 0, TRAINING)
    after = time.perf_counter()
    panel = oracle(whole)
    print(f" classifier {after - begin:.0f} s, oracle {time.perf_counter() - after:.0f} s, both apart", flush=True)
    begin = time.perf_counter()
    subject = joined(classifier.blueprint, images, lambda _: classifier)
    chain = discovered(subject, Stages(), panel)
    print(f"  {told(chain)}", flush=True)
    runs = []
    for order in range(orders):
        stages = replace(chain.stages, correction=replace(chain.stages.correction, order=order))
        runs += corrections(replace(chain, stages=stages), WEIGHTS)
        if order == 0:
            chain.seconds["correction, all arms with one order"] = (
                time.perf_counter() - begin - sum(chain.seconds.values())
            )
            print(f"  {sum(chain.seconds.values()):.0f} s in all: {said(chain.seconds)}", flush=True)
    if runs:
        print_comparison(compare(runs))


def said(seconds: dict[str, float]) -> str:
    """The seconds of each stage."""
    return ", ".join(f"{name} {each:.1f} s" for name, each in seconds.items())


def cast(whole: ImageSet, count: int) -> ImageSet:
    """So many images, drawn at random: two thirds train, a sixth diagnosis, a sixth test."""
    chosen = np.random.default_rng([0, 20]).permutation(len(whole))[:count]
    roles = np.repeat(["train", "diagnosis", "test"], [count - 2 * (count // 6), count // 6, count // 6])
    seen = np.where(roles == "train", Seen.YES, Seen.NO).astype(np.int8)
    return replace(whole.take(chosen), roles=roles, seen=seen)


def oracle(whole: ImageSet) -> Panel:
    """Three nets that were trained on everything."""
    every = np.arange(len(whole))
    nets = ("digits_cnn", "lenet5", "digits_cnn")
    return panel_of([trained(whole, every, net, 10 + place, ORACLE) for place, net in enumerate(nets)], whole.classes)


def trained(images: ImageSet, own: np.ndarray, net: str, seed: int, settings: TrainingSettings) -> Classifier:
    """A net trained on the images at these indices, weights and order drawn from the seed."""
    with seeded(seed):
        network = build(net, len(images.classes), 1)
    preprocessing = Preprocessing(1, 28, 28, (0.3,), (0.3,))
    blueprint = Blueprint(net, net, len(images.classes), 1, images.classes, preprocessing, f"seed {seed}")
    classifier = Classifier(network, blueprint)
    pixels, labels = torch.from_numpy(images.read(own)), torch.from_numpy(images.labels[own])
    train(classifier, pixels, labels, settings, seed, Progress())
    return classifier


def main(words: Sequence[str] | None = None) -> None:
    """Both sets."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--sets", nargs="+", choices=SETS, default=SETS)
    parser.add_argument("--images", type=int, default=12_000)
    parser.add_argument("--orders", type=int, default=3, help="of the corrections' training")
    arguments = parser.parse_args(words)
    print(f"{torch.get_num_threads()} threads")
    for name in arguments.sets:
        print(name)
        measure(name, arguments.data, arguments.images, arguments.orders)


if __name__ == "__main__":
    main()
