"""What the steps found: plain values and arrays, no torch. K classes, T taps."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from engine.toolkit.statistics import Rate


@dataclass(frozen=True)
class TappedRole:
    """One pass over n images of a role.

    `ids` (n,) str; `labels` (n,) int64, -1 without one; `units` (n,) str; `seen` (n,) int8 as in `Seen`; `logits`
    (n, K) float32; `features`, for each tap (n, F_t) float32, a map of c channels averaged down to `grid` cells a side
    and laid out as (c, grid, grid).
    """

    role: str
    ids: np.ndarray
    labels: np.ndarray
    units: np.ndarray
    seen: np.ndarray
    logits: np.ndarray
    features: tuple[np.ndarray, ...]

    @property
    def predictions(self) -> np.ndarray:
        """(n,) int64, the most likely class."""
        return self.logits.argmax(axis=1)


@dataclass(frozen=True)
class Tap:
    """A layer by its module's name: `channels`, and cells a side after averaging down (1: no map)."""

    name: str
    channels: int
    grid: int


@dataclass(frozen=True)
class Taps:
    """What every block puts out for images of train, diagnosis and pool; roles without images are missing."""

    classes: tuple[str, ...]
    taps: tuple[Tap, ...]
    roles: tuple[TappedRole, ...]

    def role(self, name: str) -> TappedRole | None:
        """The role of this name, None where it has no images."""
        return next((each for each in self.roles if each.role == name), None)


@dataclass(frozen=True)
class LabelVerdict:
    """One label: recalls with intervals (train's is of images known to be seen), precision on diagnosis, and a verdict.

    `verdict` is `under-fitted`, `over-fitted`, `healthy` or `too few`; `severity` orders labels, the worst highest;
    `p` is Holm-adjusted; `partners` are the classes it is most often taken for on diagnosis, with their counts.
    """

    label: int
    train: Rate
    diagnosis: Rate
    precision: Rate
    gap: float
    gap_low: float
    gap_high: float
    verdict: str
    severity: float
    p: float
    partners: tuple[tuple[int, int], ...]


@dataclass(frozen=True)
class Probes:
    """A linear read-out of each tap, fitted on train.

    `diagnosis` (T, K) float64, the recall of each label, NaN without images, `diagnosis_accuracy` (T,) and `right`
    (T, n) bool are of the images of diagnosis; `train` (T, K) and `train_accuracy` (T,) of the very images that the
    probe was fitted on. Of the gap between the two roles only `gap_right` (T, m) bool on the images of train and
    `gap_diagnosis` (T, n) bool on those of diagnosis tell: by ridge probes, each image judged by one that saw nothing
    of its unit. `weights`, for each tap (F_t, K) float32 on standardised features, with `mean` and `scale`
    (F_t,). `similarity` (T, K) float64 in [0, 1], how alike a tap's answers are to those of the one before
    (Bhattacharyya, image by image, on each label's images of diagnosis), NaN for the first.
    """

    kind: str
    train: np.ndarray
    diagnosis: np.ndarray
    train_accuracy: np.ndarray
    diagnosis_accuracy: np.ndarray
    right: np.ndarray
    gap_right: np.ndarray
    gap_diagnosis: np.ndarray
    weights: tuple[np.ndarray, ...]
    mean: tuple[np.ndarray, ...]
    scale: tuple[np.ndarray, ...]
    similarity: np.ndarray


@dataclass(frozen=True)
class LabelIssues:
    """Images whose label is likely wrong.

    `ids` (n,) str of all that were judged (train, diagnosis, pool); `quality` (n,) float64 in [0, 1], low where the
    label is doubtful; `issue` (n,) bool; `suggested` (n,) int64; `out_of_fold` (n,) bool, judged by probes that did
    not see it alone, for the classifier trained on it, or may have, rather than by the classifier and such probes.
    """

    ids: np.ndarray
    quality: np.ndarray
    issue: np.ndarray
    suggested: np.ndarray
    out_of_fold: np.ndarray


@dataclass(frozen=True)
class HeatMap:
    """A map of one label: `values` (F,) float64, of `group` images and, for a differential, `against` others.

    `shape` is (channels, cells, cells), or (C, H, W) of pixels. `note` says where a group was too small, and what was
    taken instead; values are never NaN.
    """

    name: str
    label: int
    values: np.ndarray
    shape: tuple[int, int, int]
    group: int
    against: int
    note: str


@dataclass(frozen=True)
class Picks:
    """Chosen images of the pool in their order, (B,) each.

    `ids` str; `labels`, `predictions` int64; `score` float64 (NaN where chance chose); `rank` int64 among the
    candidates of its label, from 1 (0 where chance chose); `scored` bool; `issue` bool, likely a wrong label. `notes`
    says what could not be done as asked.
    """

    ids: np.ndarray
    labels: np.ndarray
    predictions: np.ndarray
    score: np.ndarray
    rank: np.ndarray
    scored: np.ndarray
    issue: np.ndarray
    notes: tuple[str, ...]


@dataclass(frozen=True)
class Retrained:
    """One arm with one seed, after each round (index 0: before).

    (R + 1,) float64 each, on test: `accuracy`, `target_recall`, `target_precision`, `worst_recall`, `broken` (images
    that were right and are wrong now) and `fixed`, as counts; `diagnosis_accuracy` beside them. Of the n test images
    `ids` and `units` (n,) str, `labels` (n,) int64, `answers` (n,) int64 after the last round and `right_before` (n,)
    bool; `picks` of all rounds, in order; `weights` uint8 as in other methods, empty where they were not to be kept.
    """

    strategy: str
    seed: int
    targets: tuple[int, ...]
    layers: tuple[str, ...]
    accuracy: np.ndarray
    target_recall: np.ndarray
    target_precision: np.ndarray
    worst_recall: np.ndarray
    broken: np.ndarray
    fixed: np.ndarray
    diagnosis_accuracy: np.ndarray
    ids: np.ndarray
    units: np.ndarray
    labels: np.ndarray
    answers: np.ndarray
    right_before: np.ndarray
    picks: Picks
    weights: np.ndarray

    @property
    def right(self) -> np.ndarray:
        """(n,) bool, which answers are right after the last round."""
        return self.answers == self.labels
