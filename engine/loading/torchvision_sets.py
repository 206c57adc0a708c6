"""torchvision's data sets, by their name there, from a folder in which torchvision has put them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from engine.loading.found import Found, texts

SETS: dict[str, tuple[str, dict[str, str]]] = {  # our name: torchvision's class, what tells its variants apart
    "MNIST": ("MNIST", {}),
    "FashionMNIST": ("FashionMNIST", {}),
    "KMNIST": ("KMNIST", {}),
    **{
        f"EMNIST/{split}": ("EMNIST", {"split": split})
        for split in ("letters", "balanced", "digits", "byclass", "bymerge", "mnist")
    },
    "CIFAR10": ("CIFAR10", {}),
    "CIFAR100": ("CIFAR100", {}),
    "SVHN": ("SVHN", {}),
    "STL10": ("STL10", {}),
    "USPS": ("USPS", {}),
}
BY_SPLIT = ("SVHN", "STL10")  # take split="test" where the others take train=False


def read_set(name: str, root: Path) -> Found:
    """Train and test images of a torchvision data set that lies below `root`; nothing is downloaded.

    CIFAR's files are pickles; torchvision opens them only where their checksum is the published one.
    """
    check_name(name)
    try:
        parts = {split: opened(name, root, split, download=False) for split in ("train", "test")}
    except (RuntimeError, OSError, ValueError, EOFError) as error:
        raise ValueError(
            f"torchvision finds no whole {name} in {root}; download it there, "
            "or give the folder that torchvision was given as root"
        ) from error
    images = {split: pixels_of(part, name) for split, part in parts.items()}
    labels = {split: labels_of(part) for split, part in parts.items()}
    classes = classes_of(parts["train"], max(int(numbers.max()) for numbers in labels.values()))
    if classes[0] == "N/A":  # torchvision's name for the label 0 that EMNIST's letters don't have
        classes, labels = classes[1:], {split: numbers - 1 for split, numbers in labels.items()}
    names = [f"{split}/{index:05d}.png" for split in parts for index in range(len(images[split]))]
    return Found(
        classes=classes,
        names=texts(names),
        labels=np.concatenate([labels[split] for split in parts]),
        splits=texts([split for split in parts for _ in range(len(images[split]))]),
        groups=texts([""] * len(names)),
        source=np.concatenate([images[split] for split in parts]),
    )


def download(name: str, root: Path) -> None:
    """Fetch a torchvision data set into `root`. Raises ValueError with one sentence where the network refuses."""
    check_name(name)
    try:
        for split in ("train", "test"):
            opened(name, root, split, download=True)
    except (RuntimeError, OSError, EOFError) as error:
        raise ValueError(
            f"{name} could not be downloaded ({' '.join(str(error).split())[:200]}); "
            f"fetch it where the network allows it, and put torchvision's folder below {root}"
        ) from error


def check_name(name: str) -> None:
    """Raise ValueError where `name` is none of SETS."""
    if name not in SETS:
        raise ValueError(
            f"{name!r} is none of torchvision's data sets that can be opened here: {', '.join(SETS)}; "
            "others can be given as a folder with a folder for each class"
        )


def opened(name: str, root: Path, split: str, download: bool) -> Any:
    """torchvision's own object for the train or test part."""
    from torchvision import datasets  # here, as it brings torch with it

    kind, variant = SETS[name]
    part = {"split": split} if kind in BY_SPLIT else {"train": split == "train"}
    return getattr(datasets, kind)(root=str(root), download=download, **part, **variant)


def pixels_of(part: Any, name: str) -> np.ndarray:
    """The images, uint8 (N, H, W) or (N, H, W, 3), upright."""
    images = np.asarray(part.data)
    if SETS[name][0] == "EMNIST":  # kept transposed in its files, and by torchvision
        images = images.transpose(0, 2, 1)
    if images.ndim == 4 and images.shape[1] == 3:
        images = images.transpose(0, 2, 3, 1)
    return np.ascontiguousarray(images)


def labels_of(part: Any) -> np.ndarray:
    """(N,) int64."""
    return np.asarray(part.labels if hasattr(part, "labels") else part.targets).astype(np.int64)


def classes_of(part: Any, largest: int) -> tuple[str, ...]:
    """torchvision's class names, or the numbers of the labels where it has none; MNIST's "0 - zero" is our 0."""
    names = getattr(part, "classes", None) or [str(number) for number in range(largest + 1)]
    return tuple(name.split(" - ")[0] for name in names)
