"""Results and pieces of results: dataclasses kept as JSON and arrays."""

from __future__ import annotations

import json
import sqlite3
from io import BytesIO
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from engine.runs.database import Database
from engine.runs.encoding import from_npy, put_together, take_apart, to_npy

T = TypeVar("T")
LARGE_BYTES = 16 << 20  # from here on an array is a file of its own, memory-mapped when read


class Documents:
    """Values by key, each belonging to a run (or a data set), with which it is forgotten."""

    def __init__(self, database: Database) -> None:
        self.database = database

    def save(self, key: str, run: str, value: Any) -> None:
        """Keep a value of dataclasses, plain values and arrays; one of the same key is replaced."""
        body, arrays = take_apart(value)
        rows = [self._row(key, name, array) for name, array in arrays.items()]
        with self.database.writing() as tables:
            old = self._files(tables.conn, "key = ?", key)
            tables.table("documents").upsert({"key": key, "run": run, "body": json.dumps(body)}, pk="key")
            tables.table("arrays").delete_where("key = ?", [key])
            tables.table("arrays").insert_all(rows, pk=("key", "name"))
        self._drop(old - {row["file"] for row in rows})

    def find(self, key: str, kind: type[T]) -> T | None:
        """The value kept under this key, or None; one that can't be read any more counts as absent."""
        with self.database.reading() as tables:
            tables.conn.execute("begin")  # one state of both tables
            found = tables.conn.execute("select body from documents where key = ?", [key]).fetchone()
            rows = tables.conn.execute("select name, data, file from arrays where key = ?", [key]).fetchall()
        if found is None:
            return None
        try:
            arrays = {name: self._array(data, file) for name, data, file in rows}
            return put_together(kind, json.loads(found[0]), arrays)
        except (OSError, EOFError, ValueError, KeyError, TypeError):
            return None

    def delete(self, run: str) -> None:
        """Forget all that belongs to a run."""
        with self.database.writing() as tables:
            files = self._files(tables.conn, "key in (select key from documents where run = ?)", run)
            tables.table("arrays").delete_where("key in (select key from documents where run = ?)", [run])
            tables.table("documents").delete_where("run = ?", [run])
        self._drop(files)

    def has_pieces(self, run: str) -> bool:
        """Whether pieces of a run that did not end are kept, from which it goes on when it is asked for again."""
        with self.database.reading() as tables:
            return bool(tables.table("documents").count_where("run = ? and key != run", [run]))

    def delete_pieces(self, run: str) -> None:
        """Forget the pieces of a run that has its result."""
        with self.database.writing() as tables:
            pieces = "select key from documents where run = ? and key != run"
            files = self._files(tables.conn, f"key in ({pieces})", run)
            tables.conn.execute(f"delete from arrays where key in ({pieces})", [run])  # noqa: S608
            tables.table("documents").delete_where("run = ? and key != run", [run])
        self._drop(files)

    def _row(self, key: str, name: str, array: np.ndarray) -> dict[str, Any]:
        data, file = to_npy(array), ""
        size = len(data)
        if size > LARGE_BYTES:
            file = self.database.keep_file(BytesIO(data), ".npy")
            data = b""
        return {"key": key, "name": name, "data": data, "file": file, "bytes": size}

    def _array(self, data: bytes, file: str) -> np.ndarray:
        if file:
            return np.load(self.database.files / Path(file).name, mmap_mode="r", allow_pickle=False)
        return from_npy(data)

    @staticmethod
    def _files(connection: sqlite3.Connection, where: str, key: str) -> set[str]:
        query = f"select file from arrays where file != '' and {where}"  # noqa: S608
        return {file for (file,) in connection.execute(query, [key])}

    def _drop(self, files: set[str]) -> None:
        with self.database.reading() as tables:
            wanted = {f for (f,) in tables.conn.execute("select file from arrays where file != ''")}
        for file in files - wanted:
            self.database.drop_file(file)
