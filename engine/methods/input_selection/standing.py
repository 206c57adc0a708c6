"""How a classifier does on images that nothing decides on, and what has changed since the start."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from engine.runs.progress import Progress
from engine.subject.classifier import Classifier
from engine.subject.image_set import ImageSet, Role
from engine.toolkit.prediction import predict
from engine.toolkit.statistics import share_of


@dataclass(frozen=True)
class Standing:
    """The answers to the labelled images of test, (n,) each, and the share of right ones on diagnosis."""

    ids: np.ndarray
    units: np.ndarray
    labels: np.ndarray
    predictions: np.ndarray
    diagnosis_accuracy: float

    @property
    def right(self) -> np.ndarray:
        """(n,) bool, which answers are right."""
        return self.predictions == self.labels

    def recall(self, label: int) -> float:
        """The share of the label's images that are taken for it, NaN without images."""
        return share_of(self.right[self.labels == label])

    def precision(self, label: int) -> float:
        """The share of the label's among images taken for it; 0 where none is taken for it, for it finds nothing."""
        taken = self.predictions == label
        return share_of(self.right[taken]) if taken.any() else 0.0

    def figures(self, targets: tuple[int, ...], before: Standing) -> dict[str, float]:
        """The columns of `Retrained`: over several targets the mean of the labels, NaN where there is nothing."""
        recalls = [self.recall(label) for label in np.unique(self.labels).tolist()]
        return {
            "accuracy": share_of(self.right),
            "target_recall": mean([self.recall(label) for label in targets]),
            "target_precision": mean([self.precision(label) for label in targets]),
            "worst_recall": min(recalls, default=float("nan")),
            "broken": float((before.right & ~self.right).sum()),
            "fixed": float((~before.right & self.right).sum()),
            "diagnosis_accuracy": self.diagnosis_accuracy,
        }


def standing(classifier: Classifier, images: ImageSet, progress: Progress) -> Standing:
    """The classifier's answers; ValueError where no image of test has a label."""
    test, diagnosis = images.labelled(Role.TEST), images.labelled(Role.DIAGNOSIS)
    if not len(test):
        raise ValueError("no labelled image has the role 'test', so nothing could say what the retraining came to")
    both = np.concatenate([test, diagnosis])
    predictions = predict(classifier, images, both, progress).argmax(dim=1).numpy()
    right = predictions == images.labels[both]
    return Standing(
        ids=images.ids[test],
        units=images.units()[test],
        labels=images.labels[test],
        predictions=predictions[: len(test)],
        diagnosis_accuracy=share_of(right[len(test) :]),
    )


def mean(values: list[float]) -> float:
    """The mean of those that are numbers, NaN for none."""
    there = [value for value in values if not np.isnan(value)]
    return float(np.mean(there)) if there else float("nan")
