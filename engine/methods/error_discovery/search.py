"""Codes moved, decoded, classified and compared with real ones: the part of the search that takes its time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np

from engine.methods.error_discovery.decoding import Decoder
from engine.methods.error_discovery.neighbours import Neighbours
from engine.methods.error_discovery.noise import moved
from engine.methods.error_discovery.result import Generator
from engine.methods.error_discovery.settings import IdentificationSettings
from engine.runs.progress import Progress
from engine.subject.image_set import Role

PIECE = 8192  # draws at a time, so that no more answers than theirs are held


@dataclass(frozen=True, eq=False)
class Draws:
    """Moved codes (n, d) float32, the `seed` (n,) row of `Generator` that each is of, and what came of them (n,).

    `predictions` int64, `p_prediction`, `p_label` float32, `length` float32 of the noise in standard deviations;
    `agreement` and `distance` float32 as of `Neighbours`.
    """

    codes: np.ndarray
    seed: np.ndarray
    predictions: np.ndarray
    p_prediction: np.ndarray
    p_label: np.ndarray
    length: np.ndarray
    agreement: np.ndarray
    distance: np.ndarray

    def __len__(self) -> int:
        return len(self.seed)

    def take(self, rows: np.ndarray) -> Draws:
        """Only these rows (n,), as indices or as bools."""
        return Draws(**{column.name: getattr(self, column.name)[rows] for column in fields(self)})


def together(parts: Sequence[Draws]) -> Draws:
    """All of them, one after the other; there is at least one."""
    return Draws(
        **{column.name: np.concatenate([getattr(part, column.name) for part in parts]) for column in fields(Draws)}
    )


def neighbours_of(generator: Generator, k: int) -> Neighbours:
    """The k nearest among the images of train."""
    train = generator.roles == Role.TRAIN
    return Neighbours(generator.codes[train], generator.labels[train], k, generator.units[train])


def searched(
    decoder: Decoder,
    generator: Generator,
    near: Neighbours,
    seeds: np.ndarray,
    tried: np.ndarray,
    settings: IdentificationSettings,
    progress: Progress,
) -> Draws:
    """Every wrong draw around the seeds (s,), rows of the generator, and of the seeds `tried` (s,) bool every draw.

    The same however the draws are divided. A seed's own unit is passed over among the neighbours.
    """
    random = np.random.default_rng([settings.seed, 1])
    at_once = max(1, PIECE // settings.draws)
    found = []
    for start in range(0, max(1, len(seeds)), at_once):
        progress.report(start / max(1, len(seeds)), "searching")
        part = slice(start, start + at_once)
        found.append(piece(decoder, generator, near, seeds[part], tried[part], settings, random))
    progress.report(1.0, "searching")
    return together(found)


def piece(
    decoder: Decoder,
    generator: Generator,
    near: Neighbours,
    seeds: np.ndarray,
    tried: np.ndarray,
    settings: IdentificationSettings,
    random: np.random.Generator,
) -> Draws:
    """The draws around a few seeds that are wrong or of a seed that is tried."""
    codes, length = moved(
        generator.codes[seeds], generator.spread, settings.noise, settings.scale, settings.draws, random
    )
    seed = np.repeat(seeds, settings.draws)
    labels = generator.labels[seed]
    answers = decoder.classified(codes, labels)
    rows = np.flatnonzero((answers.predictions != labels) | np.repeat(tried, settings.draws))
    codes, seed, labels = codes[rows], seed[rows], labels[rows]
    agreement, distance = near.judged(codes, labels, generator.units[seed])
    predictions = answers.predictions[rows]
    return Draws(
        codes=codes,
        seed=seed,
        predictions=predictions,
        p_prediction=answers.probabilities[rows, predictions],
        p_label=answers.probabilities[rows, labels],
        length=length[rows],
        agreement=agreement,
        distance=distance,
    )
