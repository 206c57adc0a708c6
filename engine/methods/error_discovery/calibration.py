"""How much noise: what a small search yields at several scales, and how far the labels seem to be preserved."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from engine.methods.error_discovery.decoding import Decoder
from engine.methods.error_discovery.identification import passing, seeds_of
from engine.methods.error_discovery.result import Calibration, Generator
from engine.methods.error_discovery.search import Draws, neighbours_of, searched
from engine.methods.error_discovery.settings import CalibrationSettings, IdentificationSettings
from engine.methods.error_discovery.thinning import thinned
from engine.runs.progress import Progress
from engine.subject.subject import Subject
from engine.toolkit.statistics import Rate, rate

EXAMPLES = 12  # of each scale, to look at
AGREE = IdentificationSettings().agreement  # where the search has no such filter


def calibrated(
    subject: Subject, settings: CalibrationSettings, generator: Generator, progress: Progress
) -> Calibration:
    """A search at each scale, all around the same images; ValueError as of the search itself."""
    asked = replace(settings.identification, images=settings.images, draws=settings.draws)
    decoder, near = Decoder(generator, subject), neighbours_of(generator, asked.neighbours)
    seeds = seeds_of(generator, asked, [])
    none = np.zeros(len(seeds), dtype=bool)
    wrong, kept, preserved, examples = [], [], [], []
    ends = np.linspace(0, 1, len(settings.scales) + 1)
    for scale, begin, end in zip(settings.scales, ends, ends[1:], strict=False):
        here = replace(asked, scale=scale)
        found = searched(decoder, generator, near, seeds, none, here, progress.part(float(begin), float(end)))
        left = thinned(passing(found, near, here, []), generator, here, [])
        wrong.append(len(found))
        kept.append(len(left))
        preserved.append(agreeing(found, generator, here))
        examples.append(some(left, generator, asked.seed))
    return Calibration(
        scales=np.array(settings.scales, dtype=np.float64),
        draws=np.full(len(settings.scales), len(seeds) * settings.draws),
        wrong=np.array(wrong),
        kept=np.array(kept),
        preserved=np.array([each.value for each in preserved]),
        preserved_low=np.array([each.low for each in preserved]),
        preserved_high=np.array([each.high for each in preserved]),
        example_codes=np.stack([codes for codes, _, _ in examples]),
        example_labels=np.stack([labels for _, labels, _ in examples]),
        example_predictions=np.stack([predictions for _, _, predictions in examples]),
    )


def agreeing(wrong: Draws, generator: Generator, settings: IdentificationSettings) -> Rate:
    """The share of wrong draws whose neighbours have the seed's label."""
    return rate(wrong.agreement >= (settings.agreement or AGREE), generator.units[wrong.seed])


def some(errors: Draws, generator: Generator, seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Codes (12, d), labels and predictions (12,) of as many errors drawn by chance, -1 where there are fewer."""
    codes = np.zeros((EXAMPLES, generator.codes.shape[1]), np.float32)
    labels, predictions = np.full(EXAMPLES, -1), np.full(EXAMPLES, -1)
    drawn = errors.take(np.random.default_rng([seed, 2]).permutation(len(errors))[:EXAMPLES])
    codes[: len(drawn)] = drawn.codes
    labels[: len(drawn)] = generator.labels[drawn.seed]
    predictions[: len(drawn)] = drawn.predictions
    return codes, labels, predictions
