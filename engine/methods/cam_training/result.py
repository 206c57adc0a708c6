"""What the steps found: plain values and arrays, no torch. N images, maps of h x w cells."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np


@dataclass(frozen=True)
class Cams:
    """Where the classifier looks, image by image.

    `method` is the rule that was used and `layer` the module whose maps they are; `exact` says that the rule adds up
    and that a logit is the mean over its map's cells and the head's bias, as it is for a head of one average and one
    linear layer (against `rest` the other logits' maps count by their softmax shares). `of` and `against` as in
    `CamSettings`.

    `ids` (N,) str; `labels` (N,) int64, -1 without one; `predictions` (N,) int64; `confidence` (N,) float32 in [0, 1];
    `scores` (N,) float32, the logit (or difference) that is explained. `maps` (N, h, w) float32, signed and in the unit
    that the rule says; where it adds up, the mean over the cells is what the layer adds to the score, exactly or to
    first order. `seen` is the part of the image that the network's input shows, as shares (top, left, bottom, right) of
    its height and width, over which the cells lie evenly.
    """

    method: str
    layer: str
    exact: bool
    of: str
    against: str
    classes: tuple[str, ...]
    ids: np.ndarray
    labels: np.ndarray
    predictions: np.ndarray
    confidence: np.ndarray
    scores: np.ndarray
    maps: np.ndarray
    seen: tuple[float, float, float, float]


@dataclass(frozen=True)
class ImageMasks:
    """A mask for each of some images: `ids` (n,) str; `inside` (n, H, W) uint8, 255 inside and 0 outside the object.

    H x W is at most 64 x 64, laid over the whole image.
    """

    ids: np.ndarray
    inside: np.ndarray

    @cached_property
    def position(self) -> dict[str, int]:
        """The index of each id."""
        return {sample_id: index for index, sample_id in enumerate(self.ids.tolist())}


@dataclass(frozen=True)
class MaskPicture:
    """One mask that a person gave for all images: `inside` (H, W) uint8, 255 inside the shape."""

    inside: np.ndarray


@dataclass(frozen=True)
class Localisation:
    """How well maps stay where they are allowed, (N,) float64 each, NaN where a map has nothing to measure.

    `energy`: the allowed cells' share of all positive evidence; `corrected`: the same with the allowed area taken
    for chance, 0 by chance and 1 at best; `pointing`: 1 where the hottest cell is allowed, else 0; `iou`: of the cells
    above half of the hottest with the allowed ones; `outside`: forbidden cells' share of the mean of the map, below 0
    or above 1 where the sides speak against each other, and saying nothing where the rule doesn't add up; `area`: the
    allowed share of all cells.
    """

    energy: np.ndarray
    corrected: np.ndarray
    pointing: np.ndarray
    iou: np.ndarray
    outside: np.ndarray
    area: np.ndarray


@dataclass(frozen=True)
class Hiding:
    """What becomes of the answers when the hot area is hidden, or an equal one elsewhere.

    `ids` (N,) str; `units` (N,) str; `shares` (S,) float64 of the image's area; `right` (N,) bool, before; `hot`
    (N, S) bool, right with the hot area hidden; `elsewhere` (N, S, P) bool, with the same shape in one of P random
    places.
    """

    ids: np.ndarray
    units: np.ndarray
    shares: np.ndarray
    right: np.ndarray
    hot: np.ndarray
    elsewhere: np.ndarray


@dataclass(frozen=True)
class Groups:
    """Maps that are alike: `group` (N,) int64 in the Cams' order, -1 where an image is in none, largest group first.

    `mean_maps` (G, h, w) float32 of the maps scaled to a maximum of 1; `silhouette` (K,) float64 of 2 to K + 1
    groups, in [-1, 1]; `distance` (N,) float64 of each map to its group's mean, by which the most typical come first.
    """

    group: np.ndarray
    mean_maps: np.ndarray
    silhouette: np.ndarray
    distance: np.ndarray


@dataclass(frozen=True)
class PartOutcome:
    """One kind of images: `unchanged`, `swapped`, `unseen` or `off_centre`.

    They are of `role`, `test` or `diagnosis`; `made` says that they were pasted together from such images, not taken as
    they are. `ids` (n,) str, of the object's image; `labels`, `predictions` (n,) int64; `units` (n,) str. `looks` are
    the maps of the first few, for the label against the rest, and `pictures` (m, C, H, W) uint8 the images they belong
    to.
    """

    name: str
    role: str
    made: bool
    ids: np.ndarray
    labels: np.ndarray
    predictions: np.ndarray
    units: np.ndarray
    looks: Cams
    pictures: np.ndarray


@dataclass(frozen=True)
class Curves:
    """What went on while it trained, at T steps: (T,) each.

    `step` int64; `cross_entropy` and `cam_loss` (before its weight) float64; their gradients' norms over all weights,
    `cross_entropy_gradient` and `cam_gradient`, the second with its weight; `inside` and `outside`, the mean positive
    contrast in logits in allowed and forbidden cells; `accuracy` of the batches since the step before, in [0, 1].
    """

    step: np.ndarray
    cross_entropy: np.ndarray
    cam_loss: np.ndarray
    cross_entropy_gradient: np.ndarray
    cam_gradient: np.ndarray
    inside: np.ndarray
    outside: np.ndarray
    accuracy: np.ndarray


@dataclass(frozen=True)
class Taught:
    """One arm trained with one seed, and how it does on images that nothing decided on.

    `layer` is where the maps were taken, `exact` as in `Cams`, of the network that came out. `train_accuracy` in [0, 1]
    after training, `learned` whether it learned at all; `energy_inside` (n,) float64 of the diagnosis images, for the
    label against the rest, none in the arm `crop`, which sees nothing else; `weights` uint8, the bytes of a safetensors
    file, empty where they were not to be kept.
    """

    arm: str
    seed: int
    layer: str
    exact: bool
    curves: Curves
    train_accuracy: float
    learned: bool
    energy_inside: np.ndarray
    parts: tuple[PartOutcome, ...]
    weights: np.ndarray
