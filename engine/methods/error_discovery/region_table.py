"""Regions as a table for people and spreadsheets, and labels read back from it."""

from __future__ import annotations

import csv
import re
from collections.abc import Sequence
from datetime import UTC, datetime
from math import isnan
from typing import Any

import numpy as np

from engine.methods.error_discovery.discovery import Discovery
from engine.methods.error_discovery.editing import Edit, Merge, Split
from engine.methods.error_discovery.labelling import labels_of
from engine.methods.error_discovery.result import Labels, Regions
from engine.methods.error_discovery.shown import SHOWN, shown_draws
from engine.toolkit.error_table import rounded
from engine.toolkit.tables import from_csv, to_csv

STATUS = {
    "class": "error",
    "model_right": "model_right",
    "mixed": "mixed",
    "unreadable": "unrecognisable",
    "skipped": "skipped",
}
REGION_COLUMNS = (
    "run_id",
    "region_id",
    "status",
    "assigned_label",
    "seed_label_mode",
    "predicted_label",
    "n_support",
    "n_seeds",
    "n_shown",
    "n_excluded",
    "excluded",
    "error_rate_fresh",
    "ci_low",
    "ci_high",
    "purity",
    "reproduced",
    "q",
    "mean_conf",
    "knn_agreement",
    "novelty_percentile",
    "weight",
    "split",
    "annotator",
    "n_annotators",
    "agreement",
    "seconds",
    "note",
    "created_utc",
    "source",
    "generator_hash",
    "classifier_hash",
    "noise_kind",
    "sigma",
    "seed",
    "edits",
)
NEEDED = ("region_id", "status", "assigned_label")
EDIT = re.compile(r"merge (\d{1,9}) (\d{1,9})|split (\d{1,9})")


def regions_csv(found: Discovery, chosen: Sequence[int] | None = None) -> bytes:
    """One row for each living region, or each chosen one, with the columns of `REGION_COLUMNS`."""
    return to_csv((region_row(found, number) for number in found.living(chosen)), REGION_COLUMNS)


def region_row(found: Discovery, number: int) -> dict[str, Any]:
    """One region; cells are empty where there is nothing to tell."""
    classes, search, error = found.subject.images.classes, found.search, found.tests.error[number]
    held = "" if found.held is None else "held_out" if number in found.held else "correct"
    own, excluded = found.regions.member == number, found.excluded(number)
    novel = np.nan if found.novelty is None else found.novelty.percentile_all[number]
    return {
        "run_id": found.run,
        "region_id": number,
        "seed_label_mode": classes[found.regions.label[number]],
        "predicted_label": classes[found.regions.prediction[number]],
        "n_support": int(found.regions.size[number]),
        "n_seeds": int(found.regions.units[number]),
        "n_shown": len(shown_draws(found.tests, number)) or min(SHOWN, int(found.regions.size[number])),
        "n_excluded": len(excluded),
        "excluded": " ".join(map(str, excluded)),
        "error_rate_fresh": cell(error.value),
        "ci_low": cell(error.low),
        "ci_high": cell(error.high),
        "purity": cell(found.tests.purity[number]),
        "reproduced": str(bool(found.tests.reproduced[number])).lower(),
        "q": cell(found.tests.q[number]),
        "mean_conf": cell(float(np.mean(found.errors.p_prediction[own]))),
        "knn_agreement": cell(float(np.mean(found.errors.agreement[own]))),
        "novelty_percentile": cell(float(novel)),
        "weight": cell(float(found.regions.weight[number])),
        "split": held,
        "source": found.regions.source,
        "generator_hash": found.generator,
        "classifier_hash": found.subject.blueprint.weights,
        "noise_kind": search.noise if search else "",
        "sigma": search.scale if search else "",
        "seed": search.seed if search else "",
        "edits": "; ".join(map(in_words, found.state.edits)),
        **said_of(found, number),
    }


