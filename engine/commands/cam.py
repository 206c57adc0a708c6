"""`cam`: where does a classifier look, and is that where it should?"""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from engine.commands.cam_masks import add_mask_options, masks_of
from engine.commands.describing import described, without_nan
from engine.commands.subject_options import add_subject_options, subject_of
from engine.commands.waiting import answer
from engine.commands.writing import written
from engine.methods.cam_training import CAMS, GROUPS, HIDING
from engine.methods.cam_training.contact_sheet import captions_of, sheet_png
from engine.methods.cam_training.export import CAM_COLUMNS, cam_rows, cams_npz
from engine.methods.cam_training.hiding import hiding_figures
from engine.methods.cam_training.localisation import Summary, localise, summary, worst_first
from engine.methods.cam_training.masks import on_grid
from engine.methods.cam_training.result import Cams, Groups, Hiding, Localisation
from engine.methods.cam_training.rules import RULES
from engine.methods.cam_training.sentences import (
    how_it_was_seen,
    unit_of,
    what_comes_from_outside,
    what_groups_there_are,
    what_hiding_showed,
    where_it_looks,
)
from engine.methods.cam_training.settings import (
    ANSWERS,
    LABEL,
    METHODS,
    NOTHING,
    PREDICTION,
    REST,
    ROLES,
    CamSettings,
    GroupSettings,
    HidingSettings,
)
from engine.runs.run import Input
from engine.runs.shelf import TEST_OPENED
from engine.subject.image_set import Role
from engine.subject.subject import Subject
from engine.toolkit.tables import to_csv
from engine.workbench import Workbench

DEFAULT = "default %(default)s"
ON_THE_SHEET = 48  # images


@dataclass(frozen=True)
class Found:
    """What there is to write: `hiding` is missing where no image has a label."""

    cams: Cams
    units: np.ndarray
    places: Localisation
    summary: Summary
    hiding: Hiding | None
    groups: Groups
    seconds: float


def add_to(parsers: Any) -> None:
    """Describe the command."""
    parser = parsers.add_parser(
        "cam",
        help="where it looks: class activation maps, held against a mask, hidden, and grouped",
        description="Make class activation maps, and measure how much of the evidence lies where it may, what hiding "
        "it costs, and into what groups the maps fall. Writes summary.json, maps.npz, maps.csv and sheet.png into "
        "--out.",
    )
    add_subject_options(parser)
    maps = parser.add_argument_group("whose maps are made, and how")
    default = CamSettings()
    maps.add_argument("--method", choices=METHODS, default=default.method, help=f"the rule; {DEFAULT}")
    maps.add_argument("--layer", default=default.layer, metavar="NAME", help="left out: the last that keeps a map")
    what = f"{PREDICTION}, {LABEL} or a class's name; {DEFAULT}"
    maps.add_argument("--of", default=default.of, metavar="WHAT", help=f"what the maps speak for: {what}")
    against = f"{REST} (all other classes), nothing, {what}"
    maps.add_argument(
        "--against", default=default.against, metavar="WHAT", help=f"what it is told apart from: {against}"
    )
    maps.add_argument("--role", choices=ROLES, default=default.role, help=DEFAULT)
    maps.add_argument("--images", type=int, default=default.images, metavar="N", help=f"at most; {DEFAULT}")
    maps.add_argument("--answers", choices=ANSWERS, default=default.answers, help=f"of which images; {DEFAULT}")
    add_mask_options(parser)
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="folder for the results")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> None:
    """Look, measure and write; ValueError in one sentence where that can't be."""
    bench = Workbench()
    subject = subject_of(arguments, bench)
    if arguments.role == Role.TEST:
        bench.store.shelf.record(TEST_OPENED, subject.dataset, subject.model)  # the sheet shows them
    found = looked(bench, subject, arguments)
    files = files_of(found, subject, arguments.role)
    written(arguments.out, files, sentences(found))


