"""Looking into the layers of a four-tap conv net: what the pass, its preview and the final probes cost.

python -m benchmarks.input_selection_layers [--mnist ../shared/data/mnist] [--images 10000] [--held 5000] [--rounds 3]

A small_cnn trained on MNIST for one epoch. The preview is the pass with ridge probes, against one plain pass over the
same images. The softmax probes are held against scikit-learn's logistic regression, tap by tap on the same cached
features (standardised; its defaults, and our penalty), fitted and asked for held-out answers; all of our step, which
standardises, looks for gaps out of fold and compares the probes besides, is told beside it. Pass included it is held
against forwarding the images again for each probe in each of three epochs, as the replication of MODE does: in batches
of 32, through the layers up to the probe and no others, and once more to score. Measured side by side, round by round.
"""

from __future__ import annotations

import argparse
import warnings
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from torch import Tensor, nn

from benchmarks.input_optimization_subjects import spread, timed, told
from engine.loading.architectures import build
from engine.loading.data_options import DataOptions
from engine.loading.datasets import load_images
from engine.methods.input_selection.blocks import Block, blocks
from engine.methods.input_selection.linear_probe import scaling_of
from engine.methods.input_selection.probes import probed
from engine.methods.input_selection.result import Probes, TappedRole, Taps
from engine.methods.input_selection.settings import ProbeSettings, TapSettings
from engine.methods.input_selection.softmax_probes import PENALTY, softmax_probe
from engine.methods.input_selection.tapping import tapped
from engine.runs.progress import Progress
from engine.subject.blueprint import Blueprint
from engine.subject.classifier import Classifier
from engine.subject.preprocessing import Preprocessing
from engine.subject.subject import Subject, joined
from engine.toolkit.prediction import as_tensor, predict
from engine.toolkit.seeding import seeded
from engine.toolkit.training import TrainingSettings, train

EPOCHS, BATCH, RATE = 3, 32, 1e-3  # of the replication's probes


def subject_of(folder: Path, count: int, held: int) -> Subject:
    """So many of MNIST's train images and test images as train and diagnosis, and a small_cnn trained on the former."""
    images = load_images(folder, DataOptions(seen="yes"))
    own, others = np.flatnonzero(images.roles == "train")[:count], np.flatnonzero(images.roles != "train")[:held]
    images = images.take(np.concatenate([own, others]))
    images = replace(images, roles=np.repeat(["train", "diagnosis"], [len(own), len(others)]))
    with seeded(0):
        network = build("small_cnn", 10, 1)
    preprocessing = Preprocessing(1, 28, 28, (0.1307,), (0.3081,))
    classifier = Classifier(network, Blueprint("small_cnn", "small_cnn", 10, 1, images.classes, preprocessing, "drawn"))
    indices = images.indices("train")
    pixels, labels = torch.from_numpy(images.read(indices)), torch.from_numpy(images.labels[indices])
    train(classifier, pixels, labels, TrainingSettings(epochs=1), 0, Progress())
    return joined(classifier.blueprint, images, lambda _: classifier)


def looked_into(subject: Subject, kind: str) -> tuple[Taps, Probes]:
    """The pass, and probes of this kind."""
    taps = tapped(subject, TapSettings(images=len(subject.images)), Progress())
    return taps, probed(taps, ProbeSettings(kind), Progress())


def both_roles(taps: Taps) -> tuple[TappedRole, TappedRole]:
    """Train and diagnosis."""
    fitted, held = taps.role("train"), taps.role("diagnosis")
    assert fitted is not None
    assert held is not None
    return fitted, held


def standardised(taps: Taps) -> list[tuple[np.ndarray, np.ndarray]]:
    """Each tap's features of train and diagnosis, float32, with mean 0 and standard deviation 1 on train."""
    fitted, held = both_roles(taps)
    scalings = [scaling_of(features) for features in fitted.features]
    return [(s.of(a), s.of(b)) for s, a, b in zip(scalings, fitted.features, held.features, strict=True)]


def scikit_learns(features: list[tuple[np.ndarray, np.ndarray]], taps: Taps, strength: float) -> np.ndarray:
    """The accuracy on diagnosis of its logistic regression on each tap's features, C being `strength`."""
    fitted, held = both_roles(taps)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        fits = [LogisticRegression(C=strength).fit(own, fitted.labels) for own, _ in features]
    return np.array([fit.score(others, held.labels) for fit, (_, others) in zip(fits, features, strict=True)])


def our_own(features: list[tuple[np.ndarray, np.ndarray]], taps: Taps) -> np.ndarray:
    """The accuracy on diagnosis of our softmax probes of each tap's features."""
    fitted, held = both_roles(taps)
    fits = [softmax_probe(own, fitted.labels, len(taps.classes)) for own, _ in features]
    right = [fit.scores(others).argmax(axis=1) == held.labels for fit, (_, others) in zip(fits, features, strict=True)]
    return np.mean(right, axis=1)


