"""Folders of images: a folder for each class, perhaps inside train, val and test; or images without labels."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from engine.loading.found import SPLITS, Found, in_class_order, numbered_labels, texts
from engine.loading.image_files import SUFFIXES
from engine.subject.image_set import Skipped

SPLIT_FOLDERS = ("train", "val", "valid", "validation", "test")
NOT_DATA = ("__MACOSX", "Thumbs.db", "desktop.ini")
DOCUMENTS = (".md", ".txt", ".pdf")


@dataclass(frozen=True)
class Tree:
    """All below a folder: files and folders by their relative path, and the files that are left aside."""

    root: Path
    files: tuple[PurePosixPath, ...]
    folders: tuple[PurePosixPath, ...]
    skipped: tuple[Skipped, ...]

    def inside(self, folder: PurePosixPath) -> list[PurePosixPath]:
        """The folders that lie directly in this one."""
        return [path for path in self.folders if path.parent == folder]

    def directly(self, folder: PurePosixPath) -> list[PurePosixPath]:
        """The files that lie directly in this one."""
        return [path for path in self.files if path.parent == folder]


TOP = PurePosixPath()


def tree_of(root: Path) -> Tree:
    """What lies below `root`, sorted. Hidden files are left aside; no link is followed out of it."""
    files: list[PurePosixPath] = []
    folders: list[PurePosixPath] = []
    skipped: list[Skipped] = []
    inside = root.resolve()
    for place, below, names in os.walk(root):
        here = PurePosixPath(Path(place).relative_to(root).as_posix())
        linked = [name for name in below if os.path.islink(os.path.join(place, name))]
        skipped += [Skipped(str(here / name), "a link to a folder") for name in linked]
        below[:] = [name for name in below if name not in linked and not is_hidden(name)]
        folders += [here / name for name in below]
        for name in names:
            if is_hidden(name):
                skipped.append(Skipped(str(here / name), "a hidden file"))
            elif os.path.islink(path := os.path.join(place, name)) and not leads_inside(Path(path), inside):
                skipped.append(Skipped(str(here / name), "a link that leads out of the folder"))
            elif (shown := escaped(str(here / name))) != str(here / name):
                skipped.append(Skipped(shown, "its name isn't text in UTF-8"))
            else:
                files.append(here / name)
    return Tree(root, tuple(sorted(files)), tuple(sorted(folders)), tuple(sorted(skipped, key=lambda s: s.file_name)))


def escaped(name: str) -> str:
    """The name with what isn't text (bytes of another encoding, on Linux) written as escapes."""
    return name.encode("utf-8", "backslashreplace").decode()


def is_hidden(name: str) -> bool:
    """Whether a file or folder is the system's own rather than data."""
    return name.startswith(".") or name in NOT_DATA


def leads_inside(path: Path, root: Path) -> bool:
    """Whether a path, all links followed, ends below `root`, which has none."""
    return path.resolve().is_relative_to(root)


def unwrapped(root: Path) -> Path:
    """`root`, or the one folder in it that holds everything else, as in many an archive.

    One folder of nothing but images is a class, not a wrapping.
    """
    visible = [path for path in root.iterdir() if not is_hidden(path.name)]
    folders = [path for path in visible if path.is_dir() and not path.is_symlink()]
    files = [path for path in visible if path.is_file() and path.suffix.lower() not in DOCUMENTS]
    if len(folders) != 1 or files or folders[0].name.lower() in SPLIT_FOLDERS:
        return root
    holds_more = any(path.is_dir() or describes_images(path.name) for path in folders[0].iterdir())
    return folders[0] if holds_more else root


def describes_images(name: str) -> bool:
    """Whether a file of this name is a manifest, or holds many images, rather than being one image."""
    return Path(name).suffix.lower() in (".csv", ".tsv", ".jsonl", ".npz") or "ubyte" in name


def is_split(folder: PurePosixPath) -> bool:
    """Whether a folder is named like a part of a data set."""
    return folder.name.lower() in SPLIT_FOLDERS


def split_folders(tree: Tree) -> list[PurePosixPath]:
    """The top folders that are the data's train, val and test; none where those are names of classes.

    A class may be called `train`, so either all top folders are splits, or those that are hold folders only.
    """
    top = tree.inside(TOP)
    splits = [folder for folder in top if is_split(folder)]
    nested = all(tree.inside(folder) and not tree.directly(folder) for folder in splits)
    return splits if splits and (len(splits) == len(top) or nested) else []


def in_class_folders(files: list[PurePosixPath], depth: int) -> bool:
    """Whether files lie in folders of classes, `depth` folders down, rather than side by side without labels."""
    deeper = [path for path in files if len(path.parts) > depth + 1]
    pictures = [path for path in files if path.suffix.lower() in SUFFIXES]
    return bool(deeper) and (not pictures or any(len(path.parts) > depth + 1 for path in pictures))


def read_folder(tree: Tree) -> Found:
    """The images of a folder, labelled by the folder of their class, split by train, val and test if there are.

    Images in no class folder have no label where no other has one, and are skipped where others have.
    """
    splits = split_folders(tree)
    rows: list[tuple[str, str, str]] = []  # file name, class, split
    classes: set[str] = set()
    skipped = list(tree.skipped)
    for base in splits or [TOP]:
        split = SPLITS[base.name.lower()] if splits else ""
        depth = len(base.parts)
        below = [path for path in tree.files if path.parts[:depth] == base.parts]
        labelled = in_class_folders(below, depth)
        if labelled:
            classes.update(folder.name for folder in tree.inside(base))
        for path in below:
            if labelled and len(path.parts) == depth + 1:
                skipped.append(Skipped(str(path), "lies outside the folders of the classes"))
            else:
                rows.append((str(path), path.parts[depth] if labelled else "", split))
    if splits:
        where = ", ".join(folder.name for folder in splits)
        beside = [path for path in tree.files if PurePosixPath(path.parts[0]) not in splits]
        skipped += [Skipped(str(path), f"lies outside the folders {where}") for path in beside]
    return found_in(tree.root, rows, in_class_order(classes), skipped)


def found_in(root: Path, rows: list[tuple[str, str, str]], classes: tuple[str, ...], skipped: list[Skipped]) -> Found:
    """The rows (file name, class, split) as columns."""
    names, labels, splits = (list(column) for column in zip(*rows, strict=True)) if rows else ([], [], [])
    alone = len(classes) == 1 and f"There is only one class folder, {classes[0]}; its name was taken as the label."
    return Found(
        classes=classes,
        names=texts(names),
        labels=numbered_labels(labels, classes),
        splits=texts(splits),
        groups=texts([""] * len(rows)),
        source=root,
        skipped=tuple(skipped),
        remarks=(alone,) if alone else (),
    )
