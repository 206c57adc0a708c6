"""The networks a checkpoint can be opened as, by exact name; a name never reaches the network or runs foreign code.

`resnet18` is torchvision's, `timm/resnet18` is timm's, `spinal_vgg` is SpinalNet's, and the rest are small nets of
our own. Nothing here imports torch before a network is built.
"""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING

from engine.loading.architectures import of_timm, of_torchvision, own
from engine.subject.preprocessing import Preprocessing

if TYPE_CHECKING:
    from torch import nn

MOST_OUTPUTS = 100_000


def names() -> list[str]:
    """Our own nets and torchvision's classifiers; `timm_names` has the many more of timm."""
    return [*own.NAMES, *of_torchvision.NAMES]


def timm_names() -> list[str]:
    """timm's names as used here, `timm/` before each; imports timm, which takes seconds."""
    return of_timm.names()


def is_known(name: str) -> bool:
    """Whether a network can be built by this name."""
    return name in own.NAMES or name in of_torchvision.NAMES or of_timm.is_known(name)


def check_known(name: str) -> None:
    """Raise ValueError, with the names that look alike, where no network has this name."""
    if is_known(name):
        return
    known = names() + (timm_names() if name.startswith(of_timm.PREFIX) else [])
    close = difflib.get_close_matches(name, known, n=3)
    instead = f"did you mean {' or '.join(close)}?" if close else "use a torchvision name, or timm/ and a timm name"
    raise ValueError(f"there is no architecture called {name!r}; {instead}")


def build(name: str, outputs: int, channels: int) -> nn.Module:
    """The network with random weights, taking (N, channels, H, W) and giving (N, outputs) in evaluation mode.

    Raises ValueError where the name is unknown or a number is out of range.
    """
    check_known(name)
    if not 1 <= outputs <= MOST_OUTPUTS:
        raise ValueError(f"a network must have 1 to {MOST_OUTPUTS} outputs, got {outputs}")
    if channels not in (1, 3):
        raise ValueError(f"images have 1 channel (grey) or 3 (colour), got {channels}")
    if name in own.NAMES:
        return own.build(name, outputs, channels)
    if name.startswith(of_timm.PREFIX):
        return of_timm.build(name, outputs, channels)
    return of_torchvision.build(name, outputs, channels)


def default_preprocessing(name: str, channels: int) -> Preprocessing:
    """What the network's published weights expect, for 1 or 3 channels; a starting point that a person may edit."""
    check_known(name)
    if name in own.NAMES:
        return own.preprocessing(name, channels)
    if name.startswith(of_timm.PREFIX):
        return of_timm.preprocessing(name, channels)
    return of_torchvision.preprocessing(name, channels)
