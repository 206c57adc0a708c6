"""A file of weights becomes a classifier, and a classifier a file; nothing in a file is ever executed."""

from engine.loading.checkpoints.checkpoint import SAVE_LINE, Checkpoint
from engine.loading.checkpoints.export import from_safetensors, to_pt, to_safetensors
from engine.loading.checkpoints.matching import Match, match
from engine.loading.checkpoints.opening import build_classifier, check_size, drawn, rebuild, with_weights
from engine.loading.checkpoints.reading import read_checkpoint
from engine.loading.checkpoints.suggesting import fitting_architectures, nearest_architecture

__all__ = [
    "SAVE_LINE",
    "Checkpoint",
    "Match",
    "build_classifier",
    "check_size",
    "drawn",
    "fitting_architectures",
    "from_safetensors",
    "match",
    "nearest_architecture",
    "read_checkpoint",
    "rebuild",
    "to_pt",
    "to_safetensors",
    "with_weights",
]
