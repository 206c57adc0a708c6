"""Where networks compute: picked once, when a subject is built."""

from __future__ import annotations

import torch


def best_device() -> torch.device:
    """The accelerator if the machine has one that PyTorch can use, else the processor."""
    if torch.accelerator.is_available():
        found = torch.accelerator.current_accelerator()
        if found is not None:
            return found
    return torch.device("cpu")
