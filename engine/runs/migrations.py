"""The store's tables: named steps, kept for ever, each done once to a database."""

from __future__ import annotations

from sqlite_utils import Database, Migrations

migrations = Migrations("faultline")


@migrations()
def create_runs(db: Database) -> None:
    """What was asked, how it stands, and who is at it: `heartbeat` is renewed while `owner` works."""
    db.table("runs").create(
        {
            "fingerprint": str,
            "step": str,
            "title": str,
            "version": int,
            "subject": str,
            "model": str,
            "dataset": str,
            "settings": str,
            "inputs": str,
            "seed": int,
            "outcome": str,
            "message": str,
            "detail": str,
            "fraction": float,
            "label": str,
            "asked_at": float,
            "started_at": float,
            "seconds": float,
            "owner": str,
            "heartbeat": float,
            "used_at": float,
        },
        pk="fingerprint",
    )
    db.table("runs").create_index(["outcome"])


@migrations()
def create_documents(db: Database) -> None:
    """Results and pieces of unfinished runs: JSON here, its arrays as `.npy` bytes or as a file's name."""
    db.table("documents").create({"key": str, "run": str, "body": str}, pk="key")
    db.table("documents").create_index(["run"])
    db.table("arrays").create({"key": str, "name": str, "data": bytes, "file": str, "bytes": int}, pk=("key", "name"))


@migrations()
def create_models_and_datasets(db: Database) -> None:
    """What was loaded or made: enough to find and rebuild it, with its bytes or its file."""
    db.table("models").create(
        {
            "fingerprint": str,
            "name": str,
            "blueprint": str,
            "file": str,
            "parent": str,
            "run": str,
            "origin": str,
            "added_at": float,
            "used_at": float,
        },
        pk="fingerprint",
    )
    db.table("datasets").create(
        {
            "fingerprint": str,
            "name": str,
            "source": str,
            "signature": str,
            "file": str,
            "added_at": float,
            "used_at": float,
        },
        pk="fingerprint",
    )


@migrations()
def create_selections_events_and_state(db: Database) -> None:
    """Named sets of images, what happened and is worth remembering, and what is loaded."""
    db.table("selections").create(
        {"name": str, "dataset": str, "origin": str, "ids": str, "added_at": float}, pk=("dataset", "name")
    )
    db.table("events").create({"id": int, "at": float, "kind": str, "about": str, "detail": str}, pk="id")
    db.table("state").create({"key": str, "value": str}, pk="key")
