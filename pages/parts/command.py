"""What was asked on a page, as a command that asks it headlessly."""

from __future__ import annotations

import shlex

from engine.subject.subject import Subject
from engine.workbench import DEMOS, LOADED, Opened, Workbench


def evaluate_command(bench: Workbench, subject: Subject, role: str) -> str:
    """The command for an evaluation, "" where there is none; what was uploaded is named as it was called."""
    options = subject_options(bench, subject)
    return (
        shlex.join(["python", "-m", "engine", "evaluate", *options, "--role", role, "--out", "out"]) if options else ""
    )


def subject_options(bench: Workbench, subject: Subject) -> list[str]:
    """The options that load this classifier and this data; none where a built-in one stands with something else."""
    for demo in DEMOS:
        if bench.known_demo(demo) == Opened(subject.model, subject.dataset):
            return ["--demo", demo]
    source = next(row.source for row in bench.store.shelf.datasets() if row.fingerprint == subject.dataset)
    origin = bench.model(subject.model).origin
    if "demo" in source or not origin.startswith(LOADED):
        return []
    blueprint = subject.blueprint
    wanted, options = blueprint.preprocessing, source["options"]
    words = ["--checkpoint", origin.removeprefix(LOADED), "--arch", blueprint.architecture]
    words += ["--data", source["path"] or subject.images.name, "--classes", *blueprint.classes]
    words += ["--size", f"{wanted.height}", f"{wanted.width}"]
    words += ["--mean", *map(repr, wanted.mean), "--std", *map(repr, wanted.std)]
    words += ["--interpolation", wanted.interpolation, "--crop", repr(wanted.crop_share), "--seen", options["seen"]]
    for option, name in (("--leave-out", "left_out"), ("--order", "order")):
        words += [option, *options[name]] if options[name] else []
    words += ["--rename", *(f"{old}={new}" for old, new in options["renamed"].items())] if options["renamed"] else []
    words += ["--torchvision", options["torchvision"]] if options["torchvision"] else []
    words += ["--transposed", "yes" if options["transposed"] else "no"] if options["transposed"] is not None else []
    return words + (["--first-label", str(options["first_label"])] if options["first_label"] is not None else [])