def said_of(found: Discovery, number: int) -> dict[str, Any]:
    """The columns of a region that people filled in."""
    kind, label = found.decision(number)
    opinions, event = found.opinions(number), found.state.decisions.get(number)
    status = STATUS.get(kind, "")
    if kind == "class" and label == found.regions.prediction[number]:
        status = "model_right"
    alike = [(each.kind, each.label) == (kind, label) for each in opinions]
    return {
        "status": status,
        "assigned_label": found.subject.images.classes[label] if label >= 0 else "",
        "annotator": found.labels.by if kind else "",
        "n_annotators": max(1, len(opinions)) if kind else 0,
        "agreement": cell(float(np.mean(alike))) if alike else "",
        "seconds": cell(event.seconds) if event else "",
        "note": found.state.notes.get(number, ""),
        "created_utc": datetime.fromtimestamp(event.at, UTC).isoformat(timespec="seconds") if event else "",
    }


def in_words(edit: Edit) -> str:
    """What was merged or split, as `edits_from_csv` reads it."""
    return f"merge {edit.first} {edit.second}" if isinstance(edit, Merge) else f"split {edit.region}"


def edits_from_csv(data: bytes) -> tuple[Edit, ...]:
    """What was merged and split, in this order, before a regions.csv was written; the same in each of its rows.

    ValueError in one sentence for what can't be read.
    """
    texts = {row.get("edits") or "" for row in read(data)}
    if len(texts) > 1:
        raise ValueError("the rows of this table tell of different edits")
    (text,) = texts
    return tuple(edit_of(part.strip()) for part in text.split(";")) if text.strip() else ()


def edit_of(text: str) -> Edit:
    """The edit in these words."""
    found = EDIT.fullmatch(text)
    if found is None:
        raise ValueError(f"{text[:40]!r} is no edit of regions")
    first, second, region = found.groups()
    return Split(int(region)) if region else Merge(int(first), int(second))


def labels_from_csv(data: bytes, regions: Regions, classes: Sequence[str]) -> Labels:
    """The labels of a regions.csv for these regions; rows without a status are undecided.

    ValueError in one sentence for what can't be read, or tells of other regions or classes.
    """
    rows = read(data)
    kinds = {status: kind for kind, status in STATUS.items()}
    decisions: dict[int, tuple[str, int]] = {}
    excluded: list[tuple[int, int]] = []
    for row in rows:
        region = region_of(row, regions)
        if region in decisions:
            raise ValueError(f"region {region} is in this table twice")
        excluded += [(region, number) for number in numbers_in(row.get("excluded") or "", region)]
        status, name = row["status"].strip(), row["assigned_label"].strip()
        if not status:
            continue
        if status not in kinds:
            raise ValueError(f"region {region} has the status {status[:40]!r}; known are {', '.join(kinds)}")
        if name and name not in classes:
            raise ValueError(f"region {region} has the label {name[:40]!r}, which is no class")
        if status == "error" and not name:
            raise ValueError(f"region {region} is an error but has no assigned_label")
        kind = "class" if name and status in ("error", "model_right") else kinds[status]
        decisions[region] = (kind, list(classes).index(name) if kind == "class" else -1)
    people = dict.fromkeys(row.get("annotator", "") for row in rows if row.get("annotator"))
    return labels_of(decisions, excluded, ", ".join(people) or "imported")


def read(data: bytes) -> list[dict[str, str]]:
    """The rows of a table that has at least the needed columns; ValueError in one sentence."""
    try:
        rows = from_csv(data)
    except (UnicodeDecodeError, csv.Error) as error:
        raise ValueError("this is no CSV in UTF-8") from error
    if not rows:
        raise ValueError("this table has no rows")
    if missing := [name for name in NEEDED if name not in rows[0]]:
        raise ValueError(f"this table has no column {missing[0]}; columns are separated by commas")
    return rows


def region_of(row: dict[str, str], regions: Regions) -> int:
    """The number of a row's region, which must be alive."""
    text = row["region_id"].strip()
    if not text.isascii() or not text.isdigit() or len(text) > 9 or int(text) >= len(regions.label):
        raise ValueError(f"there is no region {text[:40]!r}")
    if not regions.alive[int(text)]:
        raise ValueError(f"region {text} was merged or split")
    return int(text)


def numbers_in(text: str, region: int) -> list[int]:
    """Numbers with spaces between them."""
    parts = text.split()
    if not all(part.isascii() and part.isdigit() and len(part) < 10 for part in parts):
        raise ValueError(f"region {region} excludes {text[:40]!r}, which are no numbers")
    return [int(part) for part in parts]


def cell(value: float) -> float | str:
    """A figure in six digits, empty where there is none."""
    return "" if isnan(value) else rounded(float(value))
