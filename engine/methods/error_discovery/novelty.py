"""How far regions lie from what was known: from the misclassified and from all images of train."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from engine.methods.error_discovery.known_images import Space, apart, known_images, usual_distances
from engine.methods.error_discovery.result import Errors, Generator, Novelty, Regions, RegionTests
from engine.methods.error_discovery.settings import NoveltySettings
from engine.methods.error_discovery.shown import shown_draws, shown_errors
from engine.runs.progress import Progress
from engine.subject.subject import Subject

LOOKED_AT = 60  # images of a region, at most
NEAREST = 6

Points = Callable[[int], tuple[np.ndarray, np.ndarray]]


def novelty(
    subject: Subject,
    settings: NoveltySettings,
    errors: Errors,
    regions: Regions,
    tests: RegionTests,
    generator: Generator | None,
    progress: Progress,
) -> Novelty:
    """Distances of each living region's images to the nearest of train: of its draws that count, or its real errors.

    Images of train that are of the same unit as a real error are left out.
    """
    space = Space(subject, settings.space)
    known = known_images(space, progress.part(0.0, 0.6))
    usual = usual_distances(space, known, progress.part(0.6, 0.7))
    points = (
        real_points(space, errors, regions) if generator is None else drawn_points(space, regions, tests, generator)
    )
    count, every = len(regions.label), np.arange(len(known.ids))
    to_errors, to_all = np.full(count, np.nan), np.full(count, np.nan)
    nearest_errors, nearest_all = (np.full((count, NEAREST), "", known.ids.dtype) for _ in range(2))
    for region in progress.part(0.7, 1.0).steps(count, "measuring novelty"):
        own, units = points(region) if regions.alive[region] else (np.zeros((0, 0)), np.zeros(0))
        if len(own):
            to_all[region], nearest_all[region] = nearest(apart(own, units, known, every), known.ids)
            to_errors[region], nearest_errors[region] = nearest(
                apart(own, units, known, known.wrong), known.ids[known.wrong]
            )
    return Novelty(
        space=settings.space,
        to_errors=to_errors,
        to_all=to_all,
        usual=usual,
        percentile_errors=percentile(to_errors, usual),
        percentile_all=percentile(to_all, usual),
        nearest_errors=nearest_errors,
        nearest_all=nearest_all,
    )


def drawn_points(space: Space, regions: Regions, tests: RegionTests, generator: Generator) -> Points:
    """What gives a region's draws that count as points (n, V), and their units, which are none."""
    from engine.methods.error_discovery.decoding import Decoder

    decoder = Decoder(generator, space.subject)

    def points(region: int) -> tuple[np.ndarray, np.ndarray]:
        draws = shown_draws(tests, region, LOOKED_AT)
        images = decoder.images(tests.codes[region, draws], np.full(len(draws), regions.label[region]))
        return space.of_images(images)[0].numpy(), np.full(len(draws), "")

    return points


def real_points(space: Space, errors: Errors, regions: Regions) -> Points:
    """What gives a region's real errors as points (n, V), and their units."""
    position = space.subject.images.position

    def points(region: int) -> tuple[np.ndarray, np.ndarray]:
        rows = shown_errors(regions, errors, region, LOOKED_AT)
        indices = np.array([position[name] for name in errors.ids[rows].tolist()], np.int64)
        return space.of(indices, Progress(), "")[0], errors.units[rows]

    return points


def nearest(far: np.ndarray, ids: np.ndarray) -> tuple[float, np.ndarray]:
    """The median over images of the distance to the nearest (NaN without any), and the ids (6,) of the nearest.

    far (n, r) from n images to r known ones of these ids (r,).
    """
    found = np.full(NEAREST, "", ids.dtype)
    own = far.min(axis=1, initial=np.inf)
    best = np.argsort(far.min(axis=0), kind="stable")[:NEAREST]
    best = best[np.isfinite(far[:, best].min(axis=0))]
    found[: len(best)] = ids[best]
    return (float(np.median(own)) if np.isfinite(own).all() else float("nan")), found


def percentile(values: np.ndarray, usual: np.ndarray) -> np.ndarray:
    """(R,) in [0, 100]: the share of the usual ones (u,) that are no larger than each value; NaN with none."""
    if not len(usual):
        return np.full(len(values), np.nan)
    below = 100 * np.searchsorted(np.sort(usual), values, side="right") / len(usual)
    return np.where(np.isnan(values), np.nan, below)
