"""Evaluation on image files against torchvision's ImageFolder and DataLoader, and the memory it takes.

python -m benchmarks.photographs [--images 5000 20000] [--architectures mobilenet_v3_small]

Photograph-like JPEGs are drawn into a temporary folder that is removed at the end. Memory is measured for each number
of images, times on the first one: the whole of it once, and a part of it in turn, several times.
"""

from __future__ import annotations

import argparse
import io
import os
import resource
import statistics
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import TypeVar

import numpy as np
import torch
from PIL import Image
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset, Subset
from torchvision import datasets, transforms

from engine.loading.architectures import build, default_preprocessing
from engine.loading.data_options import DataOptions
from engine.loading.datasets import load_images
from engine.methods.evaluation import EVALUATION
from engine.methods.evaluation.result import Evaluation
from engine.methods.evaluation.settings import EvaluationSettings
from engine.runs.progress import Progress
from engine.subject.blueprint import Blueprint
from engine.subject.classifier import Classifier
from engine.subject.image_set import ImageSet
from engine.subject.subject import Subject, joined
from engine.toolkit.prediction import THREADS, batch_size

T = TypeVar("T")
ROUNDS = 7
ROUND_IMAGES = 1_000  # of the part that is measured in turn
COMPARED = 64  # images whose pixels are compared one by one
CLASSES, SIDE, QUALITY = 10, 224, 90
SCALES = ((4, 1.0), (16, 0.5), (64, 0.25))  # side of a random field, and its weight
NOISE = 8  # levels up or down; with it a file has about 15 kB


def photograph(seed: int) -> bytes:
    """A JPEG with the look of a photograph to a decoder: smooth fields of three scales, and noise."""
    generator = np.random.default_rng(seed)
    levels = np.zeros((SIDE, SIDE, 3), np.float32)
    for side, weight in SCALES:
        field = Image.fromarray(generator.integers(0, 256, (side, side, 3), dtype=np.uint8))
        levels += weight * np.asarray(field.resize((SIDE, SIDE), Image.Resampling.BICUBIC), dtype=np.float32)
    levels /= sum(weight for _, weight in SCALES)
    levels += generator.integers(-NOISE, NOISE + 1, levels.shape, dtype=np.int8)
    file = io.BytesIO()
    Image.fromarray(levels.clip(0, 255).astype(np.uint8)).save(file, "JPEG", quality=QUALITY)
    return file.getvalue()


def write_photographs(folder: Path, count: int) -> None:
    """As many photographs, in folders of ten classes."""
    for label in range(CLASSES):
        (folder / f"class_{label}").mkdir(parents=True)
    with ProcessPoolExecutor(THREADS, get_context("spawn")) as processes:
        for index, content in enumerate(processes.map(photograph, range(count), chunksize=50)):
            (folder / f"class_{index % CLASSES}" / f"{index:06}.jpg").write_bytes(content)


