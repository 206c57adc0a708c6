"""One look at every image when it is loaded: is it one, who is it, how large is it."""

from __future__ import annotations

import hashlib
import os
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from engine.loading.found import Found
from engine.loading.image_files import MOST_BYTES, FilePixels, Look, file_hash, looked_at
from engine.runs.progress import Progress
from engine.subject.frame import Frame
from engine.subject.image_set import ArrayPixels, Pixels, Skipped

FILES_AT_ONCE = 64


@dataclass(frozen=True, eq=False)
class Scan:
    """What the look gave: which rows of the Found are images (n,), their content hashes, and where pixels come from."""

    kept: np.ndarray
    hashes: list[str]
    pixels: Pixels
    frame: Frame
    skipped: tuple[Skipped, ...] = ()
    remarks: tuple[str, ...] = ()


def scanned(found: Found, progress: Progress) -> Scan:
    """Look at all images. Raises ValueError where none is left."""
    if isinstance(found.source, np.ndarray):
        return scan_of_array(found.source)
    return scan_of_files(found.source, found.names.tolist(), progress)


def scan_of_array(array: np.ndarray) -> Scan:
    """The images of an array, each hashed; the frame is their own size."""
    if not array.size:
        raise ValueError("the data holds no images")
    rows = np.ascontiguousarray(array).reshape(len(array), -1)
    hashes = [hashlib.sha256(row.data).hexdigest()[:16] for row in rows]
    frame = Frame(3 if array.ndim == 4 else 1, array.shape[1], array.shape[2])
    return Scan(np.arange(len(array)), hashes, ArrayPixels(array), frame)


def scan_of_files(root: Path, names: Sequence[str], progress: Progress) -> Scan:
    """The files, each read, hashed and decoded once in threads; what isn't an image is listed with the reason."""

    def several(start: int) -> list[tuple[str, Look] | str]:
        return [looked_at_file(root / name) for name in names[start : start + FILES_AT_ONCE]]

    with ThreadPoolExecutor(os.cpu_count()) as threads:
        starts = range(0, len(names), FILES_AT_ONCE)
        answers: list[tuple[str, Look] | str] = []
        try:
            for done, some in enumerate(threads.map(several, starts)):
                progress.report(done / len(starts), "looking at images")
                answers += some
        except BaseException:  # a stop: don't look at the rest first
            threads.shutdown(cancel_futures=True)
            raise
    skipped = tuple(
        Skipped(name, answer) for name, answer in zip(names, answers, strict=True) if isinstance(answer, str)
    )
    images = [(index, *answer) for index, answer in enumerate(answers) if not isinstance(answer, str)]
    if not images:
        first = f"; the first is {skipped[0].file_name}: {skipped[0].reason}" if skipped else ""
        raise ValueError(f"no image that can be read was found among {len(names):,} files{first}")
    kept = np.array([index for index, _, _ in images])
    looks = [look for _, _, look in images]
    frame, one_size = frame_of(looks)
    see_through = sum(look.see_through for look in looks)
    return Scan(
        kept=kept,
        hashes=[content for _, content, _ in images],
        pixels=FilePixels(root, np.array(names, dtype=np.str_)[kept], one_size, [content for _, content, _ in images]),
        frame=frame,
        skipped=skipped,
        remarks=(transparency(see_through),) if see_through else (),
    )


def looked_at_file(path: Path) -> tuple[str, Look] | str:
    """The hash of a file's bytes and what a look at the image gave, or why it is no image."""
    try:
        if not path.is_file():
            return "not a file"
        if path.stat().st_size > MOST_BYTES:
            return f"larger than {MOST_BYTES // 2**20} MiB"
        content = path.read_bytes()
        look = looked_at(content)
    except OSError as error:
        return f"can't be read: {error.strerror or error}"
    except ValueError as error:
        return str(error)
    return file_hash(content), look


def frame_of(looks: Sequence[Look]) -> tuple[Frame, bool]:
    """The size that all images have, else the median one; grey where all are. And whether all have one size."""
    sizes = Counter((look.height, look.width) for look in looks)
    height = round(float(np.median([look.height for look in looks])))
    width = round(float(np.median([look.width for look in looks])))
    return Frame(1 if all(look.grey for look in looks) else 3, height, width), len(sizes) == 1


def transparency(count: int) -> str:
    """What is done with images that are partly see-through."""
    return f"Images shown on white where they are see-through (torchvision drops the transparency): {count:,}."
