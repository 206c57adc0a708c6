"""A checkpoint and an architecture become a classifier."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import torch
from safetensors.torch import load
from torch import Tensor

from engine.loading.architectures import build, default_preprocessing
from engine.loading.architectures.weightless import furnished, skeleton
from engine.loading.checkpoints.checkpoint import Checkpoint
from engine.loading.checkpoints.matching import Match, match
from engine.loading.checkpoints.shapes import shapes
from engine.loading.checkpoints.suggesting import nearest_architecture
from engine.subject.blueprint import Blueprint
from engine.subject.classifier import Classifier, weights_hash
from engine.subject.preprocessing import Preprocessing
from engine.subject.subject import listed
from engine.toolkit.seeding import seeded

MOST_NAMED = 4


def build_classifier(
    checkpoint: Checkpoint,
    architecture: str,
    name: str,
    classes: Sequence[str] | None = None,
    preprocessing: Preprocessing | None = None,
) -> Classifier:
    """The classifier, in evaluation mode on the CPU; what isn't given is the checkpoint's, then the architecture's.

    Classes that nobody named are called 0, 1, 2 and so on. Raises ValueError where the weights don't fit the
    architecture (what is missing, surplus or of another shape is named, and the nearest architecture), where there
    are not as many class names as the network tells apart, and where it can't take images of the size.
    """
    matched = match(checkpoint, architecture)
    if not matched.fits:
        raise ValueError(misfit(checkpoint, matched))
    named = classes or checkpoint.classes or [str(index) for index in range(max(2, matched.outputs))]
    wanted = preprocessing or checkpoint.preprocessing or default_preprocessing(architecture, matched.channels)
    check_channels(wanted, matched)
    network = furnished(architecture, matched.outputs, matched.channels, matched.tensors)
    blueprint = Blueprint(
        name=name,
        architecture=architecture,
        outputs=matched.outputs,
        channels=matched.channels,
        classes=tuple(named),
        preprocessing=wanted,
        weights=weights_hash(network),
    )
    check_size(blueprint)
    return Classifier(network, blueprint).eval()


def rebuild(blueprint: Blueprint, tensors: Mapping[str, Tensor]) -> Classifier:
    """The classifier of a blueprint with its weights, which are copied; in evaluation mode on the CPU.

    Raises ValueError where the weights are another network's.
    """
    expected = shapes(blueprint.architecture, blueprint.outputs, blueprint.channels)
    if {key: tuple(tensor.shape) for key, tensor in tensors.items()} != dict(expected):
        raise ValueError(f"the weights of {blueprint.name} are not those of a {blueprint.architecture}")
    network = furnished(blueprint.architecture, blueprint.outputs, blueprint.channels, tensors)
    return Classifier(network, blueprint).eval()


def drawn(blueprint: Blueprint, seed: int) -> Classifier:
    """The classifier of a blueprint with weights drawn from the seed, in evaluation mode on the CPU."""
    with seeded(seed):
        network = build(blueprint.architecture, blueprint.outputs, blueprint.channels)
    return Classifier(network, replace(blueprint, weights=weights_hash(network))).eval()


def with_weights(blueprint: Blueprint, weights: bytes, name: str) -> Classifier:
    """The classifier of a blueprint under another name with other weights, the bytes of a safetensors file.

    Raises ValueError where the weights are another network's.
    """
    classifier = rebuild(blueprint, load(weights))
    classifier.blueprint = replace(blueprint, name=name, weights=weights_hash(classifier.network))
    return classifier


def misfit(checkpoint: Checkpoint, matched: Match) -> str:
    """What doesn't fit, in one sentence, with the architecture that fits best."""
    problems = []
    if matched.missing:
        problems.append(f"{counted(matched.missing, 'missing')} ({listed(matched.missing, MOST_NAMED)})")
    if matched.surplus:
        problems.append(f"{counted(matched.surplus, 'surplus')} ({listed(matched.surplus, MOST_NAMED)})")
    if matched.misshapen:
        shapes_found = [str(weight) for weight in matched.misshapen]
        problems.append(f"{counted(shapes_found, 'of another shape')} ({listed(shapes_found, MOST_NAMED)})")
    nearest = nearest_architecture(checkpoint)
    if nearest == matched.architecture:
        advice = "no other architecture is nearer, so layers of it must have been changed"
    else:
        advice = f"the nearest architecture is {nearest}" if nearest else "no architecture is near"
    return f"the weights of {checkpoint.name} don't fit {matched.architecture}: {', '.join(problems)}; {advice}"


def counted(keys: Sequence[object], what: str) -> str:
    """So many keys are what."""
    return f"{len(keys)} {'key is' if len(keys) == 1 else 'keys are'} {what}"


def check_size(blueprint: Blueprint) -> None:
    """Raise ValueError where the network can't take images of the blueprint's size; computes shapes alone."""
    wanted, name = blueprint.preprocessing, blueprint.architecture
    network = skeleton(name, blueprint.outputs, blueprint.channels).to("meta").eval()
    try:
        network(torch.empty(1, wanted.channels, wanted.height, wanted.width, device="meta"))
    except NotImplementedError:  # a network that looks at numbers can't be tried without any
        return
    except (AssertionError, RuntimeError, ValueError) as error:
        usual = default_preprocessing(name, blueprint.channels)
        if (usual.height, usual.width) == (wanted.height, wanted.width):
            return
        raise ValueError(
            f"{name} can't take images of {wanted.height} x {wanted.width} pixels; its usual size is "
            f"{usual.height} x {usual.width}"
        ) from error


def check_channels(wanted: Preprocessing, matched: Match) -> None:
    """Raise ValueError where the preprocessing makes images of other channels than the weights take."""
    if wanted.channels != matched.channels:
        raise ValueError(
            f"the weights take images of {matched.channels} channels, but the preprocessing makes {wanted.channels}"
        )
