"""What was loaded or named: models, data sets, selections, events, and what stood open last."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from typing import Any

from engine.runs.database import Database

TEST_OPENED = "images of test opened"  # the kind of event


@dataclass(frozen=True)
class ModelRow:
    """A kept model; `blueprint` is JSON-able, `file` holds its weights, `parent` and `run` name what made a fix."""

    fingerprint: str
    name: str
    blueprint: dict[str, Any]
    file: str
    parent: str = ""
    run: str = ""
    origin: str = ""
    added_at: float = 0.0


@dataclass(frozen=True)
class DatasetRow:
    """A known data set; `source` says how to load it again, `signature` whether a local path has changed."""

    fingerprint: str
    name: str
    source: dict[str, Any]
    signature: str = ""
    file: str = ""
    added_at: float = 0.0


@dataclass(frozen=True)
class Selection:
    """A named, kept set of image ids of one data set, and where it came from."""

    name: str
    dataset: str
    origin: str
    ids: tuple[str, ...]


class Shelf:
    """Everything that isn't a run or its result."""

    def __init__(self, database: Database) -> None:
        self.database = database

    def add_model(self, row: ModelRow) -> None:
        """Remember a model whose weights lie in a kept file; known already, it only gets its new name."""
        with self.database.writing() as tables:
            if tables.table("models").count_where("fingerprint = ?", [row.fingerprint]):
                tables.table("models").update(row.fingerprint, {"name": row.name})
            else:
                tables.table("models").insert(self._values(row, "blueprint"), pk="fingerprint")

    def models(self) -> list[ModelRow]:
        """All kept models, newest first."""
        columns = "fingerprint, name, blueprint, file, parent, run, origin, added_at"
        with self.database.reading() as tables:
            rows = list(tables.query(f"select {columns} from models order by added_at desc"))  # noqa: S608
        return [ModelRow(**{**row, "blueprint": json.loads(row["blueprint"])}) for row in rows]

    def add_dataset(self, row: DatasetRow) -> None:
        """Remember a data set and how it was loaded."""
        with self.database.writing() as tables:
            tables.table("datasets").upsert(self._values(row, "source"), pk="fingerprint")

    def datasets(self) -> list[DatasetRow]:
        """All known data sets, newest first."""
        columns = "fingerprint, name, source, signature, file, added_at"
        with self.database.reading() as tables:
            rows = list(tables.query(f"select {columns} from datasets order by added_at desc"))  # noqa: S608
        return [DatasetRow(**{**row, "source": json.loads(row["source"])}) for row in rows]

    def keep_selection(self, selection: Selection) -> None:
        """Keep a selection; one of the same name on the same data is replaced."""
        values = {**selection.__dict__, "ids": json.dumps(selection.ids), "added_at": time.time()}
        with self.database.writing() as tables:
            tables.table("selections").upsert(values, pk=("dataset", "name"))

    def selections(self, dataset: str) -> list[Selection]:
        """The selections of a data set, newest first."""
        with self.database.reading() as tables:
            rows = list(tables.table("selections").rows_where("dataset = ?", [dataset], order_by="added_at desc"))
        return [Selection(row["name"], row["dataset"], row["origin"], tuple(json.loads(row["ids"]))) for row in rows]

    def drop_selection(self, dataset: str, name: str) -> None:
        """Forget a selection."""
        with self.database.writing() as tables:
            tables.table("selections").delete_where("dataset = ? and name = ?", [dataset, name])

    def record(self, kind: str, about: str, detail: str = "") -> None:
        """Write down that something happened, such as that images of `test` were opened."""
        with self.database.writing() as tables:
            tables.table("events").insert({"at": time.time(), "kind": kind, "about": about, "detail": detail}, pk="id")

    def events(self, kind: str, about: str) -> list[tuple[float, str]]:
        """When something of a kind happened to something, and its detail, oldest first."""
        with self.database.reading() as tables:
            rows = tables.table("events").rows_where("kind = ? and about = ?", [kind, about], order_by="id")
            return [(row["at"], row["detail"]) for row in rows]

    def remember(self, key: str, value: Any) -> None:
        """Keep a plain value, such as what is loaded, for the next start."""
        with self.database.writing() as tables:
            tables.table("state").upsert({"key": key, "value": json.dumps(value)}, pk="key")

    def recall(self, key: str) -> Any:
        """The value that was remembered, or None."""
        with self.database.reading() as tables:
            row = tables.conn.execute("select value from state where key = ?", [key]).fetchone()
        return json.loads(row[0]) if row else None

    def drop(self, table: str, fingerprint: str) -> None:
        """Forget a model or a data set (`table` is one of these two) and what was named on it."""
        if table not in ("models", "datasets"):
            raise ValueError(f"table must be models or datasets, got {table!r}")
        with self.database.writing() as tables:
            tables.table(table).delete_where("fingerprint = ?", [fingerprint])
            if table == "datasets":
                tables.table("selections").delete_where("dataset = ?", [fingerprint])

    @staticmethod
    def _values(row: ModelRow | DatasetRow, as_json: str) -> dict[str, Any]:
        now = time.time()
        values = {**row.__dict__, "used_at": now, "added_at": row.added_at or now}
        return {**values, as_json: json.dumps(values[as_json])}
