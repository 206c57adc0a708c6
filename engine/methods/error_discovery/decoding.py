"""A generator's images and what the classifier answers to them: codes in, pixels or answers out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import safetensors.torch
import torch
from torch import Tensor

from engine.methods.error_discovery.result import Generator
from engine.methods.error_discovery.vae import VAE
from engine.runs.progress import Progress
from engine.subject.classifier import Classifier, resize
from engine.subject.subject import Subject
from engine.toolkit.prediction import batch_size
from engine.toolkit.threads import side_by_side

CPU_CHUNK = 128  # codes decoded and classified at once: larger portions leave a processor's caches
GPU_TIMES = 16  # as many as a batch of real images on an accelerator
DOING = "decoding and classifying"


@dataclass(frozen=True)
class Classified:
    """The classifier's answers: `predictions` (n,) int64 and `probabilities` (n, K) float32."""

    predictions: np.ndarray
    probabilities: np.ndarray


class Decoder:
    """A generator and the classifier that is asked, both in evaluation mode; nothing is drawn.

    Codes are (n, d) arrays and labels (n,) arrays, one each; the labels matter to a conditional generator alone.
    Images are (n, C, H, W) in [0, 1] in the subject's own frame, and the classifier preprocesses them itself.
    """

    def __init__(self, generator: Generator, subject: Subject) -> None:
        self.classifier = subject.classifier
        self.frame = subject.images.frame
        self.network = network_of(generator).to(self.classifier.device)
        self.size = chunk_size(self.classifier)

    def images(self, codes: np.ndarray, labels: np.ndarray) -> Tensor:
        """The images (n, C, H, W), on the classifier's device."""
        device = self.classifier.device
        out = torch.empty(len(codes), self.frame.channels, self.frame.height, self.frame.width, device=device)

        def keep(place: slice, images: Tensor) -> None:
            out[place] = images

        self.in_chunks(codes, labels, keep, Progress())
        return out

    def pixels(self, codes: np.ndarray, labels: np.ndarray) -> np.ndarray:
        """The images as grey levels, uint8 (n, C, H, W)."""
        return self.images(codes, labels).mul_(255).round_().to(torch.uint8).cpu().numpy()

    def classified(self, codes: np.ndarray, labels: np.ndarray, progress: Progress | None = None) -> Classified:
        """The classifier's answers to the decoded images, which are not kept."""
        classes = len(self.classifier.classes)
        found = torch.empty(len(codes), classes, device=self.classifier.device)

        def ask(place: slice, images: Tensor) -> None:
            found[place] = self.classifier(images).float().softmax(dim=1)

        self.in_chunks(codes, labels, ask, progress or Progress())
        return Classified(found.argmax(dim=1).cpu().numpy(), found.cpu().numpy())

    def encode(self, images: Tensor, labels: np.ndarray | None = None) -> np.ndarray:
        """The codes (n, d) float32, the posterior means, of images (n, C, H, W) in [0, 1].

        Without labels a conditional generator is given the classifier's answers.
        """
        device, found = self.classifier.device, []
        with torch.inference_mode():
            for start in range(0, len(images), self.size):
                part = images[start : start + self.size].to(device)
                own = self.classifier(part).argmax(dim=1) if labels is None else labels_on(device, labels, start, part)
                found.append(self.network.encode(shrunk(part, self.network), own)[0].float().cpu())
        dimensions = self.network.from_code.in_features - self.network.classes
        return torch.cat(found).numpy() if found else np.empty((0, dimensions), np.float32)

    def in_chunks(
        self, codes: np.ndarray, labels: np.ndarray, work: Callable[[slice, Tensor], None], progress: Progress
    ) -> None:
        """Call `work` with the place and the images of every portion, several at a time on a processor."""
        flat = torch.from_numpy(np.ascontiguousarray(codes, dtype=np.float32))
        given = torch.from_numpy(np.ascontiguousarray(labels, dtype=np.int64))
        device = self.classifier.device

        def one(place: slice) -> None:
            with torch.inference_mode():
                work(place, self.decoded(flat[place].to(device), given[place].to(device)))

        if device.type == "cpu":
            places = [slice(start, start + self.size) for start in range(0, len(flat), self.size)]
            with side_by_side() as workers:
                for done, _ in enumerate(workers.map(one, places)):
                    progress.report((done + 1) / len(places), DOING)
        else:
            self.one_by_one(one, len(flat), progress)

    def one_by_one(self, one: Callable[[slice], None], count: int, progress: Progress) -> None:
        """Every portion of `count` codes in turn; halved where one doesn't fit into memory."""
        done = 0
        while done < count:
            progress.report(done / count, DOING)
            try:
                one(slice(done, done + self.size))
            except torch.OutOfMemoryError:
                if self.size == 1:
                    raise
                self.size = max(1, self.size // 2)
                progress.note(f"{self.size} images at once: the device's memory was too small for more")
                continue
            done += self.size

    def decoded(self, codes: Tensor, labels: Tensor) -> Tensor:
        """The images of one portion of codes (n, d) with labels (n,), or shares of labels (n, K)."""
        return resize(self.network.decode(codes, labels), self.frame.height, self.frame.width, "bilinear")


def labels_on(device: torch.device, labels: np.ndarray, start: int, part: Tensor) -> Tensor:
    """The labels of the images that begin at `start`."""
    return torch.from_numpy(np.ascontiguousarray(labels[start : start + len(part)], dtype=np.int64)).to(device)


def shrunk(images: Tensor, network: VAE) -> Tensor:
    """Images (n, C, H, W) at the size at which the generator works."""
    return resize(images, network.height, network.width, "bilinear")


def network_of(generator: Generator) -> VAE:
    """The generator's network with its weights, in evaluation mode, taking no gradient."""
    classes = len(generator.classes) if generator.conditional else 0
    network = VAE(generator.channels, generator.height, generator.width, generator.codes.shape[1], classes)
    network.load_state_dict(safetensors.torch.load(generator.weights.tobytes()))
    return network.eval().requires_grad_(False)


def chunk_size(classifier: Classifier) -> int:
    """How many codes are decoded and classified at once."""
    usual = batch_size(classifier)
    return min(usual, CPU_CHUNK) if classifier.device.type == "cpu" else GPU_TIMES * usual
