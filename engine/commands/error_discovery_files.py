"""What `error-discovery` writes: the summary, tables of regions, images and corrections, and the images."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from engine.commands.describing import described, without_nan
from engine.commands.error_discovery_story import Story
from engine.methods.error_discovery.comparison import ArmOutcome, Comparison, compare
from engine.methods.error_discovery.discovery import Discovery
from engine.methods.error_discovery.region_table import regions_csv
from engine.methods.error_discovery.result import Errors, Generator, Regions
from engine.methods.error_discovery.weighing import DECIDING, FIGURES, figures_of, values
from engine.toolkit.seeds import OverSeeds, over_seeds
from engine.toolkit.tables import to_csv

CORRECTION_COLUMNS = ("arm", "weight", "seed", *FIGURES, *DECIDING, "labels", "used", "held", "run")


def files_of(stories: Sequence[Story], training: float, anew: bool) -> dict[str, bytes]:
    """What to write, by file name: tables and images are the first story's, for numbers of regions are its own."""
    first = stories[0]
    summary = without_nan({**described(first.subject), **summary_of(stories, training, anew)})
    return {
        "summary.json": (json.dumps(summary, indent=2, allow_nan=False) + "\n").encode(),
        "corrections.csv": to_csv(without_nan(list(correction_rows(stories))), CORRECTION_COLUMNS),
        "real_regions.csv": regions_csv(first.real_discovery()),
        **unpacked(first),
    }


def unpacked(story: Story) -> dict[str, bytes]:
    """The tables and the images of the regions."""
    from engine.methods.error_discovery.decoding import Decoder
    from engine.methods.error_discovery.exporting import bundle

    packed = bundle(story.discovery(), Decoder(story.value("generator"), story.subject))
    with zipfile.ZipFile(io.BytesIO(packed)) as files:
        return {name: files.read(name) for name in files.namelist()}


def summary_of(stories: Sequence[Story], training: float, anew: bool) -> dict[str, Any]:
    """The figures as plain values, means over the seeds where there are several; NaN where there is nothing to tell.

    `training` are the seconds that the oracle took to make, which are in no stage.
    """
    rows = [story_values(story) for story in stories]
    runs = [run for story in stories for run in story.runs]
    names = dict.fromkeys(name for story in stories for name in story.seconds)
    return {
        "seeds": sorted({run.order for run in runs}) or [story.seed for story in stories],
        "drawn_anew": anew,
        "reconstruction": {name: mean_of(rows, name) for name in ("real", "reconstructed")},
        "identified": mean_of(rows, "identified"),
        "readable": mean_of(rows, "readable"),
        "precision": mean_of(rows, "precision"),
        "labelled_by": stories[0].labels.by if stories[0].labels else None,
        "regions": [row for story in stories for row in region_rows(story)],
        "real_regions": [row for story in stories for row in real_rows(story)],
        "correction": correction_values(compare(runs)) if runs else None,
        "by_seed": rows,
        "seconds": {
            **{name: sum(story.seconds.get(name, 0.0) for story in stories) for name in names},
            "oracle": training,
        },
    }


def mean_of(rows: Sequence[dict[str, Any]], name: str) -> float:
    """The mean of a figure over the stories that have it."""
    return over_seeds(values(dict(enumerate(rows)), name), most=np.inf).mean


def story_values(story: Story) -> dict[str, Any]:
    """The figures of one story."""
    generator: Generator = story.value("generator")
    errors: Errors = story.value("errors")
    readable, precision = story.readable, story.precision
    kinds = story.labels.kind.tolist() if story.labels else []
    return {
        "seed": story.seed,
        "real": generator.gate_real.value,
        "reconstructed": generator.gate_reconstructed.value,
        "identified": len(errors.ids),
        "funnel": dict(errors.funnel),
        "readable": readable.value,
        "precision": precision.value,
        "precision_low": precision.low,
        "precision_high": precision.high,
        "regions": int(story.value("regions").alive.sum()),
        "reproduced": int(story.value("tests").reproduced.sum()),
        "labelled": {kind: kinds.count(kind) for kind in sorted(set(kinds))},
        "notes": [*generator.notes, *errors.notes, *story.value("regions").notes, *story.value("tests").notes],
    }


def region_rows(story: Story) -> list[dict[str, Any]]:
    """Each living region, with what it was labelled as."""
    told = story.discovery()
    classes = story.subject.blueprint.classes
    rows = []
    for row in tested_rows(told, story.seed):
        kind, label = told.decision(row["region"])
        rows.append({**row, "kind": kind or None, "given": classes[label] if label >= 0 else None})
    return rows


def real_rows(story: Story) -> list[dict[str, Any]]:
    """Each region of real errors."""
    return tested_rows(story.real_discovery(), story.seed)


def tested_rows(told: Discovery, seed: int) -> list[dict[str, Any]]:
    """What the tests gave for each living region."""
    regions: Regions = told.regions
    classes = told.subject.blueprint.classes
    return [
        {
            "region": number,
            "seed": seed,
            "label": classes[regions.label[number]],
            "prediction": classes[regions.prediction[number]],
            "size": int(regions.size[number]),
            "error_rate": told.tests.error[number].value,
            "low": told.tests.error[number].low,
            "high": told.tests.error[number].high,
            "reproduced": bool(told.tests.reproduced[number]),
        }
        for number in told.living()
    ]


def correction_values(found: Comparison) -> dict[str, Any]:
    """Each arm at its chosen weight, and all that were tried."""
    chosen = found.chosen()
    return {
        "lambda": found.weights.get("regions"),
        "arms": {name: arm_values(arm) for name, arm in chosen.items()},
        "table": [arm_values(arm) for arm in found.outcomes],
    }


def arm_values(arm: ArmOutcome) -> dict[str, Any]:
    """An arm at a weight: means over the seeds with their intervals, and paired differences."""
    return {
        "arm": arm.arm,
        "weight": arm.weight,
        **{name: arm.figures[name].mean for name in (*FIGURES, *DECIDING)},
        "intervals": {name: [arm.figures[name].low, arm.figures[name].high] for name in FIGURES},
        "vs_continued": {name: gap_values(gap) for name, gap in arm.vs_continued.items()},
        "vs_before": {name: gap_values(gap) for name, gap in arm.vs_before.items()},
        "labels": arm.labels,
        "broken": arm.broken.mean,
    }


def gap_values(gap: OverSeeds) -> dict[str, Any]:
    """A paired difference with its interval."""
    return {"mean": gap.mean, "low": gap.low, "high": gap.high, "n": len(gap.values)}


def correction_rows(stories: Sequence[Story]) -> Iterator[dict[str, Any]]:
    """A row for each run."""
    for story in stories:
        for run, name in zip(story.runs, story.names, strict=True):
            yield {
                "arm": run.arm,
                "weight": run.weight,
                "seed": run.order,
                **figures_of(run),
                "labels": run.labels,
                "used": " ".join(map(str, run.used)),
                "held": " ".join(map(str, run.held)),
                "run": name,
            }
