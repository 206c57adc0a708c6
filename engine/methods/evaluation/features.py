"""Penultimate features, and which images lie nearest in them."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn

from engine.methods.evaluation.result import Features
from engine.methods.evaluation.settings import FeatureSettings
from engine.runs.progress import Progress
from engine.subject.classifier import Classifier
from engine.subject.image_set import ImageSet
from engine.subject.subject import Subject
from engine.toolkit.prediction import as_tensor, batch_size, batches
from engine.toolkit.taps import inputs_of, last_layer


def features(subject: Subject, settings: FeatureSettings, progress: Progress) -> Features:
    """What the last layer sees of a role's images; raises ValueError where there are none."""
    indices = subject.images.indices(settings.role)
    if len(indices) == 0:
        raise ValueError(f"no image has the role {settings.role!r}, so there are no neighbours to show")
    if len(indices) > settings.most_images:  # ids are hashes: their order is a fair draw that never changes
        indices = np.sort(indices[np.argsort(subject.images.ids[indices])[: settings.most_images]])
    vectors = penultimate(subject.classifier, subject.images, indices, progress)
    return Features(subject.images.ids[indices], vectors)


def penultimate(classifier: Classifier, images: ImageSet, indices: np.ndarray, progress: Progress) -> np.ndarray:
    """The input of the last linear or convolutional layer, (n, D) float32 scaled to length 1; maps are averaged."""
    parts: list[Tensor] = []
    done = 0
    with torch.inference_mode():
        frame = images.frame
        empty = torch.zeros(1, frame.channels, frame.height, frame.width, device=classifier.device)
        layer = last_layer(classifier, empty)
        for part, pixels in batches(images, indices, batch_size(classifier)):
            progress.report(done / len(indices), "computing features")
            with inputs_of(layer) as seen:
                classifier(as_tensor(pixels, classifier.device))
            vectors = seen[-1].float()
            if vectors.ndim > 2:  # a map's places, or a transformer's tokens
                vectors = (
                    vectors.mean(dim=(2, 3)) if isinstance(layer, nn.Conv2d) else vectors.flatten(1, -2).mean(dim=1)
                )
            parts.append(torch.nn.functional.normalize(vectors, dim=1).cpu())
            done += len(part)
    progress.report(1.0, "computing features")
    return torch.cat(parts).numpy()


def nearest(features: Features, vector: np.ndarray, count: int) -> tuple[np.ndarray, np.ndarray]:
    """The ids (count,) of the nearest images, nearest first, and their cosine similarity (count,) in [-1, 1].

    vector (D,) has length 1, as the features have.
    """
    similarity = features.vectors @ vector
    order = np.argsort(-similarity, kind="stable")[:count]
    return features.ids[order], similarity[order]
