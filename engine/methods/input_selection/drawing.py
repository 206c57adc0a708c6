"""Which images of a role are looked into, where there are more than can be."""

from __future__ import annotations

import hashlib

import numpy as np

from engine.subject.image_set import UNLABELLED, ImageSet, Role


def drawn(images: ImageSet, role: Role | str, most: int) -> np.ndarray:
    """The indices of at most so many images of the role, in their order.

    All labels keep the same number, but for one, or all that they have: none loses images while another keeps more.
    Images without a label only take places that are left. The hash of the ids decides which of a label are kept.
    """
    own = images.indices(role)
    if len(own) <= most:
        return own
    hashes = np.array([hashlib.sha256(each.encode()).hexdigest() for each in images.ids[own].tolist()])
    shuffled = own[np.argsort(hashes, kind="stable")]
    labels = images.labels[shuffled]
    turn = turns(labels)
    turn[labels == UNLABELLED] = len(own)  # after all others
    return np.sort(shuffled[np.argsort(turn, kind="stable")[:most]])


def turns(labels: np.ndarray) -> np.ndarray:
    """(n,) int64, how many of the same label each of labels (n,) has before it."""
    order = np.argsort(labels, kind="stable")
    _, start, count = np.unique(labels[order], return_index=True, return_counts=True)
    found = np.empty(len(labels), dtype=np.int64)
    found[order] = np.arange(len(labels)) - np.repeat(start, count)
    return found


def left_out(images: ImageSet, role: Role | str, most: int) -> str:
    """A sentence on what is not looked into; "" where all is."""
    count = len(images.indices(role))
    if count <= most:
        return ""
    return f"Of the {count:,} images of {role} only {most:,} are looked into, as evenly out of all labels as there are."
