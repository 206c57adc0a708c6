"""Which of the data's classes are kept, what they are called, and in which order."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import numpy as np

from engine.loading.data_options import DataOptions
from engine.loading.found import Found
from engine.subject.image_set import UNLABELLED
from engine.subject.subject import listed


def with_chosen_classes(found: Found, options: DataOptions) -> Found:
    """The images of the classes that are kept, classes renamed and in the order asked for.

    Raises ValueError where the options name a class that the data doesn't have, or don't leave a name for each.
    """
    check_known([*options.left_out, *options.renamed], found.classes)
    kept = [name for name in found.classes if name not in options.left_out]
    called = {name: options.renamed.get(name, name) for name in kept}
    if twice := sorted({name for name in called.values() if list(called.values()).count(name) > 1}):
        raise ValueError(f"two classes would be called {twice[0]}; give each a name of its own")
    order = ordered(tuple(called.values()), options.order)
    position = {name: order.index(new) for name, new in called.items()}
    table = np.array([position.get(name, UNLABELLED) for name in found.classes] + [UNLABELLED], dtype=np.int64)
    stays = (found.labels == UNLABELLED) | (table[found.labels] != UNLABELLED)
    if len(found) and not stays.any():
        raise ValueError("no image is left, since every class that has images was left out")
    gone = int((~stays).sum())
    remarks = found.remarks
    if gone:
        remarks += (f"Images left out with their classes ({listed(options.left_out)}): {gone:,}.",)
        found = found.take(np.flatnonzero(stays))
    return replace(found, classes=order, labels=table[found.labels], remarks=remarks)


def check_known(names: Iterable[str], classes: tuple[str, ...]) -> None:
    """Raise ValueError for a name that is no class of the data."""
    if strangers := [name for name in names if name not in classes]:
        raise ValueError(f"the data has no class {strangers[0]!r}; it has {listed(classes, 20) or 'no classes'}")


def ordered(names: tuple[str, ...], order: tuple[str, ...]) -> tuple[str, ...]:
    """The names in the order asked for, as they are if none was; each must be in it once."""
    if not order:
        return names
    check_known(order, names)
    if missing := [name for name in names if name not in order]:
        raise ValueError(f"the order of the classes doesn't say where {listed(missing)} comes; name each class once")
    if len(order) != len(names):
        raise ValueError("the order of the classes names one of them twice; name each class once")
    return order
