"""What the steps found as tables and, of the pairs, as arrays: to be kept, compared and worked on elsewhere."""

from __future__ import annotations

import io
import math
import zipfile
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from engine.methods.input_optimization.result import (
    Between,
    Breakpoint,
    Breakpoints,
    Differences,
    Optimisation,
    Sweep,
    Swept,
)
from engine.methods.input_optimization.sides import SweptSide, swept_sides
from engine.methods.input_optimization.wording import said_value
from engine.runs.progress import Progress
from engine.subject.image_set import ImageSet
from engine.subject.subject import Subject
from engine.toolkit.error_table import rounded
from engine.toolkit.streamed_npz import add_array, add_pieces
from engine.toolkit.transforms.families import Family, family_named, in_order

WHO = ("sample_id", "file_name", "label")
WHAT = ("family", "side", "severity", "value", "unit")
STATES = ("already", "reached", "not reached")  # in the order of ALREADY, REACHED, NOT_REACHED
VERSIONS = ("clean", "transformed", "optimised")
ANSWERS = ("prediction", "confidence", "loss")
COMPARED = (("clean", "transformed"), ("transformed", "optimised"), ("clean", "optimised"))
MEASURES = ("l2", "mse", "ssim", "feature_cosine", "feature_l2", "kl")  # of Between
PAIR_COLUMNS = (
    *WHO,
    *WHAT,
    *(f"{answer}_{version}" for version in VERSIONS for answer in ANSWERS),
    "state",
    "distance",
    "steps",
    "margin_distance",
    *(f"{measure}_{first}_{second}" for first, second in COMPARED for measure in MEASURES),
)
SWEEP_COLUMNS = (*WHO, *WHAT, *ANSWERS, "margin", "right", "pixel_change")
BREAKPOINT_COLUMNS = (
    "family",
    "side",
    "scope",
    "severity",
    "value",
    "low",
    "high",
    "unit",
    "reached",
    "other",
    "other_low",
    "other_high",
    "verified",
    "threshold",
    "n",
    "units",
)


def pair_rows(
    sweep: Sweep, images: ImageSet, optimisation: Optimisation, differences: Differences | None
) -> list[dict[str, Any]]:
    """One row per pair, with the columns of `PAIR_COLUMNS`; cells are empty where there is nothing to tell.

    What the optimised images are taken for is that of the last step where the pair was not reached.
    """
    who, what = image_cells(sweep, images), [combination_cells(each) for each in sweep.grids]
    columns = pair_columns(sweep, optimisation, differences)
    found = []
    for image, grid, combination, *cells in zip(
        optimisation.image.tolist(),
        optimisation.grid.tolist(),
        optimisation.combination.tolist(),
        *columns.values(),
        strict=True,
    ):
        found.append({**who[image], **what[grid][combination], **dict(zip(columns, cells, strict=True))})
    return found


def pair_columns(sweep: Sweep, optimisation: Optimisation, differences: Differences | None) -> dict[str, list[Any]]:
    """The cells of a pair from its answers on, by column, P each."""
    empty = [""] * len(optimisation.state)
    optimised = differences.optimised if differences else None
    columns = {
        **{f"{name}_clean": getattr(sweep.clean, name)[optimisation.image, 0] for name in ANSWERS},
        **{f"{name}_transformed": of_pairs(sweep, optimisation, name) for name in ANSWERS},
        **{f"{name}_optimised": getattr(optimised, name) if optimised else empty for name in ANSWERS},
        "loss_optimised": optimisation.loss_after,  # which the optimisation knows itself
        "state": [STATES[each] for each in optimisation.state.tolist()],
        "distance": optimisation.distance,
        "steps": optimisation.steps,
        "margin_distance": differences.margin_distance if differences else empty,
    }
    for first, second in COMPARED:
        between: Between | None = getattr(differences, f"{first}_{second}") if differences else None
        for measure in MEASURES:
            columns[f"{measure}_{first}_{second}"] = getattr(between, measure) if between else empty
    return {
        name: cells(values, sweep.classes if name.startswith("prediction") else ()) for name, values in columns.items()
    }


def of_pairs(sweep: Sweep, optimisation: Optimisation, name: str) -> np.ndarray:
    """(P,) one of the sweep's `Outcomes` for the transformed images of the pairs."""
    by_grid = [getattr(swept.outcomes, name) for swept in sweep.grids]
    places = zip(optimisation.grid, optimisation.image, optimisation.combination, strict=True)
    return np.array([by_grid[grid][image, combination] for grid, image, combination in places])


def cells(values: np.ndarray | list[Any], classes: Sequence[str] = ()) -> list[Any]:
    """The cells of a column: classes by their name, numbers in six digits, words and whole numbers as they are."""
    if isinstance(values, list):
        return values
    if values.dtype.kind == "f":
        return [number(value) for value in values.tolist()]
    return [classes[value] for value in values.tolist()] if classes else values.tolist()


def number(value: float) -> float | str:
    """The value in six digits; empty where it is NaN or infinite."""
    return rounded(value) if math.isfinite(value) else ""


