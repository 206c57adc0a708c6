"""How a classifier was built: enough to save it, name it and build it again, without its weights."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Any

from engine.subject.preprocessing import Preprocessing


@dataclass(frozen=True)
class Blueprint:
    """A classifier without its weights.

    `architecture` is a name of the registry in `engine.loading.architectures`; `outputs` and `channels` are the
    network's own (outputs 1 means one sigmoid logit for two classes); `weights` is the SHA-256 of the tensors.
    """

    name: str
    architecture: str
    outputs: int
    channels: int
    classes: tuple[str, ...]
    preprocessing: Preprocessing
    weights: str

    def __post_init__(self) -> None:
        expected = max(2, self.outputs)
        if len(self.classes) != expected:
            given = "1 name was" if len(self.classes) == 1 else f"{len(self.classes)} names were"
            raise ValueError(f"the network tells {expected} classes apart, but {given} given")
        twice = sorted({name for name in self.classes if self.classes.count(name) > 1})
        if twice:
            raise ValueError(f"each class needs a name of its own; used twice: {', '.join(twice)}")

    @cached_property
    def fingerprint(self) -> str:
        """The same network with the same preprocessing and classes has the same one, whatever it is called."""
        said = {key: value for key, value in asdict(self).items() if key != "name"}
        return hashlib.sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()[:16]

    def to_json(self) -> dict[str, Any]:
        """Plain values only; `from_json` gives the blueprint back."""
        return asdict(self)

    @classmethod
    def from_json(cls, said: dict[str, Any]) -> Blueprint:
        """The blueprint that `to_json` wrote down."""
        preprocessing = dict(said["preprocessing"])
        preprocessing["mean"], preprocessing["std"] = (
            tuple(preprocessing["mean"]),
            tuple(preprocessing["std"]),
        )
        return cls(**{**said, "classes": tuple(said["classes"]), "preprocessing": Preprocessing(**preprocessing)})
