"""Which of the evaluated images a person wants to see, and in what order."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from engine.methods.evaluation.result import Evaluation
from engine.subject.image_set import ImageSet


class Order(StrEnum):
    """What comes first. Images without a label have no loss and come last."""

    LOSS = "highest loss"
    UNSURE = "least confident"
    SURE = "most confident"
    NAME = "file name"


@dataclass(frozen=True)
class Filter:
    """Conditions that all hold; one that isn't given holds for every image.

    `labels` and `predictions` are class numbers (-1: without a label), `cells` pairs of the two; `right` True or
    False shows only right or wrong answers; confidence is in [0, 1]; of the `ranges` (right, low, high) one at least
    holds; `name_has` is part of a file name, case ignored; `ids` are sample ids, None for any.
    """

    labels: tuple[int, ...] | None = None
    predictions: tuple[int, ...] | None = None
    cells: tuple[tuple[int, int], ...] = ()
    right: bool | None = None
    confidence_low: float = 0.0
    confidence_high: float = 1.0
    ranges: tuple[tuple[bool, float, float], ...] = ()
    name_has: str = ""
    ids: tuple[str, ...] | None = None
    order: Order = Order.LOSS


def matching(evaluation: Evaluation, images: ImageSet, wanted: Filter) -> np.ndarray:
    """The rows (n,) of the evaluation that fit, in the wanted order; ties in the images' own order."""
    fits = np.ones(len(evaluation.ids), dtype=bool)
    if wanted.labels is not None:
        fits &= np.isin(evaluation.labels, wanted.labels)
    if wanted.predictions is not None:
        fits &= np.isin(evaluation.predictions, wanted.predictions)
    if wanted.cells:
        cell = evaluation.labels * len(evaluation.classes) + evaluation.predictions
        fits &= np.isin(cell, [label * len(evaluation.classes) + prediction for label, prediction in wanted.cells])
    if wanted.right is not None:
        fits &= (evaluation.labels >= 0) & (evaluation.wrong != wanted.right)
    fits &= (evaluation.confidence >= wanted.confidence_low) & (evaluation.confidence <= wanted.confidence_high)
    if wanted.ranges:
        known, sure = evaluation.labels >= 0, evaluation.confidence
        parts = [
            known & (evaluation.wrong != right) & (sure >= low) & (sure <= high) for right, low, high in wanted.ranges
        ]
        fits &= np.any(parts, axis=0)
    if wanted.ids is not None:
        fits &= np.isin(evaluation.ids, np.array(wanted.ids, dtype=np.str_))
    rows = np.flatnonzero(fits)
    if wanted.name_has:
        part = wanted.name_has.lower()
        names = file_names(evaluation, images, rows)
        rows = rows[[part in name.lower() for name in names]]
    return rows[np.argsort(sort_key(evaluation, images, rows, wanted.order), kind="stable")]


def sort_key(evaluation: Evaluation, images: ImageSet, rows: np.ndarray, order: Order) -> np.ndarray:
    """What the rows (n,) are sorted by, smallest first."""
    if order == Order.LOSS:
        return np.nan_to_num(-evaluation.loss[rows], nan=np.inf)
    if order == Order.NAME:
        return np.array(file_names(evaluation, images, rows), dtype=np.str_)
    return evaluation.confidence[rows] * (1 if order == Order.UNSURE else -1)


def file_names(evaluation: Evaluation, images: ImageSet, rows: np.ndarray) -> list[str]:
    """The file names of these rows of the evaluation."""
    return [str(images.names[images.position[sample_id]]) for sample_id in evaluation.ids[rows].tolist()]
