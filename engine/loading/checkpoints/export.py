"""A classifier becomes a file that opens again with no questions, here and in plain PyTorch."""

from __future__ import annotations

import io
import json
from dataclasses import asdict

import safetensors
import safetensors.torch
import torch
from torch import Tensor

from engine.loading.checkpoints.opening import rebuild
from engine.loading.checkpoints.reading import METADATA
from engine.subject.blueprint import Blueprint
from engine.subject.classifier import Classifier


def to_safetensors(classifier: Classifier) -> bytes:
    """The weights, with the blueprint in the file's metadata."""
    metadata = {METADATA: json.dumps(classifier.blueprint.to_json())}
    return safetensors.torch.save(weights(classifier), metadata)


def from_safetensors(content: bytes) -> Classifier:
    """The classifier that `to_safetensors` wrote; ValueError where the content is nothing of the kind."""
    try:
        tensors = safetensors.torch.load(content)
        header = json.loads(content[8 : 8 + int.from_bytes(content[:8], "little")])
        blueprint = Blueprint.from_json(json.loads(header["__metadata__"][METADATA]))
    except (safetensors.SafetensorError, KeyError, TypeError, ValueError) as error:
        raise ValueError("this is no classifier that was saved here, or it was damaged since") from error
    return rebuild(blueprint, tensors)


def to_pt(classifier: Classifier) -> bytes:
    """What torch.save writes of `state_dict`, `classes`, `preprocessing` and `architecture`; plain values only."""
    blueprint = classifier.blueprint
    content = {
        "state_dict": weights(classifier),
        "classes": list(blueprint.classes),
        "preprocessing": asdict(blueprint.preprocessing),
        "architecture": blueprint.architecture,
    }
    file = io.BytesIO()
    torch.save(content, file)
    return file.getvalue()


def weights(classifier: Classifier) -> dict[str, Tensor]:
    """The network's weights and buffers on the CPU, each with memory of its own."""
    state = classifier.network.state_dict()
    return {key: tensor.detach().cpu().clone(memory_format=torch.contiguous_format) for key, tensor in state.items()}
