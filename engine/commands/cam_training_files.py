"""What `cam-training` writes: the summary, a table of the runs, and the trained classifier."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from engine.commands.describing import described, without_nan
from engine.methods.cam_training.evidence import PARTS, ArmOutcome, Evidence, Gap, on_test_images
from engine.methods.cam_training.figure import mean_of
from engine.methods.cam_training.result import Taught
from engine.subject.subject import Subject
from engine.toolkit.tables import to_csv

COLUMNS = (
    *("arm", "seed", "part", "role", "made", "n", "accuracy", "accuracy_low", "accuracy_high"),
    *("train_accuracy", "learned", "energy_inside", "layer", "run"),
)
GAP = (
    *("gap", "gap_low", "gap_high", "wins", "n", "p"),
    *("images", "images_shared", "image_low", "image_high"),
)


@dataclass(frozen=True)
class Compared:
    """The trainings with their runs' fingerprints, what they show, the arms left out and why, and a step's ratio."""

    taught: list[Taught]
    runs: list[str]
    evidence: Evidence
    left_out: dict[str, str]
    step_ratio: tuple[float, float, float] | None
    seconds: float


def files_of(compared: Compared, subject: Subject) -> dict[str, bytes]:
    """What to write, by file name."""
    summary = without_nan({**described(subject), **summary_of(compared)})
    files = {
        "summary.json": (json.dumps(summary, indent=2, allow_nan=False) + "\n").encode(),
        "runs.csv": to_csv(rows_of(compared), COLUMNS),
    }
    kept = next((run for run in compared.taught if len(run.weights)), None)
    return files if kept is None else {**files, "cam.safetensors": classifier_file(kept, subject)}


def classifier_file(kept: Taught, subject: Subject) -> bytes:
    """The trained classifier as a file that opens again without a question."""
    from engine.loading.checkpoints import to_safetensors, with_weights

    name = f"{subject.blueprint.name}, CAM-trained"
    return to_safetensors(with_weights(subject.blueprint, kept.weights.tobytes(), name))


def summary_of(compared: Compared) -> dict[str, Any]:
    """The figures as plain values; None where there is nothing to tell. The gap is that of `cam` on swapped images."""
    evidence, ratio = compared.evidence, compared.step_ratio or (None,) * 3
    gap = evidence.gap("cam", "swapped")
    own = gap_values(gap) if gap else dict.fromkeys(GAP)
    return {
        "seeds": sorted({run.seed for run in compared.taught}),
        "arms": {arm.arm: arm_values(arm) for arm in evidence.arms},
        "left_out": compared.left_out,
        "role": evidence.role or None,
        "made": list(evidence.made),
        **{name: own[name] for name in GAP},
        "gaps": [gap_values(each) for each in evidence.gaps],
        **dict(zip(("step_ratio", "step_ratio_low", "step_ratio_high"), ratio, strict=True)),
        "seconds": compared.seconds,
    }


def arm_values(arm: ArmOutcome) -> dict[str, Any]:
    """An arm's means over the seeds, with the intervals beside them."""
    figures = {**arm.accuracy, "energy_inside": arm.energy_inside}
    if arm.flips is not None:
        figures["flips"] = arm.flips
    return {
        **{name: figures[name].mean if name in figures else None for name in (*PARTS, "energy_inside", "flips")},
        "intervals": {name: [each.low, each.high] for name, each in figures.items()},
        "never_learned": list(arm.failed),
    }


def gap_values(gap: Gap) -> dict[str, Any]:
    """A paired difference to plain training."""
    difference = gap.difference
    return {
        "arm": gap.arm,
        "part": gap.part,
        "gap": difference.mean,
        "gap_low": difference.low,
        "gap_high": difference.high,
        "wins": gap.wins,
        "n": gap.n,
        "p": gap.p,
        "images": gap.images,
        "images_shared": gap.shared,
        "image_low": gap.image_low,
        "image_high": gap.image_high,
    }


def rows_of(compared: Compared) -> Iterator[dict[str, Any]]:
    """A row for each arm, seed and part, with the interval that the part's images allow."""
    for run, fingerprint in zip(compared.taught, compared.runs, strict=True):
        inside = mean_of(run.energy_inside)
        for part in run.parts:
            share = on_test_images(part)
            yield {
                "arm": run.arm,
                "seed": run.seed,
                "part": part.name,
                "role": part.role,
                "made": part.made,
                "n": share.n,
                "accuracy": share.value,
                "accuracy_low": share.low,
                "accuracy_high": share.high,
                "train_accuracy": run.train_accuracy,
                "learned": run.learned,
                "energy_inside": None if np.isnan(inside) else inside,
                "layer": run.layer,
                "run": fingerprint,
            }
