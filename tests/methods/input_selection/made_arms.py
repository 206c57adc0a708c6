"""Runs of arms whose outcome is known."""

import numpy as np

from engine.methods.input_selection.result import Picks, Retrained

RANDOM = [0.50, 0.55, 0.61, 0.52, 0.58, 0.49, 0.57, 0.60]
SAME = [0.80, 0.83, 0.85, 0.79, 0.86, 0.81, 0.84, 0.82]
HELPS = [0.88, 0.90, 0.91, 0.89, 0.95, 0.90, 0.90, 0.92]
NOTHING = [0.81, 0.82, 0.84, 0.80, 0.87, 0.80, 0.83, 0.83]


def retrained(strategy, seed, recall, accuracy=0.9):
    """Two rounds, in which target recall rises in a straight line from 0.2, on one image of test a seed of its own."""
    flat = np.full(3, 0.5)
    empty = np.empty(0)
    picks = Picks(*[empty.astype(kind) for kind in (str, int, int, float, int, bool, bool)], ())
    return Retrained(
        strategy, seed, (1,), ("", ""), np.array([0.8, 0.85, accuracy]), np.linspace(0.2, recall, 3), flat, flat,
        np.array([0.0, 5.0, 7.0 + seed]), np.zeros(3), flat, np.array([str(seed)]), np.array([str(seed)]),
        np.zeros(1, int), np.zeros(1, int), np.zeros(1, bool), picks, np.empty(0, np.uint8),
    )  # fmt: skip


def runs_of(recalls, accuracy=None):
    """One run an arm and seed; accuracy varies a little with the seed."""
    return [
        retrained(name, seed, value, (accuracy or {}).get(name, 0.9) + 0.001 * (ord(name[0]) * seed % 7))
        for name, values in recalls.items()
        for seed, value in enumerate(values)
    ]