def image_cells(sweep: Sweep, images: ImageSet) -> list[dict[str, str]]:
    """Which image it is, for each of the sweep's: the columns of `WHO`."""
    files = [str(images.names[images.position[sample_id]]) for sample_id in sweep.ids.tolist()]
    labels = [sweep.classes[label] for label in sweep.labels.tolist()]
    return [dict(zip(WHO, each, strict=True)) for each in zip(sweep.ids.tolist(), files, labels, strict=True)]


def combination_cells(swept: Swept) -> list[dict[str, Any]]:
    """What is done to the image, for each combination of a grid: the columns of `WHAT`.

    Of several families the names are joined with +, the rest with ;, in their order; a family that changes nothing has
    no side.
    """
    families = [family_named(name) for name in swept.families]
    found = []
    for severities in swept.severities.tolist():
        each = list(zip(families, severities, strict=True))
        found.append(
            {
                "family": "+".join(swept.families),
                "side": ";".join(family.side(np.sign(at)).name if at else "" for family, at in each),
                "severity": in_a_row(severities),
                "value": in_a_row([family.value(at) for family, at in each]),
                "unit": ";".join(family.unit for family in families),
            }
        )
    return found


def in_a_row(values: list[float]) -> float | str:
    """One value in six digits, or several of them in a row."""
    return rounded(values[0]) if len(values) == 1 else ";".join(f"{value:.6g}" for value in values)


def sweep_rows(sweep: Sweep, images: ImageSet) -> Iterator[dict[str, Any]]:
    """One row per image and combination, with the columns of `SWEEP_COLUMNS`; the unchanged images come first.

    These have no family. `margin` is the label's logit minus the best other one, `pixel_change` the root of the mean
    squared difference of pixel values, in [0, 1], to the unchanged image.
    """
    who = image_cells(sweep, images)
    for swept in (Swept((), np.zeros((1, 0)), sweep.clean), *sweep.grids):
        what, outcomes = combination_cells(swept), swept.outcomes
        names = ("prediction", "confidence", "loss", "margin", "shift")
        for image, label, *said in zip(
            who, sweep.labels.tolist(), *(getattr(outcomes, name).tolist() for name in names), strict=True
        ):
            for done, prediction, confidence, loss, margin, shift in zip(what, *said, strict=True):
                yield {
                    **image,
                    **done,
                    "prediction": sweep.classes[prediction],
                    "confidence": rounded(confidence),
                    "loss": rounded(loss),
                    "margin": rounded(margin),
                    "right": yes_or_no(prediction == label),
                    "pixel_change": rounded(shift),
                }


def yes_or_no(value: bool | None) -> str:
    """The word for a cell; empty where nobody knows."""
    return "" if value is None else str(value).lower()


def breakpoint_rows(breakpoints: Breakpoints) -> list[dict[str, Any]]:
    """One row per breakpoint, with the columns of `BREAKPOINT_COLUMNS`; see `breakpoint_values`."""
    found = [breakpoint_values(row) for row in breakpoints.rows]
    return [{**row, **{name: yes_or_no(row[name]) for name in ("reached", "verified")}} for row in found]


def breakpoint_values(row: Breakpoint) -> dict[str, Any]:
    """A breakpoint as plain values: numbers in the family's unit, None where not reached and beyond the range.

    `low` is the lower number of an interval and `high` the higher one, whichever of them is the greater change.
    """
    family = family_named(row.family)
    low, high = interval_values(family, row.sign, row.low, row.high)
    other_low, other_high = interval_values(family, row.sign, row.other_low, row.other_high)
    return {
        "family": row.family,
        "side": family.side(row.sign).name,
        "scope": row.scope,
        "severity": rounded(row.severity) if math.isfinite(row.severity) else None,
        "value": value_of(family, row.sign, row.severity),
        "low": low,
        "high": high,
        "unit": family.unit,
        "reached": row.reached,
        "other": value_of(family, row.sign, row.other),
        "other_low": other_low,
        "other_high": other_high,
        "verified": row.verified,
        "threshold": rounded(row.threshold),
        "n": row.n,
        "units": row.units,
    }


def value_of(family: Family, sign: int, severity: float) -> float | None:
    """A severity in [0, 1] of one side in the family's unit; None where it is NaN or infinite."""
    return rounded(family.value(sign * severity)) if math.isfinite(severity) else None


def interval_values(family: Family, sign: int, low: float, high: float) -> tuple[float | None, float | None]:
    """An interval of severities of one side in the family's unit, the lower number first."""
    ends = value_of(family, sign, low), value_of(family, sign, high)
    return ends if family.side(sign).end > family.identity else ends[::-1]


