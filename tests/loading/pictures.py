"""Small picture files for the tests of loading."""

import zlib
from pathlib import Path

import numpy as np
from PIL import Image


def picture(path: Path, seed: int | None = None) -> Path:
    """A file with a picture of its own, by its path or by a seed."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draw = np.random.default_rng(zlib.crc32(str(path).encode()) if seed is None else seed)
    Image.fromarray(draw.integers(0, 256, (6, 6, 3), dtype=np.uint8)).save(path)
    return path


def pictures(root: Path, *names: str) -> Path:
    """Pictures of these names below `root`."""
    for name in names:
        picture(root / name)
    return root


def labels_of(images):
    """File name -> class name, None without a label."""
    return {
        name: None if label < 0 else images.classes[label]
        for name, label in zip(images.names.tolist(), images.labels.tolist(), strict=True)
    }


def splits_of(images):
    """File name -> role."""
    return dict(zip(images.names.tolist(), images.roles.tolist(), strict=True))