def subject_of(architecture: str, images: ImageSet) -> Subject:
    """A network with random weights on these images.

    Batch normalisation takes its figures from a few of the images; without that, random weights say the same of all.
    """
    torch.manual_seed(0)
    network = build(architecture, CLASSES, 3)
    blueprint = Blueprint(
        architecture, architecture, CLASSES, 3, images.classes, default_preprocessing(architecture, 3), "random"
    )
    subject = joined(blueprint, images, lambda blueprint: Classifier(network, blueprint))
    few = subject.images.read(np.arange(0, len(images), max(1, len(images) // COMPARED)))
    subject.classifier.train()
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.momentum = None  # the mean of what comes, not a moving one
        if isinstance(module, nn.Dropout):
            module.eval()
    with torch.inference_mode():
        subject.classifier(torch.from_numpy(few).float().div(255))
    subject.classifier.eval()
    return subject


def evaluated(subject: Subject) -> Evaluation:
    """Our way: from files to the finished result."""
    return EVALUATION.run(subject, EvaluationSettings("all"), {}, Progress())


def image_folder(folder: Path, subject: Subject) -> datasets.ImageFolder:
    """torchvision's way to the same images."""
    wanted = subject.blueprint.preprocessing
    return datasets.ImageFolder(
        folder,
        transforms.Compose(
            [
                transforms.Resize(int(wanted.height / wanted.crop_share)),
                transforms.CenterCrop(wanted.height),
                transforms.ToTensor(),
                transforms.Normalize(wanted.mean, wanted.std),
            ]
        ),
    )


def classified(network: nn.Module, files: Dataset, batch: int) -> tuple[Tensor, float]:
    """torchvision's way: the logits (n, classes) and the accuracy."""
    logits, labels = [], []
    with torch.inference_mode():
        for images, targets in DataLoader(files, batch_size=batch, num_workers=THREADS):
            logits.append(network(images))
            labels.append(targets)
    outputs = torch.cat(logits)
    return outputs, (outputs.argmax(dim=1) == torch.cat(labels)).float().mean().item()


def timed(work: Callable[[], T]) -> tuple[float, T]:
    """Its seconds, and what it gives."""
    begin = time.perf_counter()
    answer = work()
    return time.perf_counter() - begin, answer


def agreement(subject: Subject, folder: Path, ours: Evaluation, theirs: Tensor) -> str:
    """Whether both ways saw the same pixels and said the same."""
    images = subject.images
    files = datasets.ImageFolder(folder, transforms.Compose(image_folder(folder, subject).transform.transforms[:2]))
    few = np.linspace(0, len(images) - 1, min(COMPARED, len(images))).astype(int)
    same = [np.array_equal(np.asarray(files[i][0]).transpose(2, 0, 1), images.read([i])[0]) for i in few.tolist()]
    apart = (torch.from_numpy(ours.confidence) - theirs.softmax(dim=1).amax(dim=1)).abs().max()
    kinds = len(set(ours.predictions.tolist()))
    return (
        f"equal predictions {np.mean(ours.predictions == theirs.argmax(dim=1).numpy()):.2%} ({kinds} classes "
        f"predicted), confidence apart by at most {apart:.1g}, images with identical pixels {np.mean(same):.1%} "
        f"of {len(few)}"
    )


def measure_times(folder: Path, images: ImageSet, architecture: str) -> None:
    """The whole once, then a part of it in turn."""
    subject = subject_of(architecture, images)
    network, batch = subject.classifier.network, batch_size(subject.classifier)
    files = image_folder(folder, subject)
    if [name for name, _ in files.samples] != [str(folder / name) for name in images.names]:
        raise RuntimeError("the two ways hand the images out in different orders")
    own, ours = timed(partial(evaluated, subject))
    other, (theirs, accuracy) = timed(partial(classified, network, files, batch))
    print(f"{architecture}, n = {len(images):,}, batches of {batch}, {THREADS} threads or workers:")
    print(f"  whole, once: torchvision {other:.1f} s, evaluation {own:.1f} s, ratio {own / other:.3f}")
    print(
        f"  accuracy {ours.summary.accuracy.value:.4f} and {accuracy:.4f}, {agreement(subject, folder, ours, theirs)}"
    )
    rows = np.arange(0, len(images), max(1, len(images) // ROUND_IMAGES))
    part = Subject(subject.blueprint, subject.images.take(rows), subject.build)
    few = Subset(files, rows.tolist())
    pairs = [
        (timed(partial(classified, network, few, batch))[0], timed(partial(evaluated, part))[0]) for _ in range(ROUNDS)
    ]
    ratios = [own / other for other, own in pairs]
    print(f"  n = {len(rows):,}, ratio by round: {', '.join(f'{ratio:.3f}' for ratio in ratios)}")
    print(
        f"  torchvision {statistics.median(other for other, _ in pairs):.2f} s, evaluation "
        f"{statistics.median(own for _, own in pairs):.2f} s, ratio {statistics.median(ratios):.3f} (medians)"
    )


def peaks(folder: Path, architecture: str) -> list[float]:
    """Peak memory of the process in MiB: at first, after loading, and after the evaluation."""

    def peak() -> float:
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024  # Linux counts in KiB

    answers = [peak()]
    images = load_images(folder, DataOptions())
    answers.append(peak())
    evaluated(subject_of(architecture, images))
    return [*answers, peak()]


def measure_memory(folder: Path, count: int, architecture: str) -> None:
    """Loading and evaluation in a process of its own."""
    with ProcessPoolExecutor(1, get_context("spawn")) as process:
        first, loaded, done = process.submit(peaks, folder, architecture).result()
    print(
        f"peak memory, {architecture}, n = {count:,}: {first:.0f} MiB with all imports, {loaded:.0f} MiB after "
        f"loading, {done:.0f} MiB after the evaluation"
    )


def main() -> None:
    """Memory first: a process begins with the peak of the one that started it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--images", type=int, nargs="+", default=[5_000, 20_000])
    parser.add_argument("--architectures", nargs="+", default=["mobilenet_v3_small"])
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="photographs-") as temporary:
        folders = {count: Path(temporary) / str(count) for count in arguments.images}
        for count, folder in folders.items():
            seconds, _ = timed(partial(write_photographs, folder, count))
            size = sum(os.path.getsize(file) for file in folder.rglob("*.jpg")) / count / 1000
            print(f"{count:,} JPEGs of {SIDE} x {SIDE} and on average {size:.1f} kB drawn in {seconds:.0f} s")
        for count, folder in folders.items():
            measure_memory(folder, count, arguments.architectures[0])
        folder = folders[arguments.images[0]]
        scan, _ = timed(partial(datasets.ImageFolder, folder))
        load, images = timed(partial(load_images, folder, DataOptions()))
        print(f"loading {len(images):,} files: ours, which reads, decodes and hashes each, {load:.2f} s; ", end="")
        print(f"ImageFolder, which lists them, {scan:.2f} s")
        for architecture in arguments.architectures:
            measure_times(folder, images, architecture)


if __name__ == "__main__":
    main()