def forwarded_again(subject: Subject) -> np.ndarray:
    """(T, 2) the accuracy on train and diagnosis of probes, for each of which the network runs up to it each time."""
    images, classifier = subject.images, subject.classifier
    indices = [images.indices(role) for role in ("train", "diagnosis")]
    pixels = [as_tensor(images.read(own), classifier.device) for own in indices]
    labels = [torch.from_numpy(images.labels[own]) for own in indices]
    right = []
    for block in blocks(classifier, pixels[0][:4], TapSettings().values):
        probe = probe_of(classifier, block, pixels[0], labels[0])
        with torch.inference_mode():
            scores = [
                torch.cat([probe(part_of(classifier, block, part)) for part in each.split(256)]) for each in pixels
            ]
        right.append(
            [float((s.argmax(dim=1) == known).float().mean()) for s, known in zip(scores, labels, strict=True)]
        )
    return np.array(right)


def probe_of(classifier: Classifier, block: Block, images: Tensor, labels: Tensor) -> nn.Linear:
    """A softmax layer on the block, trained by Adam."""
    draws = torch.Generator().manual_seed(0)
    probe = nn.Linear(block.channels * block.grid**2, len(classifier.classes))
    optimiser = torch.optim.Adam(probe.parameters(), lr=RATE)
    for _ in range(EPOCHS):
        for part in torch.randperm(len(images), generator=draws).split(BATCH):
            with torch.no_grad():
                features = part_of(classifier, block, images[part])
            optimiser.zero_grad()
            F.cross_entropy(probe(features), labels[part]).backward()
            optimiser.step()
    return probe


def part_of(classifier: Classifier, block: Block, images: Tensor) -> Tensor:
    """The block's reduced output, of the network's layers up to it and no others."""
    layers = classifier.network.get_submodule("features")
    assert isinstance(layers, nn.Sequential)
    last = int(block.name.removeprefix("features."))
    return block.reduced(layers[: last + 1](classifier.preprocess(images)))


def measure(subject: Subject, rounds: int) -> None:
    """Print every time and ratio."""
    every = np.arange(len(subject.images))
    predict(subject.classifier, subject.images, every[:512], Progress())
    plain, preview, whole, step, ours, theirs, alike, again = ([] for _ in range(8))
    for _ in range(rounds):
        plain.append(timed(lambda: predict(subject.classifier, subject.images, every, Progress()))[0])
        preview.append(timed(lambda: looked_into(subject, "ridge"))[0])
        seconds, (taps, _) = timed(lambda: looked_into(subject, "softmax"))
        whole.append(seconds)
        step.append(timed(lambda taps=taps: probed(taps, ProbeSettings("softmax"), Progress()))[0])
        features = standardised(taps)
        seconds, our_right = timed(lambda taps=taps, features=features: our_own(features, taps))
        ours.append(seconds)
        seconds, right = timed(lambda taps=taps, features=features: scikit_learns(features, taps, 1.0))
        theirs.append(seconds)
        seconds, alike_right = timed(lambda taps=taps, features=features: scikit_learns(features, taps, 1 / PENALTY))
        alike.append(seconds)
        seconds, again_right = timed(lambda: forwarded_again(subject))
        again.append(seconds)
    told(f"plain pass {spread(plain, 's')}; preview {spread(preview, 's')}: {ratio(preview, plain)} a plain pass")
    told(f"softmax probes {spread(ours, 's')}, held-out accuracy {shown(our_right)}")
    told(f"scikit-learn {spread(theirs, 's')}, {shown(right)}: {ratio(theirs, ours)} ours")
    told(f"all of our step {spread(step, 's')}: scikit-learn {ratio(theirs, step)} that")
    told(f"with our penalty {spread(alike, 's')}, {shown(alike_right)}: {ratio(alike, ours)} ours")
    told(f"forwarded again for each probe {spread(again, 's')}, {shown(again_right[:, 1])}: {ratio(again, whole)} ours")


def ratio(seconds: list[float], others: list[float]) -> str:
    """How many times the others, round by round."""
    return spread([a / b for a, b in zip(seconds, others, strict=True)], "times")


def shown(accuracy: np.ndarray) -> str:
    """The taps' accuracies in a row."""
    return " ".join(f"{each:.4f}" for each in accuracy)


def main() -> None:
    """Make the subject, then measure."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--mnist", type=Path, default=Path("../shared/data/mnist"))
    parser.add_argument("--images", type=int, default=10_000)
    parser.add_argument("--held", type=int, default=5_000)
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    subject = subject_of(arguments.mnist, arguments.images, arguments.held)
    print(f"{arguments.images:,} images to fit, {arguments.held:,} held out, {torch.get_num_threads()} threads")
    measure(subject, arguments.rounds)


if __name__ == "__main__":
    main()
