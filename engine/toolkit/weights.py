"""A network's weights as plain bytes, for a result to keep."""

from __future__ import annotations

import numpy as np
import safetensors.torch
from torch import nn


def saved(network: nn.Module) -> np.ndarray:
    """The weights and buffers as the bytes of a safetensors file, uint8."""
    state = {name: tensor.detach().cpu().contiguous() for name, tensor in network.state_dict().items()}
    return np.frombuffer(safetensors.torch.save(state), dtype=np.uint8)