def looked(bench: Workbench, subject: Subject, arguments: argparse.Namespace) -> Found:
    """The maps, and what was measured of them."""
    images = subject.images
    asked = masks_of(arguments, images)
    if asked.each is None:  # said before the maps are waited for
        asked.over(images, np.arange(1))
    settings = CamSettings(
        method=arguments.method,
        layer=arguments.layer,
        of=target(arguments.of, subject),
        against=NOTHING if arguments.against == "nothing" else target(arguments.against, subject),
        role=arguments.role,
        images=arguments.images,
        answers=arguments.answers,
    )
    cams, seconds = answer(bench, CAMS, subject, settings)
    inputs = {"cams": Input(bench.question(CAMS, subject, settings).fingerprint, cams)}
    hidden, more = None, 0.0
    if (cams.labels >= 0).any():
        hidden, more = answer(bench, HIDING, subject, HidingSettings(), inputs)
    groups, most = answer(bench, GROUPS, subject, GroupSettings(), inputs)
    indices = np.array([images.position[sample_id] for sample_id in cams.ids.tolist()])
    masks = asked.over(images, indices)
    places = localise(cams.maps, on_grid(asked.settings, masks, cams.seen, *cams.maps.shape[1:]))
    units = images.units()[indices]
    return Found(cams, units, places, summary(places, units), hidden, groups, seconds + more + most)


def target(name: str, subject: Subject) -> str:
    """What a map speaks for or is told apart from, in the settings' words."""
    if name in (LABEL, PREDICTION, REST):
        return name
    if name not in subject.blueprint.classes:
        raise ValueError(f"there is no class {name!r}; there are {', '.join(subject.blueprint.classes[:20])}")
    return str(subject.blueprint.classes.index(name))


def files_of(found: Found, subject: Subject, role: str) -> dict[str, bytes]:
    """What to write, by file name."""
    worst = worst_first(found.places)
    few = worst[:ON_THE_SHEET].tolist()
    pictures = subject.images.read([subject.images.position[str(found.cams.ids[row])] for row in few])
    said = without_nan({**described(subject), "role": role, **summary_of(found)})
    rows = cam_rows(found.cams, subject.images, found.places, found.groups, worst.tolist())
    return {
        "summary.json": (json.dumps(said, indent=2, allow_nan=False) + "\n").encode(),
        "maps.npz": cams_npz(found.cams),
        "maps.csv": to_csv(rows, CAM_COLUMNS),
        "sheet.png": sheet_png(pictures, found.cams, few, captions_of(found.cams, found.places, few)),
    }


def summary_of(found: Found) -> dict[str, Any]:
    """The figures as plain values."""
    cams, places = found.cams, found.summary
    names = {"energy_inside": "energy", **{name: name for name in ("corrected", "pointing", "iou", "outside", "area")}}
    if not RULES[cams.method].adds_up:
        del names["outside"]
    return {
        "n": len(cams.ids),
        "method": cams.method,
        "layer": cams.layer,
        "exact": cams.exact,
        "of": cams.of,
        "against": cams.against,
        "cells": list(cams.maps.shape[1:]),
        "unit": unit_of(cams),
        **{name: asdict(getattr(places, field)) for name, field in names.items()},
        "hiding": [asdict(each) for each in hiding_figures(found.hiding)] if found.hiding else None,
        "groups": group_values(found),
        "silhouette": found.groups.silhouette.tolist(),
        "seconds": found.seconds,
    }


def group_values(found: Found) -> list[dict[str, Any]]:
    """Each group's size and accuracy."""
    cams, values = found.cams, []
    for group in range(len(found.groups.mean_maps)):
        members = found.groups.group == group
        labelled = members & (cams.labels >= 0)
        right = cams.predictions[labelled] == cams.labels[labelled]
        values.append(
            {"n": int(members.sum()), "labelled": len(right), "accuracy": float(right.mean()) if len(right) else None}
        )
    return values


def sentences(found: Found) -> list[str]:
    """What was found, in words."""
    said = [
        how_it_was_seen(found.cams),
        where_it_looks(found.cams, found.summary),
        *filter(None, [what_comes_from_outside(found.cams, found.summary)]),
    ]
    if found.hiding:
        said.append(what_hiding_showed(hiding_figures(found.hiding)))
    return said + what_groups_there_are(found.groups, found.cams, found.units)
