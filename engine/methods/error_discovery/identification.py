"""The search for errors: around which images, what is filtered out, and how many of a kind are kept."""

from __future__ import annotations

import time

import numpy as np

from engine.methods.error_discovery.decoding import Decoder
from engine.methods.error_discovery.halves import aside
from engine.methods.error_discovery.neighbours import Neighbours
from engine.methods.error_discovery.result import Errors, Generator
from engine.methods.error_discovery.search import Draws, neighbours_of, searched
from engine.methods.error_discovery.settings import IdentificationSettings
from engine.methods.error_discovery.thinning import thinned
from engine.runs.progress import Progress
from engine.subject.image_set import UNLABELLED
from engine.subject.subject import Subject

CERTAIN = 0.05  # of being wrong in what a search without errors rules out
FEW_SEEDS = 10  # independent ones of a label, from which on a search says something of its errors
Funnel = list[tuple[str, int]]


def identified(subject: Subject, settings: IdentificationSettings, generator: Generator, progress: Progress) -> Errors:
    """Errors among generated images near correctly classified real ones; that there are none is an answer, too.

    ValueError where no image of the role has a label, or where none is classified correctly.
    """
    begin = time.perf_counter()
    funnel: Funnel = []
    seeds = seeds_of(generator, settings, funnel)
    near = neighbours_of(generator, settings.neighbours)
    tried = aside(generator.units[seeds])
    draws = searched(Decoder(generator, subject), generator, near, seeds, tried, settings, progress)
    funnel.append(("draws", len(seeds) * settings.draws))
    wrong = draws.take(draws.predictions != generator.labels[draws.seed])
    funnel.append(("answered wrongly", len(wrong)))
    kept = thinned(passing(wrong, near, settings, funnel), generator, settings, funnel)
    trials = passing(draws.take(aside(generator.units[draws.seed])), near, settings, [])
    return Errors(
        source="generated",
        codes=kept.codes,
        ids=generator.ids[kept.seed],
        units=generator.units[kept.seed],
        labels=generator.labels[kept.seed],
        predictions=kept.predictions,
        p_prediction=kept.p_prediction,
        p_label=kept.p_label,
        noise=kept.length,
        agreement=kept.agreement,
        aside=aside(generator.units[kept.seed]),
        trial_codes=trials.codes,
        trial_units=generator.units[trials.seed],
        trial_labels=generator.labels[trials.seed],
        trial_predictions=trials.predictions,
        label_draws=np.bincount(generator.labels[trials.seed], minlength=len(generator.classes)),
        funnel=tuple(funnel),
        seconds=time.perf_counter() - begin,
        notes=() if len(kept) else (nothing_found(generator.units[seeds], len(seeds), settings, funnel),),
    )


def seeds_of(generator: Generator, settings: IdentificationSettings, funnel: Funnel) -> np.ndarray:
    """(s,) the rows of the generator's images to search around, at most `images` by the hash of their ids."""
    rows = np.flatnonzero((generator.roles == settings.role) & (generator.labels != UNLABELLED))
    if not len(rows):
        raise ValueError(f"errors are searched for around labelled images, and none has the role '{settings.role}'")
    rows = np.sort(rows[np.argsort(generator.ids[rows], kind="stable")][: settings.images])
    funnel.append((f"images of {settings.role}", len(rows)))
    rows = rows[generator.predictions[rows] == generator.labels[rows]]
    funnel.append(("classified correctly", len(rows)))
    if settings.reconstruction:
        rows = rows[generator.reconstructed[rows] == generator.labels[rows]]
        funnel.append(("their reconstruction, too", len(rows)))
    if not len(rows):
        what = " with its reconstruction" if settings.reconstruction else ""
        raise ValueError(
            f"no image of {settings.role} is classified correctly{what}, so there is none to search around"
        )
    return rows


def few_seeds(generator: Generator, settings: IdentificationSettings) -> dict[int, int]:
    """How many independent images a search starts from, of each label that has images and fewer than 10 such seeds.

    ValueError as of the search itself.
    """
    seeds = seeds_of(generator, settings, [])
    labels, units = generator.labels[seeds], generator.units[seeds]
    there = np.unique(generator.labels[generator.labels != UNLABELLED]).tolist()
    count = {label: len(np.unique(units[labels == label])) for label in there}
    return {label: number for label, number in count.items() if number < FEW_SEEDS}


def passing(draws: Draws, near: Neighbours, settings: IdentificationSettings, funnel: Funnel) -> Draws:
    """The draws that pass the filters on codes that are on, with the number left after each."""
    if settings.agreement:
        draws = draws.take(draws.agreement >= settings.agreement)
        funnel.append(("neighbours have the label", len(draws)))
    if settings.manifold:
        draws = draws.take(draws.distance <= near.usual)
        funnel.append(("near real images", len(draws)))
    return draws


def nothing_found(units: np.ndarray, images: int, settings: IdentificationSettings, funnel: Funnel) -> str:
    """What a search without errors says: how much was tried, and what that rules out."""
    independent = len(np.unique(units))
    most = 1 - CERTAIN ** (1 / independent)
    wrong = dict(funnel)["answered wrongly"]
    filtered = f" ({wrong:,} answers were wrong, but none passed the filters)" if wrong else ""
    return (
        f"No errors were found{filtered}: {images * settings.draws:,} draws around {images:,} images of "
        f"{independent:,} independent ones were tried, which rules out, at 95 %, that more than {most:.1%} of such "
        "images have an error that as many draws would find."
    )
