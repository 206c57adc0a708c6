"""What a command found, into its folder and onto the screen."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path


def written(out: Path, files: Mapping[str, bytes], sentences: Iterable[str]) -> None:
    """Write the files by name into a folder, which is made if it isn't there, and say what was found."""
    out.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        (out / name).write_bytes(content)
    for sentence in sentences:
        print(sentence)
