"""Maps against grad-cam's, same rule, network, layer and batches, and the memory that many batches take.

python -m benchmarks.cam_maps [--images 512] [--rounds 3] [--batches 100] [--rules gradcam hirescam]

A ResNet-18 at 224 px with weights and images drawn from a seed. Both begin with what the network takes, in memory, and
end with maps of 224 px from 0 to 1, as grad-cam gives them back. Ratios are measured side by side, round by round.
"""

from __future__ import annotations

import argparse
import os
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from pytorch_grad_cam import GradCAM, HiResCAM
from pytorch_grad_cam.base_cam import BaseCAM
from torch import Tensor

from benchmarks.input_optimization_subjects import spread, timed, told
from engine.loading.architectures import build
from engine.methods.cam_training.layers import find_layer
from engine.methods.cam_training.map_layer import MapLayer
from engine.methods.cam_training.settings import NOTHING, PREDICTION
from engine.methods.cam_training.variants import maps_of
from engine.subject.blueprint import Blueprint
from engine.subject.classifier import Classifier
from engine.subject.preprocessing import Preprocessing
from engine.toolkit.prediction import batch_size
from engine.toolkit.seeding import seeded

SIDE, CLASSES = 224, 10
THEIRS: dict[str, type[BaseCAM]] = {"gradcam": GradCAM, "hirescam": HiResCAM}
SAME = 1e-4  # of a map from 0 to 1
MEMORY_IMAGES, FIRST = 4, 10  # images a batch where memory is measured; the batch after which it should be level


def classifier_and_layer() -> tuple[Classifier, MapLayer]:
    """A ResNet-18 that was never trained, and its last map. It takes images as they are, so nobody normalises."""
    with seeded(0):
        network = build("resnet18", CLASSES, 3)
    names = tuple(str(number) for number in range(CLASSES))
    preprocessing = Preprocessing(3, SIDE, SIDE, (0.0,) * 3, (1.0,) * 3)
    classifier = Classifier(
        network, Blueprint("resnet18", "resnet18", CLASSES, 3, names, preprocessing, "drawn")
    ).eval()
    return classifier, find_layer(classifier, images_of(2))


def images_of(count: int) -> Tensor:
    """(count, 3, 224, 224) in [0, 1], coarse patches under fine noise, so that maps differ from place to place."""
    draws = torch.Generator().manual_seed(1)
    coarse = torch.rand(count, 3, SIDE // 32, SIDE // 32, generator=draws)
    return 0.8 * coarse.repeat_interleave(32, 2).repeat_interleave(32, 3) + 0.2 * torch.rand(
        count, 3, SIDE, SIDE, generator=draws
    )


def our_maps(classifier: Classifier, layer: MapLayer, rule: str, parts: list[Tensor]) -> np.ndarray:
    """(N, 224, 224) from 0 to 1, of the predicted class."""
    found = []
    for part in parts:
        labels = torch.full((len(part),), -1)
        maps = maps_of(classifier, layer, None, part, labels, rule, PREDICTION, NOTHING).maps
        large = F.interpolate(scaled(maps.relu())[:, None], (SIDE, SIDE), mode="bilinear")[:, 0]
        found.append(scaled(large).numpy())
    return np.concatenate(found)


def scaled(maps: Tensor) -> Tensor:
    """Each map (n, h, w) from 0 to 1."""
    low, high = maps.amin(dim=(1, 2), keepdim=True), maps.amax(dim=(1, 2), keepdim=True)
    return (maps - low) / (high - low).clamp(min=1e-7)


def their_maps(classifier: Classifier, layer: MapLayer, rule: str, parts: list[Tensor]) -> np.ndarray:
    """The same by grad-cam."""
    with THEIRS[rule](classifier.network, [classifier.network.get_submodule(layer.name)]) as cam:
        return np.concatenate([cam(input_tensor=part, targets=None) for part in parts])


def measure_throughput(rule: str, count: int, rounds: int) -> None:
    """Print both times, their ratio, and how far the maps are apart."""
    classifier, layer = classifier_and_layer()
    size = batch_size(classifier)
    parts = list(images_of(count).split(size))
    our_maps(classifier, layer, rule, parts[:1]), their_maps(classifier, layer, rule, parts[:1])
    seconds, apart = [], 0.0
    for _ in range(rounds):
        theirs, expected = timed(lambda: their_maps(classifier, layer, rule, parts))
        ours, found = timed(lambda: our_maps(classifier, layer, rule, parts))
        seconds.append((theirs, ours))
        apart = max(apart, float(np.abs(found - expected).max()))
    print(f"{rule}: {count} images of {SIDE} px at {layer.name}, batches of {size}, {torch.get_num_threads()} threads")
    told(f"grad-cam {spread([each for each, _ in seconds], 's')}, ours {spread([each for _, each in seconds], 's')}")
    told(f"ours has {spread([other / own for other, own in seconds], 'times its throughput')}")
    told(f"maps at most {apart:.1e} apart: {'equal' if apart <= SAME else 'NOT EQUAL'}")


def measure_memory(rule: str, batches: int) -> None:
    """Print the memory that the process holds after the tenth batch and after the last."""
    classifier, layer = classifier_and_layer()
    images = images_of(MEMORY_IMAGES)
    held = 0.0
    for batch in range(1, batches + 1):
        our_maps(classifier, layer, rule, [images])
        if batch == min(FIRST, batches):
            held = resident()
    print(
        f"{rule}: memory held after batch {min(FIRST, batches)}: {held:.0f} MiB, after {batches}: {resident():.0f} MiB"
    )


def resident() -> float:
    """MiB of memory that the process holds now (Linux)."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


def main() -> None:
    """Throughput, then memory."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--images", type=int, default=512)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--batches", type=int, default=100)
    parser.add_argument("--rules", nargs="+", choices=THEIRS, default=list(THEIRS))
    arguments = parser.parse_args()
    for rule in arguments.rules:
        measure_throughput(rule, arguments.images, arguments.rounds)
        measure_memory(rule, arguments.batches)


if __name__ == "__main__":
    main()
