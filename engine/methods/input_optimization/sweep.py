"""The sweep: every image under every combination of severities, in whole batches that mix them."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import numpy as np

from engine.methods.input_optimization.result import Outcomes, Sweep, Swept
from engine.methods.input_optimization.settings import Grid, SweepSettings
from engine.methods.input_optimization.views import Views
from engine.runs.progress import Progress
from engine.subject.image_set import UNLABELLED, ImageSet, Role
from engine.subject.subject import Subject
from engine.toolkit.transforms.families import family_named

MOST_BYTES = 4 << 30  # of the images as they are held in memory


def sweep(subject: Subject, settings: SweepSettings, selection: Sequence[str] | None, progress: Progress) -> Sweep:
    """Put images through every grid; raises ValueError where there is none to put, and where the network gives NaN.

    A first pass takes half and full severities, a second the others, so that curves show soon.
    """
    check_fit(subject.images, settings.grids)
    indices = chosen(subject.images, settings, selection)
    views = Views(subject, indices, settings.seed)
    clean = progress.kept("clean", lambda: views.clean(progress))
    work = [(grid, coarse) for coarse in (True, False) for grid in range(len(settings.grids))]
    sizes = [int(np.count_nonzero(is_coarse(settings.grids[grid]) == coarse)) for grid, coarse in work]
    found: list[dict[str, np.ndarray]] = [{} for _ in settings.grids]
    done = 0
    for (number, coarse), size in zip(work, sizes, strict=True):
        grid = settings.grids[number]
        these = np.flatnonzero(is_coarse(grid) == coarse)
        part = progress.part(done / sum(sizes), (done + size) / sum(sizes))

        def ask(grid: Grid = grid, these: np.ndarray = these, part: Progress = part) -> dict[str, np.ndarray]:
            return views.outcomes(grid.families, grid.combinations[these], part)

        piece = progress.kept(f"grid {number} {'coarse' if coarse else 'fine'}", ask) if size else {}
        found[number] = merged(found[number], piece, these, len(grid.combinations))
        done += size
        progress.show(curves_so_far(settings.grids, found, clean, views.labels))
    return Sweep(
        classes=subject.blueprint.classes,
        ids=subject.images.ids[indices],
        labels=subject.images.labels[indices],
        units=subject.images.units()[indices],
        clean=Outcomes(**clean),
        grids=tuple(
            Swept(grid.families, grid.combinations, Outcomes(**columns))
            for grid, columns in zip(settings.grids, found, strict=True)
        ),
        seed=settings.seed,
        evaluations=len(indices) * (1 + sum(sizes)),
    )


def check_fit(images: ImageSet, grids: Sequence[Grid]) -> None:
    """Raise ValueError where a family doesn't fit the images."""
    for name in sorted({name for grid in grids for name in grid.families}):
        if reason := family_named(name).misfit(images.frame.channels):
            raise ValueError(f"{family_named(name).title.lower()} doesn't fit: {reason}")


def chosen(images: ImageSet, settings: SweepSettings, selection: Sequence[str] | None) -> np.ndarray:
    """The indices of the images to sweep, in an order that their ids decide; of a selection all that may be looked at.

    Those have a label, and are not of `test`. The first few are a fair draw of all, one of each unit as long as there
    are others.
    """
    if selection is None:
        indices = images.indices(settings.role)
    else:
        known = [each for each in dict.fromkeys(selection) if each in images.position]
        indices = np.array([images.position[each] for each in known], dtype=np.int64)
        indices = indices[images.roles[indices] != Role.TEST]
    indices = indices[images.labels[indices] != UNLABELLED]
    if len(indices) == 0:
        where = "in the selection, test left out" if selection is not None else f"with the role {settings.role!r}"
        raise ValueError(f"there is no labelled image {where}, so nothing can be said to break")
    drawn_by_hash = np.array([hashlib.sha256(each.encode()).hexdigest() for each in images.ids[indices].tolist()])
    indices = indices[np.argsort(drawn_by_hash, kind="stable")]
    _, unit = np.unique(images.units()[indices], return_inverse=True)
    indices = indices[np.argsort(turn_of(unit), kind="stable")]
    indices = indices if selection is not None else indices[: settings.images]
    frame = images.frame
    size = len(indices) * frame.channels * frame.height * frame.width
    if size > MOST_BYTES:
        raise ValueError(f"{len(indices):,} images take {size / 1e9:.1f} GB of memory; choose fewer")
    return indices


def turn_of(unit: np.ndarray) -> np.ndarray:
    """(n,) how many of the same unit came before."""
    order = np.argsort(unit, kind="stable")
    first = np.r_[True, unit[order][1:] != unit[order][:-1]]
    starts = np.maximum.accumulate(np.where(first, np.arange(len(unit)), 0))
    turns = np.empty(len(unit), dtype=np.int64)
    turns[order] = np.arange(len(unit)) - starts
    return turns


def is_coarse(grid: Grid) -> np.ndarray:
    """(K,) bool, the combinations of the first pass: on each side the last severity and the middle one."""
    coarse = np.ones(len(grid.combinations), dtype=bool)
    for column, those in enumerate(grid.severities):
        wanted = {0.0}
        for side in ([s for s in those if s > 0], [s for s in reversed(those) if s < 0]):
            wanted |= {side[-1], side[(len(side) - 1) // 2]} if side else set()
        coarse &= np.isin(grid.combinations[:, column], list(wanted))
    return coarse


def merged(
    before: dict[str, np.ndarray], piece: dict[str, np.ndarray], these: np.ndarray, count: int
) -> dict[str, np.ndarray]:
    """The columns (N, count) with a piece (N, these) put in its place; what is not known yet is NaN or -1."""
    whole = dict(before)
    for name, values in piece.items():
        if name not in whole:
            missing = -1 if values.dtype == np.int64 else np.nan
            whole[name] = np.full((len(values), count), missing, dtype=values.dtype)
        whole[name][:, these] = values
    return whole


def curves_so_far(
    grids: Sequence[Grid], found: Sequence[dict[str, np.ndarray]], clean: dict[str, np.ndarray], labels: np.ndarray
) -> dict[str, list[tuple[float, float]]]:
    """For each family that is swept alone, the severities known so far with their accuracy."""
    curves = {}
    for grid, columns in zip(grids, found, strict=True):
        if len(grid.families) > 1 or not columns:
            continue
        known = np.flatnonzero(columns["prediction"][0] >= 0)
        accuracy = (columns["prediction"][:, known] == labels[:, None]).mean(axis=0)
        points = [(0.0, float((clean["prediction"][:, 0] == labels).mean()))]
        points += zip(grid.combinations[known, 0].tolist(), accuracy.tolist(), strict=True)
        curves[grid.families[0]] = sorted(points)
    return curves
