"""Zip files from anywhere, unpacked so that they can neither write elsewhere nor fill the disk."""

from __future__ import annotations

import re
import shutil
import stat
import struct
import tempfile
import unicodedata
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from engine.loading.folders import is_hidden

CHUNK = 2**20


@dataclass(frozen=True)
class Limits:
    """The most that an archive may hold. `ratio` is unpacked to packed, asked once `ratio_from` bytes came out."""

    entries: int = 1_000_000
    bytes_each: int = 8 * 2**30
    bytes_total: int = 64 * 2**30
    ratio: int = 200
    ratio_from: int = 100 * 2**20


def unpack(zip_path: Path, into: Path, limits: Limits | None = None) -> Path:
    """The archive's files in the new folder `into`, which appears complete or not at all; returns it.

    Refuses, with a ValueError, whatever would land elsewhere (absolute paths, `..`, drives, links), is encrypted,
    collides on some file system, or unpacks to more than the limits, by the bytes that really come out, not by
    what the archive says. Hidden files stay packed, and so do archives in the archive.
    """
    limits = limits or Limits()
    into.parent.mkdir(parents=True, exist_ok=True)
    fresh = Path(tempfile.mkdtemp(prefix=f".{into.name}-", dir=into.parent))
    try:
        with zipfile.ZipFile(zip_path) as archive:
            extract(archive, planned(archive, zip_path.name, limits), fresh, zip_path, limits)
        fresh.rename(into)
    except (zipfile.BadZipFile, zlib.error, EOFError, struct.error, NotImplementedError, UnicodeDecodeError) as error:
        raise ValueError(
            f"{zip_path.name} isn't a readable zip archive ({error or 'it ends too early'}); make it again"
        ) from error
    except OSError as error:
        if into.is_dir():  # another one unpacked the same meanwhile
            return into
        raise ValueError(f"{zip_path.name} could not be unpacked: {error.strerror or error}") from error
    finally:
        shutil.rmtree(fresh, ignore_errors=True)
    return into


def planned(archive: zipfile.ZipFile, name: str, limits: Limits) -> dict[PurePosixPath, zipfile.ZipInfo]:
    """Where each entry of the archive goes, after all that its directory says has been checked."""
    entries = archive.infolist()
    if len(entries) > limits.entries:
        raise ValueError(f"{name} has {len(entries):,} entries; at most {limits.entries:,} are unpacked")
    plan: dict[PurePosixPath, zipfile.ZipInfo] = {}
    for entry in entries:
        place = safe_place(entry, name)
        if not place.parts or any(is_hidden(part) for part in place.parts):
            continue
        if place in plan and not (entry.is_dir() and plan[place].is_dir()):
            raise ValueError(f"{name} has two entries called {place}")
        plan[place] = entry
    check_collisions(plan, name)
    declared = sum(entry.file_size for entry in plan.values())
    if declared > limits.bytes_total:
        raise ValueError(
            f"{name} unpacks to {gigabytes(declared)}; at most {gigabytes(limits.bytes_total)} are unpacked"
        )
    return plan


def safe_place(entry: zipfile.ZipInfo, name: str) -> PurePosixPath:
    """The relative path of an entry. Raises ValueError for one that is a link, is encrypted or leads elsewhere."""
    said = entry.orig_filename.replace("\\", "/")
    place = PurePosixPath(said)
    shown = ascii(said[:200])
    if "\0" in said or said.startswith("/") or ".." in place.parts or re.match("[A-Za-z]:", said):
        raise ValueError(f"{name} was not unpacked: its entry {shown} would land outside the folder")
    kind = stat.S_IFMT(entry.external_attr >> 16)
    if kind not in (0, stat.S_IFREG, stat.S_IFDIR):
        raise ValueError(f"{name} was not unpacked: its entry {shown} is a link or a device, not a file")
    if entry.flag_bits & 0x1:
        raise ValueError(f"{name} is encrypted; give an archive without a password")
    if entry.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise ValueError(f"{name} is packed by a method other than deflate; pack it as an ordinary zip")
    return place


def check_collisions(plan: dict[PurePosixPath, zipfile.ZipInfo], name: str) -> None:
    """Raise ValueError where two paths are one on some file system, or a file is also a folder."""
    written: dict[str, PurePosixPath] = {}
    for place, entry in plan.items():
        folders = [*place.parents][:-1] + ([place] if entry.is_dir() else [])
        for path in [*folders, place]:
            folded = unicodedata.normalize("NFC", str(path)).casefold()
            if written.setdefault(folded, path) != path:
                raise ValueError(
                    f"{name} has both {written[folded]} and {path}, which are the same on many systems; rename one"
                )
        if file := next((path for path in folders if path in plan and not plan[path].is_dir()), None):
            raise ValueError(f"{name} has {file} both as a file and as a folder")


def extract(
    archive: zipfile.ZipFile,
    plan: dict[PurePosixPath, zipfile.ZipInfo],
    into: Path,
    zip_path: Path,
    limits: Limits,
) -> None:
    """Write the entries below `into`, counting what really comes out."""
    packed = max(1, zip_path.stat().st_size)
    room = min(limits.bytes_total, shutil.disk_usage(into).free)
    total = 0
    for place, entry in plan.items():
        target = into / place
        if entry.is_dir():
            target.mkdir(parents=True, exist_ok=True)
            continue
        target.parent.mkdir(parents=True, exist_ok=True)
        size = 0
        with target.open("xb") as file:
            for chunk in chunks(archive, entry):
                size, total = size + len(chunk), total + len(chunk)
                if size > limits.bytes_each:
                    raise ValueError(f"{zip_path.name}: {place} unpacks to more than {gigabytes(limits.bytes_each)}")
                if total > room:
                    raise ValueError(f"{zip_path.name} unpacks to more than {gigabytes(room)}, all there is room for")
                if total > limits.ratio_from and total > limits.ratio * packed:
                    raise ValueError(
                        f"{zip_path.name} unpacks to more than {limits.ratio} times its size; that is no set of images"
                    )
                file.write(chunk)


def chunks(archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> Iterator[bytes]:
    """What an entry unpacks to, piece by piece."""
    with archive.open(entry) as packed:
        while chunk := packed.read(CHUNK):
            yield chunk


def gigabytes(size: int) -> str:
    """A size in words."""
    return f"{size / 2**30:,.1f} GiB" if size >= 2**30 else f"{size / 2**20:,.1f} MiB"


def unpacked_bytes(archive: Path) -> int:
    """How many bytes a zip says that it unpacks to; 0 where it is none, which `unpack` then says."""
    try:
        with zipfile.ZipFile(archive) as bundle:
            return sum(entry.file_size for entry in bundle.infolist())
    except (zipfile.BadZipFile, OSError, NotImplementedError, ValueError):
        return 0
