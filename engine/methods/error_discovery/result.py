"""What the steps found: plain values and arrays, no torch. K classes, d dimensions of a code, R regions."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from engine.toolkit.statistics import Rate


@dataclass(frozen=True)
class Generator:
    """A trained variational autoencoder, and how far its images can be trusted.

    `weights` uint8, the bytes of a safetensors file; it works on `channels` x `height` x `width` pixels, which are
    resized to the images' own size where that is larger. Per epoch, (E,) float64: `reconstruction` and `divergence`
    (nats an image, of the images trained on) and `validation` (their sum at full weight, of images kept aside);
    `best` is the epoch whose weights are kept. `spread` (d,) float32, the standard deviation of the codes; `used`
    (d,) float64, each dimension's share of the divergence in nats.

    Codes of n real images of train, pool and diagnosis: `ids` (n,) str, `units` (n,) str, `roles` (n,) str,
    `labels`, `predictions` and `reconstructed` (n,) int64, the classifier's answers to the images and to their plain
    reconstructions, `codes` (n, d) float32. The gate, on diagnosis (on train where there is none): accuracy on real
    images and on their reconstructions, of all and of each class.
    """

    classes: tuple[str, ...]
    conditional: bool
    channels: int
    height: int
    width: int
    weights: np.ndarray
    reconstruction: np.ndarray
    divergence: np.ndarray
    validation: np.ndarray
    best: int
    spread: np.ndarray
    used: np.ndarray
    ids: np.ndarray
    units: np.ndarray
    roles: np.ndarray
    labels: np.ndarray
    predictions: np.ndarray
    reconstructed: np.ndarray
    codes: np.ndarray
    gate_role: str
    gate_real: Rate
    gate_reconstructed: Rate
    class_real: tuple[Rate, ...]
    class_reconstructed: tuple[Rate, ...]
    notes: tuple[str, ...]


@dataclass(frozen=True)
class Errors:
    """Errors of one source, `generated` or `real`, in the same columns; m errors, t trials.

    `codes` (m, d) float32: of the generator, or principal components of the classifier's features; `ids` (m,) str of
    the seed image, or of the image itself; `units` (m,) str; `labels`, `predictions` (m,) int64; `p_prediction`,
    `p_label` (m,) float32; `noise` (m,) float32, the length of the noise in standard deviations (0 for real ones);
    `agreement` (m,) float32, the share of latent neighbours with the label; `aside` (m,) bool: of the half of the
    units that regions are not made of but tested on (by the hash of the unit).

    Trials are all codes of the aside half that passed the same filters, wrong or not: `trial_codes` (t, d) float32,
    `trial_units` (t,) str, `trial_labels`, `trial_predictions` (t,) int64. `funnel`: what was tried and how many were
    left after each filter, in order. `label_draws` (K,) int64: trials of each label that passed all filters.
    """

    source: str
    codes: np.ndarray
    ids: np.ndarray
    units: np.ndarray
    labels: np.ndarray
    predictions: np.ndarray
    p_prediction: np.ndarray
    p_label: np.ndarray
    noise: np.ndarray
    agreement: np.ndarray
    aside: np.ndarray
    trial_codes: np.ndarray
    trial_units: np.ndarray
    trial_labels: np.ndarray
    trial_predictions: np.ndarray
    label_draws: np.ndarray
    funnel: tuple[tuple[str, int], ...]
    seconds: float
    notes: tuple[str, ...]


@dataclass(frozen=True)
class Calibration:
    """For each scale (S,): draws, wrong ones, those left after all filters, and how far labels seem to be preserved.

    `preserved` (S,) float64: the share of wrong draws whose latent neighbours agree with the seed's label, with its
    interval `preserved_low`, `preserved_high`. `example_codes` (S, 12, d) float32 of kept errors for the spot check
    with `example_labels`, `example_predictions` (S, 12) int64, -1 where there were fewer.
    """

    scales: np.ndarray
    draws: np.ndarray
    wrong: np.ndarray
    kept: np.ndarray
    preserved: np.ndarray
    preserved_low: np.ndarray
    preserved_high: np.ndarray
    example_codes: np.ndarray
    example_labels: np.ndarray
    example_predictions: np.ndarray


@dataclass(frozen=True)
class Stratum:
    """One label and prediction: how many errors it has, and how many of the components are alive."""

    label: int
    prediction: int
    errors: int
    components: int
    alive: int
    converged: bool


@dataclass(frozen=True)
class Regions:
    """Groups of errors. Numbers are never given twice: a merged or split region is dead and its heirs come after it.

    `member` (m,) int64, the region of each error of `Errors`, -1 for none (all that are aside, too). Of each region:
    `label`, `prediction` (R,) int64, for `published` the most frequent ones; `mean` (R, d) and `covariance`
    (R, d, d) float32; `size` and `units` (R,) int64, members and independent seeds; `weight` (R,) float64, its share
    of all errors; `alive` (R,) bool.
    """

    source: str
    member: np.ndarray
    label: np.ndarray
    prediction: np.ndarray
    mean: np.ndarray
    covariance: np.ndarray
    size: np.ndarray
    units: np.ndarray
    weight: np.ndarray
    alive: np.ndarray
    strata: tuple[Stratum, ...]
    notes: tuple[str, ...]


@dataclass(frozen=True)
class RegionTests:
    """Every region tried again; dead regions have no draws and NaN rates.

    Fresh draws (generated regions only; D of each): `codes` (R, D, d) float32, `predictions` (R, D) int64,
    `confidence` (R, D) float32, `kept` (R, D) bool, those that count. `error`: the share of kept draws that are not
    taken for the region's label; `purity` (R,) float64: the share of kept draws with the region's prediction.
    For real regions `codes` has D = 0 and error is that of the trials inside.

    Among the seeds kept aside: `inside` of each region, the share of trials of its label within it that get its
    prediction, `elsewhere` the same of the trials of its label outside of it; `p` and `q` (R,) float64 (one-sided,
    Benjamini-Hochberg over regions), `reproduced` (R,) bool.
    """

    codes: np.ndarray
    predictions: np.ndarray
    confidence: np.ndarray
    kept: np.ndarray
    error: tuple[Rate, ...]
    purity: np.ndarray
    inside: tuple[Rate, ...]
    elsewhere: tuple[Rate, ...]
    p: np.ndarray
    q: np.ndarray
    reproduced: np.ndarray
    notes: tuple[str, ...]


@dataclass(frozen=True)
class Novelty:
    """How far regions lie from what was known, as distances in `space`; NaN where there is nothing to compare with.

    `to_errors` and `to_all` (R,) float64: the median over a region's images of the distance to the nearest
    misclassified and to the nearest image of train. `usual` (u,) float64: what it is from real images of diagnosis to
    train. `percentile_errors`, `percentile_all` (R,) in [0, 100]: where the median lies among the usual ones.
    `nearest_errors` and `nearest_all` (R, 6) str: ids of the nearest images, "" where there are fewer.
    """

    space: str
    to_errors: np.ndarray
    to_all: np.ndarray
    usual: np.ndarray
    percentile_errors: np.ndarray
    percentile_all: np.ndarray
    nearest_errors: np.ndarray
    nearest_all: np.ndarray


@dataclass(frozen=True)
class CodeMap:
    """Errors and real images in the plane, `place` (n, 2) float32, projected together by `method`.

    `error` (n,) bool: whether a point is an error; `row` (n,) int64: its row among the errors, else among the codes
    of the generator (of generated errors) or among the trials (of real ones). `trustworthiness` as in
    `engine.toolkit.projection`.
    """

    place: np.ndarray
    error: np.ndarray
    row: np.ndarray
    method: str
    trustworthiness: float


@dataclass(frozen=True)
class Labels:
    """A snapshot of what a person, or an oracle, says of regions; the L decided ones.

    `region` (L,) int64; `kind` (L,) str of `labelling.KINDS`; `label` (L,) int64, -1 where none was given;
    `excluded` (x, 2) int64, pairs of a region and the number of one of its shown draws that is left out; `by` says
    who labelled.
    """

    region: np.ndarray
    kind: np.ndarray
    label: np.ndarray
    excluded: np.ndarray
    by: str


@dataclass(frozen=True)
class Corrected:
    """One arm with one seed. `right` are bool arrays of the classifier after it, in the order of their ids.

    `test_ids`, `test_units` (n,) str with `test_labels`, `test_predictions` (n,) int64; the same of diagnosis.
    Generated sets: `region_right` (a,) of new draws of the used regions, `region_of` (a,) int64; `held_right` (b,),
    `held_of` (b,) of held-out regions; `fresh_right` (f,) of fresh perturbations of test images, `fresh_units` (f,)
    str, `fresh_wrong` (f,) bool, what the classifier got wrong before; `tuning_right`, `tuning_wrong` the same of
    diagnosis, by which the weight is chosen. `used` and `held` are regions' numbers. `labels` is how many labels the
    arm cost; `steps` how many it took; `loss` (steps,) float32. `weights` uint8, empty where they were not kept.
    """

    arm: str
    weight: float
    seed: int
    order: int
    used: tuple[int, ...]
    held: tuple[int, ...]
    labels: int
    loss: np.ndarray
    test_ids: np.ndarray
    test_units: np.ndarray
    test_labels: np.ndarray
    test_predictions: np.ndarray
    diagnosis_labels: np.ndarray
    diagnosis_predictions: np.ndarray
    region_right: np.ndarray
    region_of: np.ndarray
    held_right: np.ndarray
    held_of: np.ndarray
    fresh_right: np.ndarray
    fresh_units: np.ndarray
    fresh_wrong: np.ndarray
    tuning_right: np.ndarray
    tuning_wrong: np.ndarray
    weights: np.ndarray
    notes: tuple[str, ...]
