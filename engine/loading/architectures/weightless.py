"""Build a network for its shapes alone, or straight from given weights; no global seed is touched."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from engine.loading.architectures import build
from engine.loading.architectures.of_timm import PREFIX as TIMM

FILLS = {
    *(torch.Tensor.normal_, torch.Tensor.uniform_, torch.Tensor.bernoulli_, torch.Tensor.random_),
    *(nn.init.uniform_, nn.init.normal_, nn.init.trunc_normal_, nn.init.orthogonal_),
    *(nn.init.kaiming_uniform_, nn.init.kaiming_normal_, nn.init.xavier_uniform_, nn.init.xavier_normal_),
}
DRAWS = {torch.rand, torch.randn, torch.randint, torch.randperm, torch.normal}


class OwnRandomness(TorchFunctionMode):
    """What is drawn in this thread inside the block comes from a generator of its own, not from the global one."""

    def __init__(self) -> None:
        super().__init__()
        self.generator = torch.Generator().manual_seed(0)

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Sequence[type],  # torch hands it in
        args: Sequence[Any] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        chosen = dict(kwargs or {})
        if func in FILLS:
            tensor = args[0] if args else chosen["tensor"]
            if tensor.is_meta:
                return tensor
            chosen["generator"] = self.generator
        elif func in DRAWS:
            chosen["generator"] = self.generator
        return func(*args, **chosen)


class Weightless(OwnRandomness):
    """Weights come to lie on the meta device; the small rest (buffers, tables) is computed as ever.

    `torch.device("meta")` would lose buffers outside the state_dict, and torchvision's RegNets compute with tensors.
    """

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Sequence[type],
        args: Sequence[Any] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        if func is torch.empty and (kwargs or {}).get("device") is None:
            kwargs = {**(kwargs or {}), "device": "meta"}
        return super().__torch_function__(func, types, args, kwargs)


def skeleton(name: str, outputs: int, channels: int) -> nn.Module:
    """The network without weights: its `state_dict` has names and shapes and next to no memory."""
    # timm leaves buffers in torch.empty until weights come, and expects the meta device to be everywhere
    with torch.device("meta") if name.startswith(TIMM) else Weightless():
        return build(name, outputs, channels)


def furnished(name: str, outputs: int, channels: int, tensors: Mapping[str, Tensor]) -> nn.Module:
    """The network with these weights, copied into its own dtype, in evaluation mode.

    `tensors` has one for each name of its `state_dict()`, of the same shape.
    """
    with OwnRandomness() if name.startswith(TIMM) else Weightless():
        network = build(name, outputs, channels)
    given: dict[int, nn.Parameter] = {}  # two names of one weight stay one weight
    for path, module in network.named_modules():
        start = f"{path}." if path else ""
        for key, weight in list(module.named_parameters(recurse=False)):
            if id(weight) not in given:
                copy = copied(tensors[start + key], weight.dtype)
                given[id(weight)] = nn.Parameter(copy, requires_grad=weight.requires_grad)
            setattr(module, key, given[id(weight)])
        for key, buffer in list(module.named_buffers(recurse=False)):
            if start + key in tensors:
                setattr(module, key, copied(tensors[start + key], buffer.dtype))
    return network.eval()


def copied(tensor: Tensor, dtype: torch.dtype) -> Tensor:
    """A contiguous copy on the CPU."""
    return tensor.detach().to("cpu", dtype, copy=True, memory_format=torch.contiguous_format)
