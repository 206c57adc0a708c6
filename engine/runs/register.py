"""The book of runs: what was asked, how it stands, and whether anybody is still at it."""

from __future__ import annotations

import json
import time
from dataclasses import asdict, dataclass
from typing import Any

from sqlite_utils import Database as Tables

from engine.runs.database import Database
from engine.runs.run import Outcome, Run

TOUCH_SECONDS = 60.0
LEASE_SECONDS = 8.0  # a running run whose owner hasn't been heard of for so long was interrupted


@dataclass(frozen=True)
class Entry:
    """A run as it stands; `fraction` done in [0, 1], times in seconds since 1970."""

    fingerprint: str
    run: Run
    title: str
    model: str
    dataset: str
    outcome: Outcome
    message: str
    detail: str
    fraction: float
    label: str
    asked_at: float
    started_at: float
    seconds: float
    owner: str


class Register:
    """All runs by fingerprint. Outcomes are written by whoever owns the run."""

    def __init__(self, database: Database) -> None:
        self.database = database

    def ask(self, run: Run, title: str, model: str, dataset: str, owner: str) -> bool:
        """Write a question down as waiting for `owner`; False where another process is at it already."""
        now = time.time()
        with self.database.writing() as tables:
            self._mark_interrupted(tables, now)
            busy = "fingerprint = ? and outcome in ('waiting', 'running') and owner != ?"
            if tables.table("runs").count_where(busy, [run.fingerprint, owner]):
                return False
            tables.table("runs").upsert(
                {
                    "fingerprint": run.fingerprint,
                    **asdict(run),
                    "settings": json.dumps(dict(run.settings)),
                    "inputs": json.dumps(dict(run.inputs)),
                    "title": title,
                    "model": model,
                    "dataset": dataset,
                    "outcome": Outcome.WAITING.value,
                    "message": "",
                    "detail": "",
                    "fraction": 0.0,
                    "label": "",
                    "asked_at": now,
                    "started_at": 0.0,
                    "seconds": 0.0,
                    "owner": owner,
                    "heartbeat": now,
                    "used_at": now,
                },
                pk="fingerprint",
            )
        return True

    def start(self, fingerprint: str) -> None:
        """The run's turn has come. Nothing happens to one that was forgotten meanwhile, here and in what follows."""
        now = time.time()
        with self.database.writing() as tables:
            started = "update runs set outcome = ?, started_at = ?, heartbeat = ? where fingerprint = ?"
            tables.conn.execute(started, [Outcome.RUNNING.value, now, now, fingerprint])

    def beat(self, owner: str, fingerprint: str, fraction: float, label: str) -> None:
        """The owner is alive, and the run that it is at has come so far."""
        with self.database.writing() as tables:
            alive = "update runs set heartbeat = ? where owner = ? and outcome in ('waiting', 'running')"
            tables.conn.execute(alive, [time.time(), owner])
            so_far = "update runs set fraction = ?, label = ? where fingerprint = ?"
            tables.conn.execute(so_far, [fraction, label, fingerprint])

    def end(self, fingerprint: str, outcome: Outcome, message: str = "", detail: str = "") -> None:
        """The run is over; `message` is one sentence for a person, `detail` the traceback where there is one."""
        with self.database.writing() as tables:
            (started,) = tables.conn.execute(
                "select started_at from runs where fingerprint = ?", [fingerprint]
            ).fetchone() or (0.0,)
            seconds = time.time() - started if started else 0.0
            ended = "update runs set outcome = ?, message = ?, detail = ?, seconds = ? where fingerprint = ?"
            tables.conn.execute(ended, [outcome.value, message, detail, seconds, fingerprint])

    def touch(self, fingerprint: str) -> None:
        """The run's result was used: it is evicted later. Written at most once a minute, for pages ask often."""
        now = time.time()
        with self.database.reading() as tables:
            row = tables.conn.execute("select used_at from runs where fingerprint = ?", [fingerprint]).fetchone()
        if row and now - row[0] > TOUCH_SECONDS:
            with self.database.writing() as tables:
                tables.conn.execute("update runs set used_at = ? where fingerprint = ?", [now, fingerprint])

    def entry(self, fingerprint: str) -> Entry | None:
        """How this run stands, or None if it was never asked."""
        found = self.entries("fingerprint = ?", [fingerprint])
        return found[0] if found else None

    def entries(self, where: str = "1", values: list[Any] | None = None) -> list[Entry]:
        """The runs that fit a condition, newest first."""
        with self.database.reading() as tables:
            self._mark_interrupted(tables, time.time())
            rows = list(tables.table("runs").rows_where(where, values or [], order_by="asked_at desc"))
        return [self._entry(row) for row in rows]

    def delete(self, fingerprint: str) -> None:
        """Forget that this was asked."""
        with self.database.writing() as tables:
            tables.table("runs").delete_where("fingerprint = ?", [fingerprint])

    @staticmethod
    def _mark_interrupted(tables: Tables, now: float) -> None:
        silent = "outcome in ('waiting', 'running') and heartbeat < ?"
        if not tables.table("runs").count_where(silent, [now - LEASE_SECONDS]):
            return
        sentence = "the program ended while this ran"
        tables.conn.execute(
            f"update runs set outcome = 'interrupted', message = ? where {silent}",  # noqa: S608
            [sentence, now - LEASE_SECONDS],
        )

    @staticmethod
    def _entry(row: dict[str, Any]) -> Entry:
        run = Run(
            step=row["step"],
            version=row["version"],
            subject=row["subject"],
            settings=json.loads(row["settings"]),
            inputs=json.loads(row["inputs"]),
            seed=row["seed"],
        )
        same = ("fingerprint", "title", "model", "dataset", "message", "detail", "fraction", "label")
        times = ("asked_at", "started_at", "seconds", "owner")
        return Entry(run=run, outcome=Outcome(row["outcome"]), **{name: row[name] for name in same + times})
