"""How long an evaluation will take, from a few images."""

from __future__ import annotations

import time

import numpy as np
import torch

from engine.methods.evaluation.settings import EvaluationSettings
from engine.subject.subject import Subject
from engine.toolkit.prediction import as_tensor

PROBE_IMAGES = 4


def seconds(subject: Subject, settings: EvaluationSettings) -> float:
    """Seconds for the images of the role, read and classified at the pace of the second of two small batches."""
    indices = subject.images.indices(settings.role)
    few = indices[:: max(1, len(indices) // (2 * PROBE_IMAGES))]
    gone = 0.0
    for part in np.array_split(few[: 2 * PROBE_IMAGES], 2):
        begin = time.perf_counter()
        with torch.inference_mode():
            subject.classifier(as_tensor(subject.images.read(part), subject.classifier.device))
        gone = (time.perf_counter() - begin) / max(1, len(part))
    return gone * len(indices)
