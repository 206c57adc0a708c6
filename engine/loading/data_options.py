"""A person's choices about a data set, made when it is loaded."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from engine.loading.torchvision_sets import check_name

SEEN = ("yes", "no", "unknown")


@dataclass(frozen=True)
class DataOptions:
    """How a data set is to be read.

    `left_out` and `renamed` (old name: new name) speak of classes by the names that the data gives them, `order` by
    their new ones, all of them. `seen` says whether the classifier trained on the images that the data doesn't hold
    back as val or test. `torchvision` is a name of `torchvision_sets.SETS`, its root being the path. `transposed` and
    `first_label` are for IDX and .npz: whether rows and columns are exchanged, and the number that labels start from;
    None: what the file's name says (EMNIST), else upright and 0.
    """

    left_out: tuple[str, ...] = ()
    renamed: Mapping[str, str] = field(default_factory=dict, hash=False)
    order: tuple[str, ...] = ()
    seen: str = "unknown"
    torchvision: str = ""
    transposed: bool | None = None
    first_label: int | None = None

    def __post_init__(self) -> None:
        for name in ("left_out", "order"):
            names = getattr(self, name)
            if isinstance(names, str):
                raise ValueError(f"{name} must be several class names, got the one text {names!r}")
            object.__setattr__(self, name, tuple(names))
        object.__setattr__(self, "renamed", dict(self.renamed))
        if self.seen not in SEEN:
            raise ValueError(f"seen must be one of {', '.join(SEEN)}, got {self.seen!r}")
        if self.torchvision:
            check_name(self.torchvision)
        if empty := [old for old, new in self.renamed.items() if not new.strip()]:
            raise ValueError(f"the class {empty[0]!r} needs a new name that isn't empty")

    def to_json(self) -> dict[str, Any]:
        """Plain values only; `from_json` gives the options back."""
        return asdict(self)

    @classmethod
    def from_json(cls, said: dict[str, Any]) -> DataOptions:
        """The options that `to_json` wrote down."""
        return cls(**said)
