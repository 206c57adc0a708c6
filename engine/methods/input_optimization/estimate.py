"""How many images a sweep asks about, and how long it and bringing images back will take, from a few of them."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import numpy as np
import torch
from torch import Tensor

from engine.methods.input_optimization.bring_back import step_rule
from engine.methods.input_optimization.criteria import of_settings
from engine.methods.input_optimization.curves import worst_grids
from engine.methods.input_optimization.optimise import Tally, advanced, refilled
from engine.methods.input_optimization.pairs import views_of
from engine.methods.input_optimization.result import Sweep
from engine.methods.input_optimization.settings import OptimisationSettings, SweepSettings
from engine.methods.input_optimization.sweep import chosen
from engine.methods.input_optimization.views import Views
from engine.runs.progress import Progress
from engine.subject.image_set import ImageSet
from engine.subject.subject import Subject
from engine.toolkit.frozen import frozen
from engine.toolkit.pace import FEW, pace

NETWORK_SECONDS, TRANSFORMS_SECONDS = 0.3, 0.4  # that finding out may take
EVALUATIONS = {"momentum": 14, "adam": 30, "paper": 400}  # a pair that has to move, on the built-in examples


def count_of_sweep(images: ImageSet, settings: SweepSettings, selection: Sequence[str] | None) -> tuple[int, int, int]:
    """Images, combinations of severities, and how often the network is asked about an image, the unchanged included.

    Raises ValueError where there is no image to sweep.
    """
    count, ways = len(chosen(images, settings, selection)), sum(len(grid.combinations) for grid in settings.grids)
    return count, ways, count * (1 + ways)


def seconds_of_sweep(subject: Subject, settings: SweepSettings, selection: Sequence[str] | None) -> float:
    """Seconds for all images and combinations, at the pace of the network and of the transforms of each grid.

    Raises ValueError where there is no image to sweep, and where the network gives NaN.
    """
    indices = chosen(subject.images, settings, selection)
    views = Views(subject, np.resize(indices, FEW), settings.seed)
    asking = pace(partial(ask, views), views.size, NETWORK_SECONDS)
    an_image = asking
    for grid in settings.grids:
        change = partial(transform, views, grid.families, grid.combinations)
        changing = pace(change, views.size, TRANSFORMS_SECONDS / len(settings.grids))
        an_image += len(grid.combinations) * (asking + changing)
    return len(indices) * an_image


def ask(views: Views, count: int) -> None:
    """Ask the network about so many images, a multiple of FEW."""
    views.outcomes((), np.zeros((count // FEW, 0)), Progress())


def transform(views: Views, families: Sequence[str], combinations: np.ndarray, count: int) -> None:
    """Change so many images by combinations (K, families) that lie evenly over all of them."""
    place = np.arange(count) * max(1, len(combinations) // count)
    rows, which = np.divmod(place, len(combinations))
    with torch.inference_mode():
        wait_for(views.transformed(rows % FEW, families, combinations[which]))


def seconds_of_optimisation(subject: Subject, sweep: Sweep, settings: OptimisationSettings) -> float:
    """Seconds to bring back the pairs that the sweep found to need it, each by a typical number of steps.

    How many steps a pair takes depends on the network and on how far it is thrown off; so this is rather a guess.
    Raises ValueError where the network lets no gradient through to its input.
    """
    count = pairs_to_move(sweep, settings)
    if count == 0:
        return 0.0
    views = views_of(subject, sweep, FEW)
    criterion, rule = of_settings(settings), step_rule(settings)

    def source(rows: Tensor) -> tuple[Tensor, Tensor]:
        these = rows.numpy() % len(views.ids)
        return views.images(these), torch.from_numpy(views.labels[these]).to(views.classifier.device)

    def step(count: int) -> None:
        batch = refilled(None, list(range(count)), source, rule, count)
        advanced(views.classifier, batch, criterion, rule, settings.most_steps, Tally())
        wait_for(batch.place)

    with frozen(subject.classifier):
        a_step = pace(step, views.size, NETWORK_SECONDS)
    return count * a_step * EVALUATIONS.get(settings.step_rule, settings.most_steps)


def pairs_to_move(sweep: Sweep, settings: OptimisationSettings) -> int:
    """How many pairs don't pass as they are; with the published rule, which moves all, how many there are."""
    grids = settings.grids or worst_grids(sweep, settings.worst)
    outcomes = [sweep.grids[number].outcomes for number in grids]
    if settings.step_rule == "paper":
        return sum(each.loss[: settings.images].size for each in outcomes)
    if settings.success == "loss":
        return sum(int((each.loss[: settings.images] > settings.loss_level).sum()) for each in outcomes)
    return sum(int((each.margin[: settings.images] < settings.margin_level).sum()) for each in outcomes)


def wait_for(images: Tensor) -> None:
    """Come back when the device has made the images."""
    images.flatten()[0].item()
