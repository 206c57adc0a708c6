"""How well maps stay where they are allowed: maps (n, h, w) against masks (n, h, w), 1 where forbidden.

A mask that all maps share may be (1, h, w). Results are (n,) float64, NaN where a map has nothing to measure: it is
level, so that no place stands out, or has no positive evidence.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np

from engine.methods.cam_training.figure import Figure, figure
from engine.methods.cam_training.result import Localisation
from engine.toolkit.statistics import rate

LEVEL = 1e-6  # of the largest value: less than float32 tells apart
CANCELLED = 0.05  # of all evidence, for and against: of a smaller sum no share can be told
ALLOWED = 0.5  # the part of a cell that must be allowed for it to count as such
HOT = 0.5  # of the hottest cell


@dataclass(frozen=True)
class Summary:
    """The figures of `Localisation` over images; of pointing Wilson's interval, for it is a rate."""

    energy: Figure
    corrected: Figure
    pointing: Figure
    iou: Figure
    outside: Figure
    area: Figure


def localise(maps: np.ndarray, forbidden: np.ndarray) -> Localisation:
    """All figures of maps (n, h, w)."""
    maps = maps.astype(np.float64)
    forbidden = np.broadcast_to(forbidden.astype(np.float64), maps.shape)
    inside, area = energy(maps, forbidden), 1 - forbidden.mean(axis=(1, 2))
    return Localisation(
        inside, corrected(inside, area), pointing(maps, forbidden), iou(maps, forbidden), outside(maps, forbidden), area
    )


def energy(maps: np.ndarray, forbidden: np.ndarray) -> np.ndarray:
    """The allowed cells' share of all positive evidence, in [0, 1] (Wang et al. 2020's energy-based pointing game)."""
    evidence = np.maximum(maps, 0)
    whole = np.where(measurable(maps), evidence.sum(axis=(1, 2)), np.nan)
    return (evidence * (1 - forbidden)).sum(axis=(1, 2)) / whole


def corrected(inside: np.ndarray, area: np.ndarray) -> np.ndarray:
    """The energy inside with the allowed area taken for chance: 0 as by chance, 1 at best, NaN where all is allowed."""
    return (inside - area) / np.where(area < 1 - LEVEL, 1 - area, np.nan)


def pointing(maps: np.ndarray, forbidden: np.ndarray) -> np.ndarray:
    """1 where the hottest cell is allowed, else 0 (Zhang et al. 2018's pointing game)."""
    hottest = maps.reshape(len(maps), -1).argmax(axis=1)
    there = np.broadcast_to(forbidden, maps.shape).reshape(len(maps), -1)[np.arange(len(maps)), hottest]
    return np.where(measurable(maps), 1 - there >= ALLOWED, np.nan)


def iou(maps: np.ndarray, forbidden: np.ndarray) -> np.ndarray:
    """Of the cells above half of the hottest and the allowed ones: those that are both over those that are either."""
    hot = maps > HOT * maps.max(axis=(1, 2), keepdims=True)
    allowed = 1 - forbidden >= ALLOWED
    both, either = (hot & allowed).sum(axis=(1, 2)), (hot | allowed).sum(axis=(1, 2))
    return both / np.where(measurable(maps), either, np.nan)


def outside(maps: np.ndarray, forbidden: np.ndarray) -> np.ndarray:
    """The forbidden cells' share of the sum of all, below 0 or above 1 where the two sides speak against each other.

    NaN where evidence for and against nearly cancel.
    """
    whole, size = maps.sum(axis=(1, 2)), np.abs(maps).sum(axis=(1, 2))
    return (maps * forbidden).sum(axis=(1, 2)) / np.where(np.abs(whole) > CANCELLED * size, whole, np.nan)


def measurable(maps: np.ndarray) -> np.ndarray:
    """(n,) bool, which maps have positive evidence and are not level."""
    most, least = maps.max(axis=(1, 2)), maps.min(axis=(1, 2))
    return (most > 0) & (most - least > LEVEL * np.maximum(most, -least))


def summary(found: Localisation, units: np.ndarray) -> Summary:
    """The figures over all images, which come in units (N,)."""
    figures = {each.name: figure(getattr(found, each.name), units) for each in fields(Summary)}
    there = ~np.isnan(found.pointing)
    hits = rate(found.pointing[there] > 0, units[there])
    return Summary(**{**figures, "pointing": Figure(hits.value, hits.low, hits.high, hits.n, int((~there).sum()))})


def by_label(found: Localisation, labels: np.ndarray, units: np.ndarray) -> dict[int, Summary]:
    """The figures over the images of each label (N,), by label; -1 are the images without one."""
    return {int(label): summary(chosen(found, labels == label), units[labels == label]) for label in np.unique(labels)}


def chosen(found: Localisation, which: np.ndarray) -> Localisation:
    """The figures of some of the images: `which` (N,) bool, or their indices."""
    return Localisation(**{each.name: getattr(found, each.name)[which] for each in fields(Localisation)})


def worst_first(found: Localisation) -> np.ndarray:
    """(N,) int64, the images from the most energy outside to the least, those with nothing to measure last."""
    return np.argsort(found.energy, kind="stable")
