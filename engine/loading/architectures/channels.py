"""Numbers given for three channels, for a network that takes one."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import fmean


def averaged(values: Sequence[float], channels: int) -> tuple[float, ...]:
    """One number a channel: the three as they are, or their mean for grey images."""
    return tuple(values) if len(values) == channels else (fmean(values),) * channels
