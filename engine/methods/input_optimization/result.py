"""What the steps found: plain values and arrays, no torch.

N images, K combinations of severities in a grid, P pairs of an image and a combination that were optimised.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace

import numpy as np


@dataclass(frozen=True)
class Outcomes:
    """What the classifier made of images, (N, K) each.

    `prediction` int64; `confidence` float32 of the prediction, in [0, 1]; `loss` float32, the label's cross-entropy
    in nats; `margin` float32, the label's logit minus the best other one (above 0: right); `shift` float32, how far
    the image was changed: the root of the mean squared difference of pixel values to the unchanged image, in [0, 1].
    """

    prediction: np.ndarray
    confidence: np.ndarray
    loss: np.ndarray
    margin: np.ndarray
    shift: np.ndarray

    def take(self, images: np.ndarray) -> Outcomes:
        """Only these images (n,)."""
        return Outcomes(**{column.name: getattr(self, column.name)[images] for column in fields(self)})


@dataclass(frozen=True)
class Swept:
    """One grid: `severities` (K, families) float64, the combinations, none of which changes nothing."""

    families: tuple[str, ...]
    severities: np.ndarray
    outcomes: Outcomes


@dataclass(frozen=True)
class Sweep:
    """The images, unchanged and put through every grid.

    `ids` (N,) str; `labels` (N,) int64; `units` (N,) str, what counts as one independent observation (the group of
    images, or the image). `clean` has K = 1. `evaluations`: images that the classifier was asked about.
    """

    classes: tuple[str, ...]
    ids: np.ndarray
    labels: np.ndarray
    units: np.ndarray
    clean: Outcomes
    grids: tuple[Swept, ...]
    seed: int
    evaluations: int

    def take(self, images: np.ndarray) -> Sweep:
        """The sweep of only these of its images (n,)."""
        return replace(
            self,
            ids=self.ids[images],
            labels=self.labels[images],
            units=self.units[images],
            clean=self.clean.take(images),
            grids=tuple(replace(each, outcomes=each.outcomes.take(images)) for each in self.grids),
        )

    def right(self, grid: int) -> np.ndarray:
        """(N, K) bool, where the grid's images are given their label."""
        return self.grids[grid].outcomes.prediction == self.labels[:, None]

    @property
    def clean_right(self) -> np.ndarray:
        """(N,) bool, where the unchanged images are given their label."""
        return self.clean.prediction[:, 0] == self.labels


ALREADY, REACHED, NOT_REACHED = 0, 1, 2


@dataclass(frozen=True)
class Optimisation:
    """Pairs of an image and a combination, and the smallest change found that brings the true answer back.

    `image` (P,), `grid` (P,) and `combination` (P,) int64 say which image, grid and row of its severities of the
    sweep; `state` (P,) int8 is ALREADY where the transformed image passed as it is, REACHED or NOT_REACHED within the
    budget. `distance` (P,) float32 is the length (L2, pixel values in [0, 1]) of the change: 0 where nothing was to
    do, NaN where it was not reached. `loss_before` and `loss_after` (P,) are the label's cross-entropy in nats;
    `steps` (P,) int64 how many were taken. `change` (R, C, H, W) float16 is the change itself of the R pairs that
    were optimised, reached or not, in their order; `rule` says when a pair passed.
    """

    rule: str
    image: np.ndarray
    grid: np.ndarray
    combination: np.ndarray
    state: np.ndarray
    distance: np.ndarray
    loss_before: np.ndarray
    loss_after: np.ndarray
    steps: np.ndarray
    change: np.ndarray
    evaluations: int

    @property
    def places(self) -> np.ndarray:
        """(P,) int64, where a pair's change lies in `change`; -1 where it has none."""
        found = np.full(len(self.state), -1, dtype=np.int64)
        found[self.state != ALREADY] = np.arange(len(self.change))
        return found

    @property
    def counts(self) -> tuple[int, int, int]:
        """Pairs that passed already, were reached, and were not."""
        already, reached, missed = (int(np.count_nonzero(self.state == each)) for each in range(3))
        return already, reached, missed


