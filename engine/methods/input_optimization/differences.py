"""The differences step: clean, transformed and optimised images compared as pixels, as features and as answers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from engine.methods.input_optimization.margin_distance import margin_distances
from engine.methods.input_optimization.optimise import Tally
from engine.methods.input_optimization.pairs import Pairs, views_of
from engine.methods.input_optimization.result import (
    REACHED,
    Answers,
    Between,
    Differences,
    Optimisation,
    Sweep,
)
from engine.methods.input_optimization.settings import DifferenceSettings
from engine.runs.progress import Progress
from engine.subject.subject import Subject
from engine.toolkit.answers import certainty, loss
from engine.toolkit.frozen import frozen
from engine.toolkit.similarity import ssim
from engine.toolkit.taps import inputs_of, last_layer, outputs_of


@dataclass(frozen=True)
class Version:
    """One version of a batch of images, (n, ...) each: the pixels, a layer's features (n, D) and the logits."""

    images: Tensor
    features: Tensor
    logits: Tensor


def differences(
    subject: Subject, settings: DifferenceSettings, sweep: Sweep, optimisation: Optimisation, progress: Progress
) -> Differences:
    """Compare every pair of the optimisation; raises ValueError where the layer is not there."""
    pairs = Pairs(
        sweep,
        views_of(subject, sweep, int(optimisation.image.max()) + 1),
        optimisation.image,
        optimisation.grid,
        optimisation.combination,
    )
    tap = Tap(subject, settings.layer)
    changes = optimisation.places
    parts = pairs.views.in_batches(
        len(pairs), lambda rows: compared(pairs, rows, optimisation, changes, tap), progress.part(0, 0.5), "comparing"
    )
    whole = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    with frozen(subject.classifier), pairs.named():
        distance = margin_distances(
            subject.classifier,
            lambda rows: (pairs.transformed(rows), pairs.labels(rows)),
            pairs.column("prediction") == sweep.labels[pairs.image],
            pairs.views.size,
            progress.part(0.5, 1),
            Tally(),
        )
    return Differences(
        layer=tap.name,
        clean_transformed=Between(**fields(whole, "clean_transformed")),
        transformed_optimised=Between(**fields(whole, "transformed_optimised")),
        clean_optimised=Between(**fields(whole, "clean_optimised")),
        clean=Answers(**fields(whole, "clean")),
        transformed=Answers(**fields(whole, "transformed")),
        optimised=Answers(**fields(whole, "optimised")),
        margin_distance=distance,
    )


def fields(whole: dict[str, np.ndarray], prefix: str) -> dict[str, np.ndarray]:
    """The columns whose names begin with the prefix and a dot, without it."""
    return {name.removeprefix(f"{prefix}."): values for name, values in whole.items() if name.startswith(f"{prefix}.")}


def optimised_images(optimisation: Optimisation, places: np.ndarray, rows: np.ndarray, transformed: Tensor) -> Tensor:
    """(n, C, H, W) the optimised images of these pairs, which are the transformed ones where nothing was to do."""
    moved = np.flatnonzero(places[rows] >= 0)
    change = torch.from_numpy(optimisation.change[places[rows[moved]]].astype(np.float32)).to(transformed.device)
    images = transformed.clone()
    images[torch.from_numpy(moved).to(transformed.device)] += change
    return images


@torch.inference_mode()
def compared(
    pairs: Pairs, rows: np.ndarray, optimisation: Optimisation, changes: np.ndarray, tap: Tap
) -> dict[str, np.ndarray]:
    """The columns of a batch of pairs, by their names in `Differences`."""
    transformed = pairs.transformed(rows)
    labels = pairs.labels(rows)
    found = {
        "clean": tap.version(pairs.clean(rows)),
        "transformed": tap.version(transformed),
        "optimised": tap.version(optimised_images(optimisation, changes, rows, transformed)),
    }
    there = torch.from_numpy(optimisation.state[rows] <= REACHED).to(labels.device)
    columns = {}
    for first, second in (("clean", "transformed"), ("transformed", "optimised"), ("clean", "optimised")):
        known = there if second == "optimised" else torch.ones_like(there)
        for name, values in between(found[first], found[second]).items():
            columns[f"{first}_{second}.{name}"] = torch.where(known, values, torch.nan)
    for name, version in found.items():
        prediction, confidence = certainty(version.logits)
        columns[f"{name}.prediction"], columns[f"{name}.confidence"] = prediction, confidence
        columns[f"{name}.loss"] = loss(version.logits, labels)
    return {name: values.cpu().numpy() for name, values in columns.items()}


def between(first: Version, second: Version) -> dict[str, Tensor]:
    """The columns of `Between`, (n,) float32 each."""
    apart = (second.images - first.images).flatten(1)
    log_first, log_second = first.logits.log_softmax(dim=1), second.logits.log_softmax(dim=1)
    return {
        "l2": torch.linalg.vector_norm(apart, dim=1),
        "mse": apart.square().mean(dim=1),
        "ssim": ssim(first.images, second.images),
        "feature_cosine": F.cosine_similarity(first.features, second.features, dim=1),
        "feature_l2": torch.linalg.vector_norm(second.features - first.features, dim=1),
        "kl": (log_first.exp() * (log_first - log_second)).sum(dim=1).clamp_min(0),
        "class_changed": (first.logits.argmax(dim=1) != second.logits.argmax(dim=1)).float(),
    }


class Tap:
    """A layer whose features are compared: what it puts out, or, by default, what the last layer is given."""

    def __init__(self, subject: Subject, layer: str) -> None:
        self.classifier = subject.classifier
        self.layer, self.name = self._found(subject, layer)
        self.watch = outputs_of if layer else inputs_of

    def _found(self, subject: Subject, layer: str) -> tuple[nn.Module, str]:
        layers = dict(self.classifier.network.named_modules())
        if layer:
            if layer not in layers:
                raise ValueError(f"the network has no layer {layer!r}; it has {', '.join(layer_names(subject))}")
            return layers[layer], layer
        frame = subject.images.frame
        empty = torch.zeros(1, frame.channels, frame.height, frame.width, device=self.classifier.device)
        last = last_layer(self.classifier, empty)
        name = next(name for name, module in self.classifier.named_modules() if module is last)
        return last, f"input of {name.removeprefix('network.')}"

    def version(self, images: Tensor) -> Version:
        """What there is to compare of these images (n, C, H, W); maps of a layer are flattened."""
        with self.watch(self.layer) as seen:
            logits = self.classifier(images).float()
        if not seen:
            raise ValueError(f"layer {self.name!r} is not run when images are classified, so it has no features")
        if not seen[-1].ndim or len(seen[-1]) != len(images):
            said = f"{tuple(seen[-1].shape)} for {len(images)} images"
            raise ValueError(f"layer {self.name!r} puts out {said}, not one row an image, so it can't be compared")
        return Version(images, seen[-1].float().flatten(1), logits)


def layer_names(subject: Subject) -> Sequence[str]:
    """The names of the layers that can be compared, in the order in which they were defined."""
    return [name for name, module in subject.classifier.network.named_modules() if name and not list(module.children())]
