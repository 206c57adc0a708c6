"""The table of errors that every method writes alike, so that one can be laid beside another's or read by any tool."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from engine.toolkit.tables import to_csv

COLUMNS = (
    "sample_id",
    "file_name",
    "split",
    "label",
    "prediction",
    "confidence",
    "corrected_label",
    "cluster_id",
    "cluster_name",
    "is_error",
    "loss",
    "margin",
    "cluster_size",
    "cluster_error_rate",
    "source",
    "method",
    "run_id",
    "model_sha256",
    "dataset_sha256",
    "note",
)


def rounded(value: float) -> float:
    """The value in six digits, which is what float32 holds."""
    return float(f"{value:.6g}")


def error_csv(found: Iterable[Mapping[str, Any]]) -> bytes:
    """Rows with these columns as a CSV."""
    return to_csv(found, COLUMNS)
