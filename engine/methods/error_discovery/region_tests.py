"""Every region tried again: on fresh draws from its Gaussian, and on the seeds that were kept aside."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from engine.methods.error_discovery.gaussians import drawn
from engine.methods.error_discovery.reproducing import Found, discoveries, found_again
from engine.methods.error_discovery.result import Errors, Generator, Regions, RegionTests
from engine.methods.error_discovery.search import neighbours_of
from engine.methods.error_discovery.settings import TestSettings
from engine.runs.progress import Progress
from engine.subject.subject import Subject
from engine.toolkit.statistics import Rate, rate


@dataclass(frozen=True)
class Draws:
    """Fresh draws of each region: `codes` (R, D, d), `predictions`, `confidence` and `kept` (R, D)."""

    codes: np.ndarray
    predictions: np.ndarray
    confidence: np.ndarray
    kept: np.ndarray


def tested(
    subject: Subject,
    settings: TestSettings,
    errors: Errors,
    regions: Regions,
    generator: Generator | None,
    progress: Progress,
) -> RegionTests:
    """Rates of every living region; `generator` is None for regions of real errors, which can't be drawn from."""
    if (generator is None) != (errors.source == "real"):
        raise ValueError("generated regions are tried again with their generator, real ones without")
    codes = region_draws(regions, settings)
    draws = no_draws(codes) if generator is None else classified(subject, settings, regions, generator, codes, progress)
    found = found_again(errors, regions)
    q = discoveries(found.p)
    real = generator is None
    rates = found.wrong if real else errors_of(draws, regions)
    purity = np.array([each.value for each in found.inside]) if real else purities(draws, regions)
    return RegionTests(
        codes=draws.codes,
        predictions=draws.predictions,
        confidence=draws.confidence,
        kept=draws.kept,
        error=rates,
        purity=purity.astype(np.float64),
        inside=found.inside,
        elsewhere=found.elsewhere,
        p=found.p,
        q=q,
        reproduced=q <= settings.fdr,
        notes=notes_on(regions, rates, found),
    )


def region_draws(regions: Regions, settings: TestSettings) -> np.ndarray:
    """(R, D, d) float32 codes, zeros for dead regions; a region's don't depend on the others. D is 0 for real."""
    count = settings.draws if regions.source == "generated" else 0
    out = np.zeros((len(regions.label), count, regions.mean.shape[1]), np.float32)
    for region in np.flatnonzero(regions.alive) if count else ():
        random = np.random.default_rng([settings.seed, int(region)])
        out[region] = drawn(regions.mean[region], regions.covariance[region], settings.spread, count, random)
    return out


def no_draws(codes: np.ndarray) -> Draws:
    """Nothing was drawn: codes (R, 0, d)."""
    none = np.zeros(codes.shape[:2])
    return Draws(codes, none.astype(np.int64), none.astype(np.float32), none.astype(bool))


def classified(
    subject: Subject,
    settings: TestSettings,
    regions: Regions,
    generator: Generator,
    codes: np.ndarray,
    progress: Progress,
) -> Draws:
    """The draws with the classifier's answers; kept are those whose latent neighbours have the region's label."""
    from engine.methods.error_discovery.decoding import Decoder

    count = codes.shape[1]
    living = np.flatnonzero(regions.alive)
    flat = codes[living].reshape(-1, codes.shape[2])
    labels = np.repeat(regions.label[living], count)
    answers = Decoder(generator, subject).classified(flat, labels, progress)
    predictions, confidence = np.zeros(codes.shape[:2], np.int64), np.zeros(codes.shape[:2], np.float32)
    kept = np.zeros(codes.shape[:2], bool)
    predictions[living] = answers.predictions.reshape(-1, count)
    confidence[living] = answers.probabilities.max(axis=1, initial=0).reshape(-1, count)
    kept[living] = agree(generator, flat, labels, settings).reshape(-1, count)
    return Draws(codes, predictions, confidence, kept)


def agree(generator: Generator, codes: np.ndarray, labels: np.ndarray, settings: TestSettings) -> np.ndarray:
    """(n,) bool: whether enough of the real images of train nearest to codes (n, d) have the labels (n,)."""
    if not settings.agreement:
        return np.ones(len(codes), bool)
    return neighbours_of(generator, settings.neighbours).agreement(codes, labels) >= settings.agreement


def errors_of(draws: Draws, regions: Regions) -> tuple[Rate, ...]:
    """Of each region, the share of kept draws that are not taken for its label."""
    return tuple(
        rate(draws.predictions[region, kept] != regions.label[region], np.arange(kept.sum()))
        for region, kept in enumerate(draws.kept)
    )


def purities(draws: Draws, regions: Regions) -> np.ndarray:
    """(R,) float64, the share of kept draws that get the region's prediction; NaN where none was kept."""
    hits = (draws.kept & (draws.predictions == regions.prediction[:, None])).sum(axis=1)
    count = draws.kept.sum(axis=1)
    return np.where(count > 0, hits / np.maximum(count, 1), np.nan)


def notes_on(regions: Regions, rates: tuple[Rate, ...], found: Found) -> tuple[str, ...]:
    """What could not be tried again."""
    notes = []
    empty = sum(bool(alive) and each.n == 0 for alive, each in zip(regions.alive, rates, strict=True))
    if empty and regions.source == "generated":
        notes.append(
            f"{empty} of {regions.alive.sum()} regions have no fresh draw that counts: around them, the nearest real "
            "images have other labels."
        )
    if untried := int((regions.alive & np.isnan(found.p)).sum()):
        notes.append(
            f"{untried} of {regions.alive.sum()} regions could not be tried among the seeds kept aside, for none of "
            "their trials lies inside."
        )
    return tuple(notes)
