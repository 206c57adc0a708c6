"""Lines through a sweep: combinations in the order of their severity, such as images are laid out against."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from engine.methods.input_optimization.result import Swept
from engine.methods.input_optimization.wording import shown_number, shown_unit
from engine.toolkit.transforms.families import family_named
from pages.parts.input_optimization.scene import Scene, brushed

MOST_COLUMNS = 8


@dataclass(frozen=True)
class Line:
    """Some combinations of a grid, in order; `families` are those that vary, `heads` and `unit` say by how much."""

    name: str
    families: tuple[str, ...]
    grid: int
    combinations: np.ndarray
    heads: tuple[str, ...]
    unit: str


def lines_of(scene: Scene) -> dict[str, Line]:
    """Every line by its name: each family with the others left alone, and those swept together step by step."""
    found: dict[str, Line] = {}
    for grid, swept in enumerate(scene.sweep.grids):
        sets = [(name,) for name in swept.families] + ([swept.families] if len(swept.families) > 1 else [])
        for families in sets:
            combinations = along(swept, families)
            if len(combinations):
                line = laid_out(swept, grid, families, thinned(narrowed(scene, grid, combinations)))
                found.setdefault(line.name, line)
    return found


def along(swept: Swept, families: tuple[str, ...]) -> np.ndarray:
    """The combinations (n,) that vary these families in step, the others at their identity."""
    vary = np.array([name in families for name in swept.families])
    size = np.abs(swept.severities)
    # in step: the same place among a family's own severities, which need not be the same numbers
    steps = np.stack([np.unique(column, return_inverse=True)[1] for column in size.T], axis=1)
    in_step = (steps[:, vary] == steps[:, vary][:, :1]).all(axis=1) & (size[:, vary] > 0).all(axis=1)
    same_side = (swept.severities[:, vary] > 0).all(axis=1) | (len(families) == 1)
    these = np.flatnonzero(in_step & same_side & (size[:, ~vary] == 0).all(axis=1))
    return these[np.argsort(swept.severities[these][:, vary][:, 0], kind="stable")]


def narrowed(scene: Scene, grid: int, combinations: np.ndarray) -> np.ndarray:
    """Those that are brushed on the map of transforms, all where none of them is."""
    here = brushed(scene, "transform")
    if not len(here) or scene.way_back is None or scene.way_back.transforms is None:
        return combinations
    found = scene.way_back.transforms
    inside = np.isin(combinations, found.combination[here[found.grid[here] == grid]])
    return combinations[inside] if inside.any() else combinations


def thinned(combinations: np.ndarray) -> np.ndarray:
    """At most as many as there is room for, evenly."""
    places = np.linspace(0, len(combinations) - 1, min(MOST_COLUMNS, len(combinations))).round().astype(int)
    return combinations[places]


def laid_out(swept: Swept, grid: int, families: tuple[str, ...], combinations: np.ndarray) -> Line:
    """A line with its words."""
    told = [family_named(name) for name in families]
    columns = [swept.families.index(name) for name in families]
    heads = tuple(
        " / ".join(shown_number(each, float(row[column])) for each, column in zip(told, columns, strict=True))
        for row in swept.severities[combinations]
    )
    units = " / ".join(shown_unit(each) for each in told)
    return Line(" + ".join(each.title for each in told), families, grid, combinations, heads, units)
