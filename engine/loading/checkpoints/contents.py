"""Find the weights in what was saved, undo what wrapped them, and read what rode along."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from torch import Tensor

from engine.loading.checkpoints.checkpoint import refusal
from engine.subject.preprocessing import Preprocessing
from engine.subject.subject import listed

CONTAINERS = (
    *("state_dict", "model_state_dict", "model", "net", "network"),
    *("model_ema", "state_dict_ema", "ema", "module"),
)
CLASS_NAMES = ("classes", "class_names", "class_to_idx", "idx_to_class", "names")
# DataParallel, torch.compile, Opacus, and the usual names of a network inside a larger module
WRAPPERS = ("module.", "_orig_mod.", "_module.", "model.", "net.", "network.", "backbone.")
# torchvision renamed these layers after publishing weights under the old names
OLD_NAMES = (
    (re.compile(r"(denselayer\d+\.(?:norm|relu|conv))\.([12])\."), r"\1\2."),
    (re.compile(r"(encoder_layer_\d+\.mlp)\.linear_1\."), r"\1.0."),
    (re.compile(r"(encoder_layer_\d+\.mlp)\.linear_2\."), r"\1.3."),
)
DEEPEST = 4


@dataclass(frozen=True)
class Described:
    """What a file says beside its weights; empty where it says nothing."""

    classes: tuple[str, ...] = ()
    architecture: str = ""
    preprocessing: Preprocessing | None = None
    remarks: tuple[str, ...] = ()


def state_dict_in(content: Any, name: str) -> tuple[dict[str, Tensor], tuple[str, ...]]:
    """The weights by name, out of their containers, with remarks on the way there; ValueError where there are none."""
    path: list[str] = []
    remarks: tuple[str, ...] = ()
    while isinstance(content, Mapping) and len(path) < DEEPEST:
        inside = [key for key in CONTAINERS if holds_weights(content.get(key))]
        own = {key: value.detach() for key, value in content.items() if named_tensor(key, value)}
        if not inside and own:
            if path:
                remarks = (f"the weights are those under {'.'.join(path)}", *remarks)
            return own, remarks
        others = [key for key, value in content.items() if isinstance(key, str) and has_tensors(value)]
        if not inside and len(others) > 1:
            raise refusal(
                name, f"holds {len(others)} sets of weights ({listed(others)}), and none is marked as the model"
            )
        if not inside and not others:
            break
        if len(inside) > 1:
            remarks = (*remarks, f"passed over the weights under {listed(inside[1:])}")
        path.append((inside or others)[0])
        content = content[path[-1]]
    raise refusal(name, "holds no weights by name")


def named_tensor(key: Any, value: Any) -> bool:
    """Whether an entry of a dict is a weight with its name."""
    return isinstance(key, str) and isinstance(value, Tensor)


def has_tensors(value: Any) -> bool:
    """Whether this is a dict with weights directly in it."""
    return isinstance(value, Mapping) and any(named_tensor(*entry) for entry in value.items())


def holds_weights(value: Any, depth: int = 1) -> bool:
    """Whether this is a dict with weights in it or in a container in it."""
    if has_tensors(value):
        return True
    deeper = isinstance(value, Mapping) and depth < DEEPEST
    return deeper and any(holds_weights(value.get(key), depth + 1) for key in CONTAINERS)


def current_names(tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    """The weights under the names that their layers have today, also inside compiled parts."""
    renamed = {}
    for name, tensor in tensors.items():
        if not name.startswith("_orig_mod."):  # in front it is a wrapper, and remarked on as one
            name = name.replace("._orig_mod.", ".")
        for old, new in OLD_NAMES:
            name = old.sub(new, name)
        renamed[name] = tensor
    return renamed


def without_wrappers(tensors: dict[str, Tensor]) -> tuple[dict[str, Tensor], tuple[str, ...]]:
    """The weights without the prefixes that all of their names share, and a remark on those."""
    stripped = ""
    while prefix := next((start for start in WRAPPERS if all(name.startswith(start) for name in tensors)), ""):
        tensors = {name.removeprefix(prefix): tensor for name, tensor in tensors.items()}
        stripped += prefix
    return tensors, (f"stripped {stripped} from every name",) if stripped else ()


def described(content: Any) -> Described:
    """Class names, architecture and preprocessing that were saved with the weights."""
    if not isinstance(content, Mapping):
        return Described()
    remarks = []
    classes: tuple[str, ...] = ()
    for key in CLASS_NAMES:
        if key in content and not classes:
            classes = class_names(content[key])
            remarks.append(
                f"the class names are those under {key}" if classes else f"{key} holds no usable class names"
            )
    architecture = next((said for key in ("architecture", "arch") if isinstance(said := content.get(key), str)), "")
    return Described(classes, architecture, preprocessing_in(content.get("preprocessing")), tuple(remarks))


def class_names(said: Any) -> tuple[str, ...]:
    """Names in the order of the outputs, from a list, {index: name} or {name: index}; empty where they aren't that."""
    if isinstance(said, Mapping):
        try:
            if all(isinstance(index, int) for index in said.values()):
                said = {index: name for name, index in said.items()}
            ordered = {int(index): name for index, name in said.items()}
        except (TypeError, ValueError):
            return ()
        if len(ordered) != len(said) or sorted(ordered) != list(range(len(ordered))):
            return ()
        said = [ordered[index] for index in range(len(ordered))]
    if not isinstance(said, (list, tuple)) or not all(isinstance(name, (str, int)) for name in said):
        return ()
    names = tuple(str(name) for name in said)
    return names if len(set(names)) == len(names) else ()


def preprocessing_in(said: Any) -> Preprocessing | None:
    """The preprocessing that an exported file carries; None where it carries none that makes sense."""
    if not isinstance(said, Mapping):
        return None
    try:
        return Preprocessing(**{**said, "mean": tuple(said["mean"]), "std": tuple(said["std"])})
    except (KeyError, TypeError, ValueError):
        return None
