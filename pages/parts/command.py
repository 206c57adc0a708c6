"""What was asked on a page, as a command that asks it headlessly."""

from __future__ import annotations

import shlex

from engine.subject.subject import Subject
from engine.workbench import Workbench


def evaluate_command(bench: Workbench, subject: Subject, role: str) -> str:
    """The command for an evaluation; what was uploaded is named as it was, for its place isn't known."""
    return shlex.join(
        ["python", "-m", "engine", "evaluate", *subject_options(bench, subject), "--role", role, "--out", "out"]
    )


def subject_options(bench: Workbench, subject: Subject) -> list[str]:
    """The options that load this classifier and this data."""
    source = next(row.source for row in bench.store.shelf.datasets() if row.fingerprint == subject.dataset)
    origin = bench.model(subject.model).origin
    if origin == f"built in: {source.get('demo')}":
        return ["--demo", source["demo"]]
    blueprint = subject.blueprint
    wanted, options = blueprint.preprocessing, source.get("options", {})
    words = ["--checkpoint", origin.removeprefix("loaded from "), "--arch", blueprint.architecture]
    words += ["--data", source.get("path") or subject.images.name, "--classes", *blueprint.classes]
    words += ["--size", f"{wanted.height}", f"{wanted.width}"]
    words += ["--mean", *(f"{value:g}" for value in wanted.mean), "--std", *(f"{value:g}" for value in wanted.std)]
    words += ["--interpolation", wanted.interpolation, "--crop", f"{wanted.crop_share:g}"]
    words += ["--seen", options.get("seen", "unknown")]
    for option, name in (("--leave-out", "left_out"), ("--order", "order")):
        words += [option, *options[name]] if options.get(name) else []
    if renamed := options.get("renamed"):
        words += ["--rename", *(f"{old}={new}" for old, new in renamed.items())]
    return words + (["--torchvision", options["torchvision"]] if options.get("torchvision") else [])
