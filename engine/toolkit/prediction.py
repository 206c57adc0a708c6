"""A classifier over many images: whole batches, the next ones decoded while the network works."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from functools import cache

import numpy as np
import torch
from torch import Tensor

from engine.runs.progress import Progress
from engine.subject.classifier import Classifier
from engine.subject.image_set import ImageSet

THREADS = os.cpu_count() or 1
AHEAD = 2  # batches decoded before they are needed
BATCH_VALUES = 4_000_000  # numbers in one batch as the network takes it: 26 colour images of 224 px


def batch_size(classifier: Classifier) -> int:
    """Images a batch: small ones by the hundred, large ones so that a batch stays in the tens of megabytes."""
    size = classifier.blueprint.preprocessing
    return max(16, min(256, BATCH_VALUES // (size.channels * size.height * size.width)))


def batches(images: ImageSet, indices: np.ndarray, size: int) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """The indices (n,) and pixels uint8 (n, C, H, W) of each batch, decoded ahead in threads where images are files."""
    parts = [indices[start : start + size] for start in range(0, len(indices), size)]
    if images.pixels.block(indices[:1], images.frame) is not None:
        for part in parts:
            yield part, images.read(part)
        return
    decoders, readers = pools()
    waiting: deque[tuple[np.ndarray, Future[np.ndarray]]] = deque()
    coming = iter(parts)
    for part in parts:
        while len(waiting) <= AHEAD and (following := next(coming, None)) is not None:
            waiting.append((following, readers.submit(images.read, following, decoders)))
        yield part, waiting.popleft()[1].result()


@cache
def pools() -> tuple[ThreadPoolExecutor, ThreadPoolExecutor]:
    """The threads that decode images, and those that put batches together from them; one set for the process.

    New threads for every pass would each keep memory of their own.
    """
    return ThreadPoolExecutor(THREADS, "decoder"), ThreadPoolExecutor(AHEAD, "reader")


def as_tensor(pixels: np.ndarray, device: torch.device) -> Tensor:
    """uint8 pixels (n, C, H, W) as float32 images in [0, 1] on a device."""
    return torch.from_numpy(pixels).to(device).float().mul_(1 / 255)


def in_batches(
    classifier: Classifier,
    images: ImageSet,
    indices: np.ndarray,
    work: Callable[[slice, np.ndarray, np.ndarray], None],
    progress: Progress,
    label: str,
    size: int | None = None,
) -> None:
    """Call `work(place, indices, pixels)` batch by batch: where the batch lies among the indices, and what it is.

    `size` images a batch at first, by default what suits the classifier. Where a batch doesn't fit into memory it is
    halved and done again, and the person is told.
    """
    size, done = size or batch_size(classifier), 0
    while done < len(indices):
        try:
            for part, pixels in batches(images, indices[done:], size):
                progress.report(done / len(indices), label)
                work(slice(done, done + len(part)), part, pixels)
                done += len(part)
        except torch.OutOfMemoryError:
            if size == 1:
                raise
            size = max(1, size // 2)
            progress.note(f"the batch was halved to {size} images: the device's memory was too small for more")
    progress.report(1.0, label)


def predict(
    classifier: Classifier,
    images: ImageSet,
    indices: np.ndarray,
    progress: Progress,
    label: str = "classifying",
) -> Tensor:
    """The logits (n, classes), float32 on the CPU, of the images at these indices; in halved batches where need be."""
    out = torch.empty(len(indices), len(classifier.classes))

    def work(place: slice, _part: np.ndarray, pixels: np.ndarray) -> None:
        out[place] = classifier(as_tensor(pixels, classifier.device)).float().cpu()

    with torch.inference_mode():
        in_batches(classifier, images, indices, work, progress, label)
    return out
