"""What the classifier's last layer is given, and its answers, in one pass."""

from __future__ import annotations

from contextlib import ExitStack

import numpy as np
import torch
from torch import Tensor, nn

from engine.runs.progress import Progress
from engine.subject.subject import Subject
from engine.toolkit.prediction import as_tensor, in_batches
from engine.toolkit.taps import inputs_of, last_layer


class LastLayer:
    """The inputs of the last linear or convolutional layer, maps averaged over their places, and the logits."""

    def __init__(self, subject: Subject) -> None:
        self.subject = subject
        self.classifier = subject.classifier
        frame = subject.images.frame
        with torch.inference_mode():
            empty = torch.zeros(1, frame.channels, frame.height, frame.width, device=self.classifier.device)
            self.layer = last_layer(self.classifier, empty)

    def of_images(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """Features (n, D) and logits (n, K), float32 on the CPU, of images (n, C, H, W) in [0, 1]."""
        with ExitStack() as stack:
            stack.enter_context(torch.inference_mode())
            seen = stack.enter_context(inputs_of(self.layer))
            logits = self.classifier(images.to(self.classifier.device))
        found = seen[-1].float()
        if found.ndim > 2:  # a map's places, or a transformer's tokens
            found = found.mean(dim=(2, 3)) if isinstance(self.layer, nn.Conv2d) else found.flatten(1, -2).mean(dim=1)
        return found.cpu(), logits.float().cpu()

    def of(self, indices: np.ndarray, progress: Progress, label: str) -> tuple[np.ndarray, np.ndarray]:
        """Features (n, D) and logits (n, K), float32, of the subject's images at these indices (n,)."""
        features: list[Tensor] = [torch.empty(0)] * len(indices)
        logits = torch.empty(len(indices), len(self.classifier.classes))

        def work(place: slice, _part: np.ndarray, pixels: np.ndarray) -> None:
            found, logits[place] = self.of_images(as_tensor(pixels, self.classifier.device))
            features[place] = list(found)

        in_batches(self.classifier, self.subject.images, indices, work, progress, label)
        together = torch.stack(features) if features else torch.empty(0, 0)
        return together.numpy(), logits.numpy()
