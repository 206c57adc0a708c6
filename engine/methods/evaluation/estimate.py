"""How long an evaluation will take, from a few images."""

from __future__ import annotations

import time

import numpy as np
import torch

from engine.methods.evaluation.settings import EvaluationSettings
from engine.subject.subject import Subject
from engine.toolkit.prediction import as_tensor

PROBE_IMAGES, PROBES, MOST_SECONDS = 16, 5, 2.0


def seconds(subject: Subject, settings: EvaluationSettings) -> float:
    """Seconds for the images of the role, at the pace of the fastest of up to five small batches.

    The fastest, because the first one warms the network up, and whatever else the machine does only slows one down.
    """
    indices = subject.images.indices(settings.role)
    few = indices[:: max(1, len(indices) // (PROBE_IMAGES * PROBES))][: PROBE_IMAGES * PROBES]
    paces, begin = [float("inf")], time.perf_counter()
    for part in np.array_split(few, max(1, len(few) // PROBE_IMAGES)):
        start = time.perf_counter()
        with torch.inference_mode():
            subject.classifier(as_tensor(subject.images.read(part), subject.classifier.device))
        paces.append((time.perf_counter() - start) / max(1, len(part)))
        if time.perf_counter() - begin > MOST_SECONDS and len(paces) > 2:
            break
    return min(paces) * len(indices)
