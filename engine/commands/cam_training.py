"""`cam-training`: can a classifier be taught where to look, and does that help?"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from engine.commands.cam_masks import PLANTED, Masks, add_mask_options, masks_of
from engine.commands.cam_training_files import Compared, files_of
from engine.commands.cam_training_options import add_options, arms_of, seeds_of, settings_of
from engine.commands.subject_options import add_subject_options, subject_of
from engine.commands.waiting import answer
from engine.commands.writing import written
from engine.loading.demos.planted_backgrounds import backgrounds_truth
from engine.methods.cam_training import TEACHING
from engine.methods.cam_training.evidence import compare
from engine.methods.cam_training.image_masks import from_boxes
from engine.methods.cam_training.result import MaskPicture
from engine.methods.cam_training.settings import MaskSettings, TeachingSettings
from engine.methods.cam_training.teaching_sentences import what_a_step_costs, what_it_shows
from engine.runs.encoding import content_fingerprint
from engine.runs.run import Input
from engine.subject.image_set import ImageSet
from engine.subject.subject import Subject
from engine.workbench import Workbench

ALWAYS = ("default", "cam")  # the other arms are left out where they make no sense, unless they were named


def add_to(parsers: Any) -> None:
    """Describe the command."""
    parser = parsers.add_parser(
        "cam-training",
        help="teach it where to look, and compare that with plain training over seeds",
        description="Train a classifier plainly, with a CAM term, on a tight crop and on other classes' backgrounds, "
        "with several seeds, and compare their accuracies on unchanged, swapped, unseen and off-centre test images. "
        "Writes summary.json, runs.csv and the first seed's CAM-trained classifier, cam.safetensors, into --out.",
    )
    add_subject_options(parser)
    add_options(parser)
    add_mask_options(parser)
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="folder for the results")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> None:
    """Train, compare and write; ValueError in one sentence where that can't be."""
    bench = Workbench()
    subject = subject_of(arguments, bench)
    compared = trained(bench, subject, arguments)
    files = files_of(compared, subject)
    written(arguments.out, files, sentences(compared))


def trained(bench: Workbench, subject: Subject, arguments: argparse.Namespace) -> Compared:
    """Every arm with every seed, one run each."""
    from engine.methods.cam_training.step_cost import step_ratio

    masks = masks_of(arguments, subject.images)
    usual, arms, seeds = settings_of(arguments, masks.settings), arms_of(arguments), seeds_of(arguments)
    taught, runs, left_out, seconds = [], [], {}, 0.0
    for settings, inputs in questions(usual, arms, seeds, masks, arguments):
        if settings.arm in left_out:
            continue
        try:
            found, took = answer(bench, TEACHING, subject, settings, inputs)
        except ValueError as error:
            if arguments.arms or settings.arm in ALWAYS or settings.seed != seeds[0]:
                raise
            left_out[settings.arm] = str(error)
            print(f"left out, {settings.arm}: {error}", file=sys.stderr)
            continue
        taught.append(found)
        runs.append(bench.question(TEACHING, subject, settings, inputs).fingerprint)
        seconds += took
    ratio = None
    if "cam" in arms:
        given = {name: each.value for name, each in mask_inputs(masks).items()}
        ratio = step_ratio(subject, replace(usual, seed=seeds[0]), given)
    return Compared(taught, runs, compare(taught), left_out, ratio, seconds)


def questions(
    usual: TeachingSettings, arms: tuple[str, ...], seeds: range, masks: Masks, arguments: argparse.Namespace
) -> Iterator[tuple[TeachingSettings, Mapping[str, Input]]]:
    """The settings and inputs of each run; a built-in example's data are drawn anew for every seed but 0, its own."""
    for seed in seeds:
        inputs = mask_inputs(masks)
        if arguments.demo and seed:
            inputs["images"] = Workbench.demo_images(arguments.demo, seed)
            if arguments.masks == PLANTED:
                inputs |= mask_inputs(planted(seed, inputs["images"].value(), arguments.forbidden))
        for arm in arms:
            keep = arm == "cam" and seed == seeds[0]
            yield replace(usual, arm=arm, seed=seed, keep_weights=keep), inputs


def planted(seed: int, images: ImageSet, forbidden: str) -> Masks:
    """The plates of the built-in backgrounds that this seed draws."""
    plates = backgrounds_truth(seed).plates
    each = from_boxes(images.ids, plates, images.frame.height, images.frame.width)
    return Masks(MaskSettings("each", forbidden=forbidden), each=each)


def mask_inputs(masks: Masks) -> dict[str, Input]:
    """What a training is given of masks that are no shape, as the page gives it."""
    if masks.picture is not None:
        kept = MaskPicture(np.rint(255 * masks.picture).astype(np.uint8))
        return {"picture": Input(content_fingerprint(kept), kept.inside / np.float32(255))}
    return {"masks": Input(content_fingerprint(masks.each), masks.each)} if masks.each is not None else {}


def sentences(compared: Compared) -> list[str]:
    """What was found, in words."""
    said = what_it_shows(compared.evidence)
    return [*said, what_a_step_costs(*compared.step_ratio)] if compared.step_ratio else said
