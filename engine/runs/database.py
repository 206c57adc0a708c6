"""One SQLite file and one folder of larger files, shared by threads, tabs and processes."""

from __future__ import annotations

import hashlib
import os
import shutil
import sqlite3
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path, PurePosixPath
from typing import BinaryIO

from platformdirs import user_data_path
from sqlite_utils import Database as Tables

from engine.runs.migrations import migrations

BUSY_SECONDS = 20
COPY_BYTES = 1 << 20


def home_folder() -> Path:
    """Where everything is kept: `FAULTLINE_HOME`, else the platform's folder for user data."""
    said = os.environ.get("FAULTLINE_HOME")
    return Path(said).expanduser() if said else user_data_path("faultline", appauthor=False)


class Database:
    """`home/faultline.sqlite` in WAL mode, and `home/files`, whose files are named by their SHA-256."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.files = home / "files"
        self.files.mkdir(parents=True, exist_ok=True)
        self.path = home / "faultline.sqlite"
        with self.reading() as tables:
            tables.conn.execute("pragma journal_mode=wal")
            if migrations.pending(tables):
                tables.conn.execute("begin immediate")
                migrations.apply(tables)
                tables.conn.execute("commit")

    @contextmanager
    def reading(self) -> Iterator[Tables]:
        """A connection of its own: Streamlit reruns in changing threads, and SQLite refuses a foreign one."""
        connection = sqlite3.connect(self.path, timeout=BUSY_SECONDS, isolation_level=None)
        try:
            connection.execute("pragma synchronous=normal")
            yield Tables(connection)
        finally:
            connection.close()

    @contextmanager
    def writing(self) -> Iterator[Tables]:
        """All that is written inside, or nothing of it.

        `begin immediate`, for a reader that turns writer fails at once instead of waiting its turn.
        """
        with self.reading() as tables:
            tables.conn.execute("begin immediate")
            try:
                yield tables
                tables.conn.execute("commit")
            except BaseException:
                if tables.conn.in_transaction:
                    tables.conn.execute("rollback")
                raise

    def keep_file(self, source: BinaryIO, suffix: str = "") -> str:
        """Copy the bytes into the folder under their hash; returns the file's name there."""
        digest = hashlib.sha256()
        with tempfile.NamedTemporaryFile(dir=self.files, prefix=".part-", delete=False) as part:
            try:
                while block := source.read(COPY_BYTES):
                    digest.update(block)
                    part.write(block)
                part.close()
                name = digest.hexdigest()[:32] + suffix
                Path(part.name).replace(self.files / name)
            except BaseException:
                Path(part.name).unlink(missing_ok=True)
                raise
        return name

    def keep_folder(self, sources: Sequence[tuple[str, BinaryIO]]) -> str:
        """Copy files that belong together into a folder named by their content; returns its name.

        Of each file's name only the last part counts, so that none can leave the folder.
        """
        if not sources:
            raise ValueError("no file was given")
        digest = hashlib.sha256()
        part = Path(tempfile.mkdtemp(dir=self.files, prefix=".part-"))
        try:
            for name, source in sources:
                plain = PurePosixPath(name.replace("\\", "/")).name
                if plain in ("", "..") or (part / plain).exists():
                    raise ValueError(f"the file name {name!r} can't be used, or comes twice; rename the file")
                digest.update(plain.encode() + b"\0")
                with (part / plain).open("wb") as copy:
                    while block := source.read(COPY_BYTES):
                        digest.update(block)
                        copy.write(block)
            folder = self.files / digest.hexdigest()[:32]
            if not folder.exists():
                part.replace(folder)
        finally:
            shutil.rmtree(part, ignore_errors=True)
        return folder.name

    def drop_file(self, name: str) -> None:
        """Forget a kept file or folder; no error if it is gone."""
        if name in ("", "..") or Path(name).name != name:
            raise ValueError(f"{name!r} is no name of a kept file")
        path = self.files / name
        if path.is_dir():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)

    def bytes_used(self) -> int:
        """Bytes of the database and all kept files on disk."""
        total = 0
        for path in self.home.rglob("*"):
            with suppress(FileNotFoundError):  # others write and clean up while this looks
                total += path.stat().st_size if path.is_file() else 0
        return total
