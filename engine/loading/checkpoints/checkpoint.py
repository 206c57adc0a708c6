"""What a file of weights holds, whatever wrote it."""

from __future__ import annotations

from dataclasses import dataclass, field

from torch import Tensor

from engine.subject.preprocessing import Preprocessing

SAVE_LINE = 'torch.save(model.state_dict(), "weights.pth")'


@dataclass(frozen=True, eq=False)
class Checkpoint:
    """Weights by name, and what rode along with them.

    `tensors` are dense, on the CPU and may be memory-mapped from the file; wrappers' prefixes are gone. `classes` are
    in the order of the outputs; they, `architecture` and `preprocessing` are empty where the file does not say.
    `remarks` tell what was unwrapped, stripped or passed over.
    """

    name: str
    tensors: dict[str, Tensor] = field(repr=False)
    classes: tuple[str, ...] = ()
    architecture: str = ""
    preprocessing: Preprocessing | None = None
    remarks: tuple[str, ...] = ()


def refusal(name: str, cause: str) -> ValueError:
    """The error for a file that can't be opened: the cause, and the line that makes one that can."""
    return ValueError(f"{name} {cause}; a file that can be opened is saved with {SAVE_LINE}")
