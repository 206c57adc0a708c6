"""Data sets of every kind that can be opened, through one door."""

from __future__ import annotations

import atexit
import hashlib
import os
import shutil
import tempfile
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np

from engine.loading.archives import unpack
from engine.loading.classes import with_chosen_classes
from engine.loading.data_options import DataOptions
from engine.loading.folders import TOP, read_folder, tree_of, unwrapped
from engine.loading.found import Found, texts
from engine.loading.idx import IMAGES, LABELS, images_beside, images_files_in, read_pairs
from engine.loading.image_files import SUFFIXES
from engine.loading.manifests import TABLES, manifests_in, read_manifests
from engine.loading.npz import read_npz
from engine.loading.roles import described, faults, roles_of, seen_of
from engine.loading.scanning import scanned
from engine.loading.torchvision_sets import read_set
from engine.runs.progress import Progress
from engine.subject.image_set import UNLABELLED, ImageSet, Role, numbered
from engine.subject.subject import listed


def load_images(
    path: Path, options: DataOptions, unpack_below: Path | None = None, progress: Progress | None = None
) -> ImageSet:
    """The images at `path`, whatever it is, with labels, roles and who has seen them.

    A folder, or a .zip of one: class folders, perhaps in train, val and test; a list (CSV, TSV, JSONL) with its
    images; IDX pairs; one .npz; images without labels. Or a list, an IDX file, an .npz or one image by itself, or,
    with `options.torchvision`, the root of torchvision's data sets. Archives are unpacked into a folder of
    `unpack_below` named after their content, once; without it into a temporary folder that goes with the process.

    The first remark says which roles the images have. Raises ValueError with one sentence where nothing can be
    opened; single files that can't be are listed in `skipped`.
    """
    path = path.expanduser().absolute()
    if not path.exists():
        raise ValueError(f"there is nothing at {path}; give a folder or a file that exists")
    found = with_chosen_classes(found_at(path, options, unpack_below), options)
    name = options.torchvision or (path.name if path.is_dir() else path.stem)
    return assembled(found, name, options.seen, progress or Progress())


def assembled(found: Found, name: str, seen: str, progress: Progress) -> ImageSet:
    """The image set of what a reader found: looked at, identified, given roles, its faults noted."""
    scan = scanned(found, progress)
    rows = replace(found, source=Path()).take(scan.kept)  # the scan has the pixels
    units = np.where(rows.groups == "", scan.hashes, rows.groups)
    unlabelled = bool((rows.labels == UNLABELLED).all())
    roles = np.full(len(rows), str(Role.DIAGNOSIS)) if unlabelled else roles_of(rows.splits, units.tolist())
    seen_by = seen_of(rows.splits, seen)
    images = ImageSet(
        name=name,
        classes=rows.classes,
        ids=numbered(scan.hashes),
        labels=rows.labels,
        names=rows.names,
        roles=roles,
        seen=seen_by,
        groups=rows.groups,
        pixels=scan.pixels,
        frame=scan.frame,
        skipped=(*rows.skipped, *scan.skipped),
    )
    remarks = (described(rows.splits, roles, seen_by), *rows.remarks, *scan.remarks, *gaps(images), *faults(images))
    return replace(images, remarks=remarks)


def gaps(images: ImageSet) -> list[str]:
    """Sentences about classes without images, images without labels, and files that were skipped."""
    there = set(np.unique(images.labels).tolist())
    said = []
    if empty := [name for index, name in enumerate(images.classes) if index not in there]:
        said.append(f"There are no images of {listed(empty)}.")
    if without := int((images.labels == UNLABELLED).sum()):
        said.append(f"Images without a label, which get predictions and count in no rate: {without:,}.")
    if images.skipped:
        one = images.skipped[0]
        said.append(f"Files skipped: {len(images.skipped):,}, first {one.file_name} ({one.reason}).")
    return said


def found_at(path: Path, options: DataOptions, unpack_below: Path | None) -> Found:
    """What the reader for this kind of path finds."""
    if options.torchvision:
        return read_set(options.torchvision, path)
    if path.is_dir():
        return found_in_folder(path, options)
    if path.suffix.lower() == ".zip":
        return found_in_folder(unpacked(path, unpack_below or temporary_folder()), options)
    return found_in_file(path, options)


def found_in_folder(path: Path, options: DataOptions) -> Found:
    """A list of images first, else IDX pairs, else an .npz, else the image files themselves."""
    tree = tree_of(unwrapped(path))
    top = [tree.root / file for file in tree.directly(TOP)]
    if manifests := manifests_in(tree):
        return read_manifests(manifests, tree.root, only_inside=True)
    if idx := images_files_in(top):
        return read_pairs(idx, options.transposed, options.first_label)
    if len(arrays := [file for file in top if file.suffix.lower() == ".npz"]) == 1:
        return read_npz(arrays[0], options.first_label)
    if not tree.files:
        raise ValueError(f"{path.name} holds no files; give a folder with images")
    return read_folder(tree)


def found_in_file(path: Path, options: DataOptions) -> Found:
    """A list of images, an IDX file, an .npz or one image."""
    if path.suffix.lower() in TABLES:
        return read_manifests([path], path.parent, only_inside=False)
    if path.suffix.lower() == ".npz":
        return read_npz(path, options.first_label)
    if IMAGES.search(path.name):
        return read_pairs([path], options.transposed, options.first_label)
    if LABELS.search(path.name):
        return read_pairs([images_beside(path)], options.transposed, options.first_label)
    if path.suffix.lower() not in SUFFIXES:
        raise ValueError(
            f"{path.name} is no data set that can be opened; give a folder or .zip of images, a .csv, .tsv or .jsonl "
            "list of images, IDX files (train-images-idx3-ubyte), an .npz, or one image"
        )
    alone = texts([""])
    return Found(
        (), texts([path.name]), np.array([UNLABELLED], dtype=np.int64), splits=alone, groups=alone, source=path.parent
    )


def unpacked(archive: Path, below: Path) -> Path:
    """The folder with the archive's files, unpacked now or before."""
    with archive.open("rb") as file:
        into = below / hashlib.file_digest(file, "sha256").hexdigest()[:16]
    return into if into.is_dir() else unpack(archive, into)


@cache
def temporary_folder() -> Path:
    """A folder that is removed when the process ends."""
    folder = Path(tempfile.mkdtemp(prefix="faultline-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


def signature(path: Path) -> str:
    """A name for the state of a file, or of all files below a folder: paths, sizes and times of change.

    It costs no reading of the files; where it is the same as before, the data needn't be loaded again.
    """
    digest = hashlib.sha256()
    if path.is_file():
        files = [path]
    else:
        files = sorted(Path(place) / name for place, _, names in os.walk(path) for name in names)
    for file in files:
        state = file.lstat()
        digest.update(os.fsencode(file.relative_to(path)) + f"\0{state.st_size} {state.st_mtime_ns}\n".encode())
    return digest.hexdigest()[:16]
