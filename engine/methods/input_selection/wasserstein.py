"""How much mass must be moved how far between maps: by angles, by rows and columns, by values, or exactly.

A map (c, h, w) is split into its positive and its negative part, each summed over channels and divided by its sum; a
part without mass counts as spread evenly. Distances are in cells, those of the two parts added. Maps of more than 32
cells a side are added up in blocks first.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from scipy.optimize import linprog
from scipy.sparse import csr_array
from scipy.spatial.distance import cdist

ANGLES = 16
SAMPLES = 2  # of a distribution function, a cell
MOST_CELLS = 32  # a side; larger maps are added up in blocks, for the memory's and the time's sake
NO_PLACES = (
    "this Wasserstein distance moves mass from place to place, and these features have no places: take the histogram "
    "distance, another metric or an earlier layer"
)


def transport(candidates: np.ndarray, maps: np.ndarray, kind: str, shape: tuple[int, int, int] | None) -> np.ndarray:
    """(n, k) the distances of candidates (n, F) to maps (k, F), laid out as `shape` (c, h, w).

    `sliced`: the mean over 16 directions of the one-dimensional distances (Bonneel et al. 2015); `marginal`: the sum
    of those of rows and of columns; `exact`: the least sum of mass times steps from cell to cell; `histogram`: of the
    sorted values, wherever they are (as the replication of MODE had it). ValueError but for the last where there is
    only one place.
    """
    if kind == "histogram":
        return histogram(candidates, maps)
    if shape is None or shape[1] * shape[2] == 1:
        raise ValueError(NO_PLACES)
    total = np.zeros((len(candidates), len(maps)))
    block = -(-max(shape[1:]) // MOST_CELLS)
    for sign in (1, -1):
        if (maps * sign > 0).any() or (candidates * sign > 0).any():
            ours, theirs = mass(candidates * sign, shape, block), mass(maps * sign, shape, block)
            total += exact(ours, theirs) if kind == "exact" else projected(ours, theirs, kind)
    return total * block


def histogram(candidates: np.ndarray, maps: np.ndarray) -> np.ndarray:
    """(n, k) the mean difference of sorted values, which is the distance of the values' distributions."""
    return cdist(np.sort(candidates, axis=1), np.sort(maps, axis=1), "cityblock") / candidates.shape[1]


def mass(values: np.ndarray, shape: tuple[int, int, int], block: int = 1) -> np.ndarray:
    """(n, h, w) the positive part of values (n, c * H * W), summed over channels and blocks, adding up to 1."""
    kept = np.maximum(values, 0).reshape(len(values), *shape).sum(axis=1, dtype=np.float64)
    if block > 1:
        for axis in (1, 2):
            kept = np.add.reduceat(kept, np.arange(0, kept.shape[axis], block), axis=axis)
    sums = kept.sum(axis=(1, 2), keepdims=True)
    return np.where(sums > 0, kept / np.where(sums > 0, sums, 1), 1 / (kept.shape[1] * kept.shape[2]))


def projected(ours: np.ndarray, theirs: np.ndarray, kind: str) -> np.ndarray:
    """(n, k) the distances of masses (n, h, w) and (k, h, w) projected onto lines, from their distribution functions.

    Mass that lies between two of their samples is shared by these.
    """
    functions = distributions(kind, *ours.shape[1:])
    first, second = (masses.reshape(len(masses), -1) @ functions for masses in (ours, theirs))
    return cdist(first, second, "cityblock")


@lru_cache(maxsize=4)
def distributions(kind: str, height: int, width: int) -> np.ndarray:
    """(h * w, samples of all lines) what takes a mass to its distribution functions, so weighted that sums are sought.

    `sliced`: along 16 directions, of which the mean is; `marginal`: along rows and columns.
    """
    angles = np.arange(ANGLES) * np.pi / ANGLES if kind == "sliced" else np.array([0, np.pi / 2])
    functions = np.hstack([distribution(angle, height, width) for angle in angles])
    functions /= len(angles) if kind == "sliced" else 1
    functions.flags.writeable = False  # it is shared
    return functions


def distribution(angle: float, height: int, width: int) -> np.ndarray:
    """(h * w, samples) what takes a mass to its distribution function along a direction, times their spacing."""
    down, right = np.indices((height, width)).reshape(2, -1)
    place = SAMPLES * (np.cos(angle) * right + np.sin(angle) * down)
    place -= place.min()
    samples = np.arange(np.ceil(place.max() - 1e-9))  # the last is 1 for every map
    return np.clip(samples - place[:, None] + 1, 0, 1) / SAMPLES


def exact(ours: np.ndarray, theirs: np.ndarray) -> np.ndarray:
    """(n, k) the least mass times steps (up, down, left, right) that turn masses (n, h, w) into others (k, h, w).

    As a flow between neighbouring cells, which needs far fewer unknowns than one from every cell to every other
    (Ling and Okada 2007).
    """
    moves = neighbours(*ours.shape[1:])
    cost = np.ones(moves.shape[1])
    found = np.empty((len(ours), len(theirs)))
    for row, own in enumerate(ours):
        for column, other in enumerate(theirs):
            change = (other - own).ravel()[:-1]
            found[row, column] = linprog(cost, A_eq=moves, b_eq=change, method="highs").fun
    return found


def neighbours(height: int, width: int) -> csr_array:
    """(h * w - 1, moves) what a move from a cell to its neighbour does to each cell but the last, which follows."""
    cells = np.arange(height * width).reshape(height, width)
    pairs = np.vstack(
        [
            np.stack([cells[:, :-1].ravel(), cells[:, 1:].ravel()], axis=1),
            np.stack([cells[:-1].ravel(), cells[1:].ravel()], axis=1),
        ]
    )
    pairs = np.vstack([pairs, pairs[:, ::-1]])
    move = np.arange(len(pairs))
    change = np.concatenate([np.full(len(pairs), -1.0), np.ones(len(pairs))])
    place = (np.concatenate([pairs[:, 0], pairs[:, 1]]), np.concatenate([move, move]))
    return csr_array((change, place), shape=(height * width, len(pairs)))[:-1]
