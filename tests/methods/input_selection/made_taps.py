"""Small Taps and Probes by hand."""

import numpy as np

from engine.methods.input_selection.result import Probes, Tap, TappedRole, Taps


def made_role(
    role, labels, predictions=None, features=None, confidence=4.0, classes=3, seen=0, units=None, logits=None
):
    labels = np.asarray(labels, dtype=np.int64)
    n = len(labels)
    if logits is None:
        logits = np.zeros((n, classes), np.float32)
        logits[np.arange(n), labels if predictions is None else predictions] = confidence
    if features is None:
        features = np.random.default_rng(n).standard_normal((n, 4))
    ids = np.array([f"{role}{number:04d}" for number in range(n)])
    return TappedRole(
        role,
        ids,
        labels,
        ids if units is None else np.asarray(units),
        np.full(n, seen, np.int8),
        np.asarray(logits, np.float32),
        (np.asarray(features, np.float32),),
    )


def made_taps(*roles, grid=1, classes=3):
    width = roles[0].features[0].shape[1]
    tap = Tap("block", width // grid**2, grid)
    return Taps(tuple("abcdefghij"[:classes]), (tap,), roles)


def made_probes(taps, weights=None):
    """Probes whose features are standardised already; without weights, those of ones."""
    width, classes = taps.roles[0].features[0].shape[1], len(taps.classes)
    weights = np.ones((width, classes)) if weights is None else np.asarray(weights)
    nothing = np.full((1, classes), np.nan)
    found = taps.role("diagnosis") or taps.roles[0]
    return Probes(
        "ridge", nothing, nothing, np.array([0.5]), np.array([0.5]),
        np.zeros((1, len(found.ids)), bool), np.zeros((1, 0), bool), np.zeros((1, len(found.ids)), bool),
        (weights.astype(np.float32),), (np.zeros(width, np.float32),), (np.ones(width, np.float32),), nothing,
    )  # fmt: skip