@dataclass(frozen=True)
class Between:
    """How two versions of an image differ, (P,) float32 each; NaN where there is no second one.

    `l2` and `mse` of pixel values in [0, 1]; `ssim` in [-1, 1], 1 where they are equal; `feature_cosine` similarity
    in [-1, 1] and `feature_l2` of the layer; `kl` divergence of the answers in nats, from the first version's to the
    second's; `class_changed` 0 or 1.
    """

    l2: np.ndarray
    mse: np.ndarray
    ssim: np.ndarray
    feature_cosine: np.ndarray
    feature_l2: np.ndarray
    kl: np.ndarray
    class_changed: np.ndarray


@dataclass(frozen=True)
class Answers:
    """What the classifier makes of one version of the images, (P,) each, as in `Outcomes`."""

    prediction: np.ndarray
    confidence: np.ndarray
    loss: np.ndarray


@dataclass(frozen=True)
class Differences:
    """The pairs of an Optimisation, compared: clean, transformed and optimised (where the pair was reached).

    `margin_distance` (P,) float32: how far (L2 of pixel values) a transformed image that is recognised is from
    failing, above 0; how far one that isn't is from being recognised, below 0; NaN where no such change was found.
    """

    layer: str
    clean_transformed: Between
    transformed_optimised: Between
    clean_optimised: Between
    clean: Answers
    transformed: Answers
    optimised: Answers
    margin_distance: np.ndarray


@dataclass(frozen=True)
class Map:
    """Points in the plane: `place` (M, 2) float32.

    For transforms `grid` and `combination` (M,) int64 say which, for images `image` (M,) int64, else empty. `method`
    is what was used; `trustworthiness` in [0, 1] is 1 where every near point in the plane is near in fact, NaN where
    there are too few points to tell.
    """

    points: str
    method: str
    place: np.ndarray
    grid: np.ndarray
    combination: np.ndarray
    image: np.ndarray
    trustworthiness: float
    measures: tuple[str, ...]


@dataclass(frozen=True)
class Breakpoint:
    """From which severity on a side of a family breaks the classifier, for all images or those of one label.

    `scope` is "all" or the label's class; of a side's rows the first is that of all images. Found on one half of the
    images (by unit): `severity` in [0, 1] towards that side, NaN where accuracy stays above `threshold` in the whole
    range, 0 where it is below without any change; the 95 % interval `low` to `high`, the end that lies beyond the
    range being infinite. `reached_share` of the resamples break within the range; `reached` says that at least 95 %
    do. Interval and share are NaN where the half has fewer than five units. `other`, `other_low`, `other_high` are the
    same on the other half, and `verified` says that this half, too, breaks, at a severity that does not differ
    significantly; None where there is nothing to verify, or too little to verify it on. `threshold` is the half's that
    it was found on; `n` and `units` count both. `end` in (0, 1] is the severity up to which the side was swept.
    """

    family: str
    sign: int
    scope: str
    severity: float
    low: float
    high: float
    reached: bool
    reached_share: float
    other: float
    other_low: float
    other_high: float
    verified: bool | None
    threshold: float
    n: int
    units: int
    end: float


@dataclass(frozen=True)
class Interaction:
    """Two families together, by the grid of this number.

    `accuracy` (A, B) at the severities `first` (A,) and `second` (B,); `line` (L, 2), points (first, second) where it
    crosses the threshold. `excess` is how much accuracy lies above (or below) what the two would leave if each broke
    images independently of the other, averaged over all combinations of both, with its 95 % interval; NaN where no
    unchanged image is right, the interval also where there are fewer than five units.
    """

    grid: int
    families: tuple[str, str]
    first: np.ndarray
    second: np.ndarray
    accuracy: np.ndarray
    line: np.ndarray
    excess: float
    low: float
    high: float


@dataclass(frozen=True)
class Breakpoints:
    """All breakpoints, and each image's own.

    `image_breaks` (N, S) float32: the severity at which the image's answer turns wrong for good on each of the S
    sides `image_sides` (family, sign), interpolated by its margin; 0 where it is wrong unchanged, infinite where it
    never breaks in the range. `image_returns` (N, S) bool: whether it was right again after a failure.
    """

    rows: tuple[Breakpoint, ...]
    interactions: tuple[Interaction, ...]
    image_sides: tuple[tuple[str, int], ...]
    image_breaks: np.ndarray
    image_returns: np.ndarray
