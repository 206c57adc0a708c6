"""The demos' classifiers: those that are shipped, and how they were trained."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import torch

from engine.loading.checkpoints import drawn, from_safetensors
from engine.runs.progress import Progress
from engine.subject.blueprint import Blueprint
from engine.subject.classifier import Classifier, weights_hash
from engine.subject.image_set import ImageSet, Role
from engine.subject.preprocessing import Preprocessing
from engine.toolkit.training import TrainingSettings, train

ASSETS = Path(__file__).parents[3] / "assets"


@dataclass(frozen=True)
class Recipe:
    """How a demo's classifier is made."""

    title: str
    architecture: str
    settings: TrainingSettings


RECIPES = {
    # few epochs: with more of them the under-trained label is learned by heart
    "digits": Recipe("planted digits", "digits_cnn", TrainingSettings(epochs=8)),
    "backgrounds": Recipe("planted backgrounds", "plate_cnn", TrainingSettings(epochs=30, batch_size=32)),
}


def shipped(name: str) -> Classifier:
    """The demo's classifier of seed 0, from the file that comes with the engine."""
    return from_safetensors((ASSETS / f"planted_{name}.safetensors").read_bytes())


def trained(name: str, images: ImageSet, seed: int, progress: Progress) -> Classifier:
    """The demo's classifier, trained from scratch on the images of `train`, wrong labels and all."""
    recipe = RECIPES[name]
    classifier = untrained(recipe, images, seed)
    own = images.indices(Role.TRAIN)
    pixels, labels = torch.from_numpy(images.read(own)), torch.from_numpy(images.labels[own])
    train(classifier, pixels, labels, recipe.settings, seed, progress, f"training on {recipe.title}")
    classifier.blueprint = replace(classifier.blueprint, weights=weights_hash(classifier.network))
    return classifier


def untrained(recipe: Recipe, images: ImageSet, seed: int) -> Classifier:
    """The recipe's network with weights drawn from the seed, for images as they are in the set."""
    frame = images.frame
    blueprint = Blueprint(
        name=recipe.title if seed == 0 else f"{recipe.title}, seed {seed}",
        architecture=recipe.architecture,
        outputs=len(images.classes),
        channels=frame.channels,
        classes=images.classes,
        preprocessing=Preprocessing(
            frame.channels, frame.height, frame.width, mean=(0.5,) * frame.channels, std=(0.25,) * frame.channels
        ),
        weights="",
    )
    return drawn(blueprint, seed)
