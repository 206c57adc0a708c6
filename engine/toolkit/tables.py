"""Tables for people: CSV that a spreadsheet opens without running anything in it."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

RISKY = ("=", "+", "-", "@", "\t", "\r")  # spreadsheets take a cell that begins so for a formula


def to_csv(rows: Iterable[Mapping[str, Any]], columns: Sequence[str]) -> bytes:
    """UTF-8 CSV with a header, also without rows; text that begins like a formula gets a leading apostrophe."""
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(columns)
    for row in rows:
        writer.writerow([_cell(row[column]) for column in columns])
    return buffer.getvalue().encode()


def from_csv(data: bytes) -> list[dict[str, str]]:
    """The rows of a CSV that `to_csv` wrote, the apostrophes taken off again."""
    rows = csv.DictReader(io.StringIO(data.decode("utf-8-sig")))
    return [{key: _plain(value or "") for key, value in row.items()} for row in rows]


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, str):
        return f"'{value}" if value.startswith((*RISKY, "'")) else value
    return str(value)


def _plain(text: str) -> str:
    return text.removeprefix("'")
