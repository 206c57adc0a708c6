"""Tables that list images: CSV, TSV or JSON lines, one row an image, the files beside them."""

from __future__ import annotations

import csv
import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from engine.loading.folders import TOP, Tree, split_folders
from engine.loading.found import SPLITS, Found, in_class_order, numbered_labels, texts
from engine.subject.image_set import Skipped

TABLES = (".csv", ".tsv", ".jsonl")
FILE_COLUMNS = ("file_name", "filepath", "file_path_abs", "image", "path")  # the first that is there counts
LABEL_COLUMNS = ("label", "class_name", "class", "target", "y")

Row = dict[str, str]


@dataclass(frozen=True)
class Entry:
    """One image of a manifest: where its file is, and what the row says of it."""

    file: Path
    label: str
    split: str
    group: str


def manifests_in(tree: Tree) -> list[Path]:
    """The manifests of a folder: at its top, or in each of its train, val and test.

    `metadata` goes before others (as on the Hugging Face hub). Several are fine where they are called train, val
    and test. Raises ValueError where it can't be told which one is meant.
    """
    top = [path for path in tree.directly(TOP) if is_manifest(tree.root / path)]
    if not top:
        within = [path for folder in split_folders(tree) for path in tree.directly(folder)]
        return [tree.root / path for path in within if is_manifest(tree.root / path)]
    chosen = [path for path in top if path.stem == "metadata"] or top
    if len(chosen) > 1 and not all(path.stem.lower() in SPLITS for path in chosen):
        names = ", ".join(path.name for path in chosen)
        raise ValueError(f"{tree.root.name} has several lists of images ({names}); give the path of the one you mean")
    return [tree.root / path for path in chosen]


def is_manifest(path: Path) -> bool:
    """Whether a file is a table with a column of image files."""
    if path.suffix.lower() not in TABLES:
        return False
    try:
        first = next(rows_of(path), {})
    except ValueError:
        return False
    return named(first, FILE_COLUMNS) is not None


def read_manifests(paths: list[Path], root: Path, only_inside: bool) -> Found:
    """The images that one or more manifests list, the files found beside each manifest.

    A manifest called, or in a folder called, train, val or test gives its rows that split if they have none. With
    `only_inside`, files outside `root` are skipped; else absolute paths are followed wherever they lead.
    """
    entries = [entry for path in paths for entry in entries_of(path, root)]
    remarks: tuple[str, ...] = ()
    if paths and not any(entry.label for entry in entries):
        names = ", ".join(path.name for path in paths)
        remarks = (f"{names} gives no labels (a column called {' or '.join(LABEL_COLUMNS)}).",)
    kept, skipped = [], []
    if not only_inside and any(not entry.file.is_relative_to(root) for entry in entries):
        root = Path(os.path.commonpath([root, *(entry.file.parent for entry in entries)]))
    inside = root.resolve()
    for entry in entries:
        reason = unusable(entry.file, inside)
        if reason:
            skipped.append(Skipped(str(entry.file).removeprefix(f"{root}{os.sep}"), reason))
        else:
            kept.append(entry)
    if not kept:
        if entries:
            raise ValueError(
                f"none of the {len(entries)} files that {paths[0].name} lists was found; the first is "
                f"{skipped[0].file_name}, which {skipped[0].reason}; paths count from the folder of the list"
            )
        raise ValueError(f"{paths[0].name} lists no images")
    classes = in_class_order({entry.label for entry in kept if entry.label})
    return Found(
        classes=classes,
        names=texts([entry.file.relative_to(root).as_posix() for entry in kept]),
        labels=numbered_labels([entry.label for entry in kept], classes),
        splits=texts([entry.split for entry in kept]),
        groups=texts([entry.group for entry in kept]),
        source=root,
        skipped=tuple(skipped),
        remarks=remarks,
    )


def unusable(file: Path, inside: Path) -> str:
    """Why a listed file can't be used, "" where it can."""
    try:
        if not file.resolve().is_relative_to(inside):
            return "lies outside the folder of the list"
        return "" if file.is_file() else "isn't there"
    except (OSError, ValueError, RuntimeError):  # names that no file can have, and circles of links
        return "has a name that no file can have"


def entries_of(path: Path, root: Path) -> Iterator[Entry]:
    """The rows of one manifest."""
    folder = path.parent.name if path.parent != root else ""
    own_split = SPLITS.get(path.stem.lower(), SPLITS.get(folder.lower(), ""))
    for number, row in enumerate(rows_of(path), start=1):
        file = named(row, FILE_COLUMNS)
        if file is None:
            raise ValueError(
                f"{path.name} needs a column with the image files, called {' or '.join(FILE_COLUMNS)}; "
                f"row {number} has {', '.join(row) or 'nothing'}"
            )
        if not row[file]:
            raise ValueError(f"{path.name} names no image in row {number}")
        label = named(row, LABEL_COLUMNS)
        split = row.get("split", "").strip().lower()
        if split and split not in SPLITS:
            raise ValueError(f"{path.name}, row {number}: the split is one of {', '.join(SPLITS)}, not {split!r}")
        yield Entry(
            file=Path(os.path.normpath(path.parent / PurePosixPath(row[file].replace("\\", "/")))),
            label=row[label] if label else "",
            split=SPLITS[split] if split else own_split,
            group=row.get("group", ""),
        )


def named(row: Row, columns: tuple[str, ...]) -> str | None:
    """The first of the columns that the row has."""
    return next((column for column in columns if column in row), None)


def rows_of(path: Path) -> Iterator[Row]:
    """The rows of a table, column names in lower case. Raises ValueError with the row where it is no table."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as lines:
            yield from json_rows(lines) if path.suffix.lower() == ".jsonl" else csv_rows(lines, path.suffix.lower())
    except UnicodeDecodeError as error:
        raise ValueError(f"{path.name} isn't text in UTF-8; save it as UTF-8") from error
    except (csv.Error, json.JSONDecodeError, RecursionError) as error:
        raise ValueError(f"{path.name} can't be read as a table: {error}") from error


def json_rows(lines: Iterator[str]) -> Iterator[Row]:
    """Each line one object."""
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        row = json.loads(line)
        if not isinstance(row, dict):
            raise ValueError(f'line {number} of the list isn\'t a JSON object, such as {{"file_name": "1.png"}}')
        yield {str(key).strip().lower(): "" if value is None else str(value).strip() for key, value in row.items()}


def csv_rows(lines: Iterator[str], suffix: str) -> Iterator[Row]:
    """Each line one row under the header, parted by comma, semicolon or tab, whichever the header has most of."""
    header = next(lines, "")
    delimiter = "\t" if suffix == ".tsv" else max(",;\t", key=header.count)
    columns = [name.strip().lower() for name in next(csv.reader([header], delimiter=delimiter), [])]
    for cells in csv.reader(lines, delimiter=delimiter):
        if cells:
            yield dict(zip(columns, map(as_written, cells), strict=False))


def as_written(cell: str) -> str:
    """A cell without the apostrophe that keeps spreadsheets from running a text that begins like a formula."""
    cell = cell.strip()
    return cell[1:] if cell[:1] == "'" and cell[1:2] in ("=", "+", "-", "@") else cell
