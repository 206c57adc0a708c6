"""The store: results found again after a restart, a quota, and forgetting."""

from __future__ import annotations

import shutil
import threading
from collections import OrderedDict
from collections.abc import Sequence
from pathlib import Path
from typing import TypeVar

from engine.runs.database import Database
from engine.runs.documents import Documents
from engine.runs.register import Register
from engine.runs.run import Outcome, Run
from engine.runs.shelf import DatasetRow, ModelRow, Shelf

T = TypeVar("T")
QUOTA_BYTES = 10 << 30
HELD = 24  # results that stay in memory as they were read, for a page reads the same ones after every click


class Store:
    """Everything kept under one folder: `runs`, `documents` and the `shelf` of what was loaded."""

    def __init__(self, home: Path, quota_bytes: int = QUOTA_BYTES) -> None:
        self.database = Database(home)
        self.documents = Documents(self.database)
        self.register = Register(self.database)
        self.shelf = Shelf(self.database)
        self.quota_bytes = quota_bytes
        self._held: OrderedDict[tuple[str, float], object] = OrderedDict()
        self._lock = threading.Lock()

    def result(self, run: Run, kind: type[T]) -> T | None:
        """What was found when this was asked before, or None."""
        entry = self.register.entry(run.fingerprint)
        if entry is None or entry.outcome != Outcome.FINISHED:
            return None
        self.register.touch(run.fingerprint)
        key = (run.fingerprint, entry.asked_at)
        with self._lock:
            held = self._held.get(key)
        found = held if isinstance(held, kind) else self.documents.find(run.fingerprint, kind)
        with self._lock:
            if found is not None:
                self._held[key] = found
                self._held.move_to_end(key)
            while len(self._held) > HELD:
                self._held.popitem(last=False)
        return found

    def finish(self, run: Run, result: object) -> None:
        """Keep a run's result and drop its pieces; nothing is kept of a run that was forgotten meanwhile."""
        self.documents.save(run.fingerprint, run.fingerprint, result)
        self.register.end(run.fingerprint, Outcome.FINISHED)
        self.documents.delete_pieces(run.fingerprint)
        if self.register.entry(run.fingerprint) is None:
            self.documents.delete(run.fingerprint)

    def forget_run(self, fingerprint: str) -> None:
        """Remove a run, its result and its pieces."""
        self.documents.delete(fingerprint)
        self.register.delete(fingerprint)

    def forget_model(self, fingerprint: str) -> None:
        """Remove a model and every run on it."""
        for entry in self.register.entries("model = ?", [fingerprint]):
            self.forget_run(entry.fingerprint)
        rows = self.shelf.models()
        self.shelf.drop("models", fingerprint)
        self.documents.delete(fingerprint)
        for file in _only_of(fingerprint, rows):
            self.database.drop_file(file)
        self._shrink()

    def forget_dataset(self, fingerprint: str) -> None:
        """Remove a data set: its index, its uploaded file, its selections, and every run on it."""
        for entry in self.register.entries("dataset = ?", [fingerprint]):
            self.forget_run(entry.fingerprint)
        rows = self.shelf.datasets()
        self.shelf.drop("datasets", fingerprint)
        self.documents.delete(fingerprint)
        for file in _only_of(fingerprint, rows):
            self.database.drop_file(file)
        self._shrink()

    def make_room(self, spared: str = "") -> list[str]:
        """Forget results, those used longest ago first, until the quota is kept; what a person gave is never touched.

        The run `spared` stays, too. Returns the fingerprints of the runs that were forgotten.
        """
        over = self.database.bytes_used() - self.quota_bytes
        if over <= 0:
            return []
        with self.database.reading() as tables:
            made = [run for (run,) in tables.conn.execute("select distinct run from models where run != ''")]
            rows = tables.conn.execute(
                "select runs.fingerprint, coalesce(sum(arrays.bytes), 0) from runs"
                " join documents on documents.run = runs.fingerprint"
                " join arrays on arrays.key = documents.key"
                " where runs.outcome not in ('waiting', 'running')"
                " group by runs.fingerprint order by runs.used_at"
            ).fetchall()
        gone: list[str] = []
        for fingerprint, size in rows:
            if over <= 0:
                break
            if fingerprint not in made and fingerprint != spared:
                self.forget_run(fingerprint)
                gone.append(fingerprint)
                over -= size
        self._shrink()
        return gone

    def check_room(self, size: int) -> None:
        """Raise ValueError where a file of this many bytes has no place within the quota or on the disk."""
        used, free = self.database.bytes_used(), shutil.disk_usage(self.database.home).free
        if used + size > self.quota_bytes:
            raise ValueError(
                f"there is no room for {size / 1e6:.0f} MB: {used / 1e6:.0f} of {self.quota_bytes / 1e6:.0f} MB "
                "are used; forget a model or a data set first, or load the data from a local path"
            )
        if size > free:
            raise ValueError(f"the disk has {free / 1e6:.0f} MB left, the file needs {size / 1e6:.0f} MB")

    def _shrink(self) -> None:
        """Give the freed pages back to the disk; it needs a moment without writers, and can wait if there is none."""
        with self.database.reading() as tables:
            tables.conn.execute("pragma busy_timeout=1000")
            try:
                tables.conn.execute("vacuum")
                tables.conn.execute("pragma wal_checkpoint(truncate)")
            except Exception as error:  # sqlite3.OperationalError: somebody is writing
                if "locked" not in str(error):
                    raise


def _only_of(fingerprint: str, rows: Sequence[ModelRow | DatasetRow]) -> set[str]:
    """The kept files that no other row needs."""
    others = {row.file for row in rows if row.fingerprint != fingerprint}
    return {row.file for row in rows if row.fingerprint == fingerprint and row.file} - others