def failing_rows(
    sweep: Sweep,
    breakpoints: Breakpoints,
    subject: Subject,
    run_id: str,
    sides: Sequence[tuple[str, int]] | None = None,
    images: np.ndarray | None = None,
) -> list[dict[str, Any]]:
    """Rows of the error table: images that are right unchanged and turn wrong for good, a cluster for each side.

    An answer is the one at the first severity after the image's break. `sides` (family, sign) and `images` (M,), rows
    of the sweep, say which to list, None all; a cluster's size and rate are those of all images either way, the rate a
    share of those that are right unchanged.
    """
    listed = np.arange(len(sweep.ids)) if images is None else images
    roles = subject.images.roles[[subject.images.position[each] for each in sweep.ids.tolist()]].tolist()
    who = [{**each, "split": role} for each, role in zip(image_cells(sweep, subject.images), roles, strict=True)]
    common = {
        "corrected_label": "",
        "is_error": "true",
        "source": "transformed",
        "method": "input_optimization",
        "run_id": run_id,
        "model_sha256": subject.blueprint.weights,
        "dataset_sha256": subject.images.fingerprint,
    }
    found = []
    for place, side in enumerate(swept_sides(sweep)):
        if sides is not None and (side.family, side.sign) not in sides:
            continue
        breaks = breakpoints.image_breaks[:, place]
        broken = sweep.clean_right & np.isfinite(breaks)
        rows = listed[broken[listed]]
        cluster = {
            "cluster_id": str(place),
            "cluster_name": side_name(side.family, side.sign),
            "cluster_size": int(broken.sum()),
            "cluster_error_rate": rounded(broken.sum() / max(1, sweep.clean_right.sum())),
        }
        for image, answer in zip(rows.tolist(), first_wrong(sweep, side, rows), strict=True):
            note = f"breaks at {said_value(side.family, side.sign * float(breaks[image]))}"
            found.append({**who[image], **answer, **cluster, **common, "note": note})
    return found


def side_name(family: str, sign: int) -> str:
    """The family's title, and the side where it has two."""
    told = family_named(family)
    return f"{told.title} {told.side(sign).name}" if len(told.sides) == 2 else told.title


def first_wrong(sweep: Sweep, side: SweptSide, rows: np.ndarray) -> list[dict[str, Any]]:
    """What these images (M,) are taken for at the first severity from which on they stay wrong."""
    right = side.right(sweep)[rows]
    last = right.shape[1] - 1 - right[:, ::-1].argmax(axis=1)
    places, outcomes = (rows, side.columns[last]), sweep.grids[side.grid].outcomes
    columns = {
        "prediction": cells(outcomes.prediction[places], sweep.classes),
        "confidence": cells(outcomes.confidence[places]),
        "loss": cells(outcomes.loss[places]),
        "margin": cells(outcomes.margin[places]),
    }
    return [dict(zip(columns, each, strict=True)) for each in zip(*columns.values(), strict=True)]


def pairs_npz(subject: Subject, sweep: Sweep, optimisation: Optimisation, progress: Progress) -> bytes:
    """The P pairs as an .npz without pickles.

    `sample_ids`, `labels` (P,) and `state` (P,) of STATES; `families` (F,) with `severities` (P, F), 0 where a family
    plays no part; `distance` (P,); `transformed` and `optimised` (P, C, H, W) float16 in [0, 1], `logits_transformed`
    and `logits_optimised` (P, classes) float32, `classes` their names. Where a pair was not reached, what is called
    optimised is its last step.
    """
    from engine.methods.input_optimization.pair_images import VERSIONS, PairImages

    images = PairImages(subject, sweep, optimisation)
    families, severities = severities_of_pairs(sweep, optimisation)
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as bundle:
        add_array(bundle, "sample_ids", sweep.ids[optimisation.image])
        add_array(bundle, "labels", sweep.labels[optimisation.image])
        add_array(bundle, "classes", np.array(sweep.classes))
        add_array(bundle, "families", np.array(families))
        add_array(bundle, "severities", severities)
        add_array(bundle, "state", np.array(STATES)[optimisation.state])
        add_array(bundle, "distance", optimisation.distance)
        for begin, version in zip((0.0, 0.5), VERSIONS, strict=True):
            logits = np.empty((len(optimisation.state), len(sweep.classes)), np.float32)
            pieces = images.batches(version, logits, progress.part(begin, begin + 0.5))
            add_pieces(bundle, version, images.shape, np.float16, pieces)
            add_array(bundle, f"logits_{version}", logits)
    progress.report(1.0, "writing images")
    return buffer.getvalue()


def severities_of_pairs(sweep: Sweep, optimisation: Optimisation) -> tuple[tuple[str, ...], np.ndarray]:
    """The families (F,) that the pairs' grids vary, and the severity of each (P, F) float64."""
    used = [(number, sweep.grids[number]) for number in np.unique(optimisation.grid)]
    families = in_order(tuple({name for _, swept in used for name in swept.families}))
    severities = np.zeros((len(optimisation.grid), len(families)))
    for number, swept in used:
        ours = np.flatnonzero(optimisation.grid == number)
        columns = [families.index(name) for name in swept.families]
        severities[ours[:, None], columns] = swept.severities[optimisation.combination[ours]]
    return families, severities
