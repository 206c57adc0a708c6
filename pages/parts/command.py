"""What was asked on a page, as a command that asks it headlessly."""

from __future__ import annotations

import shlex
from collections.abc import Sequence

from engine.methods.cam_training.settings import CamSettings, MaskSettings, TeachingSettings
from engine.methods.input_optimization.settings import BreakpointSettings, SweepSettings, published
from engine.methods.input_selection.settings import (
    RetrainingSettings,
    VerdictSettings,
)
from engine.subject.subject import Subject
from engine.workbench import DEMOS, LOADED, Opened, Workbench

BY_MAP = ("map", "mode", "metric", "wasserstein", "power", "end")  # what a map set by hand is made of


def evaluate_command(bench: Workbench, subject: Subject, role: str) -> str:
    """The command for an evaluation, "" where there is none; what was uploaded is named as it was called."""
    options = subject_options(bench, subject)
    return (
        shlex.join(["python", "-m", "engine", "evaluate", *options, "--role", role, "--out", "out"]) if options else ""
    )


def input_optimization_command(
    bench: Workbench, subject: Subject, settings: SweepSettings, rule: BreakpointSettings, selection: bool
) -> str:
    """The command for a sweep and the way back, "" where there is none: for a selection, or grids set by hand."""
    options = subject_options(bench, subject)
    if not options or selection:
        return ""
    names = [grid.families for grid in settings.grids]
    side = min(subject.images.frame.height, subject.images.frame.width)
    words = ["python", "-m", "engine", "input-optimization", *options]
    levels = max(len([each for each in those if each > 0]) for grid in settings.grids for those in grid.severities)
    if settings.grids == (published(side),):
        words += ["--published"]
    else:
        words += ["--families", ",".join(name for families in names for name in families), "--levels", str(levels)]
        words += ["--together"] if len(names) == 1 and len(names[0]) > 1 else []
    words += ["--role", settings.role, "--images", str(settings.images), "--rule", rule.rule]
    words += ["--drop", repr(rule.drop)] if rule.rule == "drop" else ["--level", repr(rule.level)]
    return shlex.join([*words, "--out", "out"])


def cam_command(bench: Workbench, subject: Subject, settings: CamSettings, mask: MaskSettings | None) -> str:
    """The command for these maps, "" where there is none: with a label's images only, or masks from files."""
    options = subject_options(bench, subject)
    if not options or settings.labels or (mask is not None and mask.shape in ("picture", "each")):
        return ""
    classes = subject.blueprint.classes

    def named(target: str) -> str:
        return classes[int(target)] if target.isdecimal() else target or "nothing"

    words = ["python", "-m", "engine", "cam", *options, "--method", settings.method]
    words += ["--of", named(settings.of), "--against", named(settings.against)]
    words += ["--layer", settings.layer] if settings.layer else []
    words += ["--role", settings.role, "--images", str(settings.images), "--answers", settings.answers]
    words += mask_options(mask) if mask is not None else []
    return shlex.join([*words, "--out", "out"])


def cam_training_command(
    bench: Workbench, subject: Subject, settings: TeachingSettings, seeds: int, arms: Sequence[str]
) -> str:
    """The command for a comparison over seeds, "" where there is none: with masks from files."""
    options, mask = subject_options(bench, subject), settings.mask
    if not options or mask.shape in ("picture", "each"):
        return ""
    words = ["python", "-m", "engine", "cam-training", *options, "--seeds", str(seeds), "--arms", ",".join(arms)]
    words += ["--loss", settings.loss, "--weight", repr(settings.weight)]
    words += ["--begin", repr(settings.begin), "--end", repr(settings.end)]
    words += ["--layer", settings.layer] if settings.layer else []
    words += ["--start", settings.start, "--balance", settings.balance, "--epochs", str(settings.epochs)]
    words += ["--batch-size", str(settings.batch_size), "--learning-rate", repr(settings.learning_rate)]
    return shlex.join([*words, *mask_options(mask), "--out", "out"])


def input_selection_command(
    bench: Workbench, subject: Subject, settings: RetrainingSettings, arms: Sequence[str], seeds: int, anew: bool
) -> str:
    """The command for a comparison, "" where there is none; `anew`: each seed but 0 draws a built-in example anew."""
    options, choice, usual = subject_options(bench, subject), settings.selection, RetrainingSettings()
    same = (settings.batch_size, settings.learning_rate) == (usual.batch_size, usual.learning_rate)
    same &= choice.rule == VerdictSettings(choice.rule.recall, choice.rule.gap)
    by_hand = any(getattr(choice, name) != getattr(usual.selection, name) for name in BY_MAP)
    by_hand &= any(arm.partition("@")[0] == "mode" for arm in arms)
    other = "--demo" in options and not anew and seeds > 1
    if not options or not same or by_hand or other or choice.excluded or choice.diverse:
        return ""
    words = ["python", "-m", "engine", "input-selection", *options, "--strategies", ",".join(arms)]
    words += [] if anew else ["--targets", *(subject.blueprint.classes[label] for label in choice.targets)]
    words += ["--recall", repr(choice.rule.recall), "--gap", repr(choice.rule.gap)]
    words += ["--budget", str(choice.budget), "--scored", repr(choice.scored)]
    words += [] if choice.filtered else ["--no-filter"]
    words += ["--how", settings.how, "--rounds", str(settings.rounds), "--steps", str(settings.steps)]
    return shlex.join([*words, "--seeds", str(seeds), "--out", "out"])


def mask_options(mask: MaskSettings) -> list[str]:
    """The options for a shape that all images share."""
    words = ["--mask", mask.shape, "--forbidden", mask.forbidden]
    words += ["--mask-size", repr(mask.size)] if mask.size else []
    box = (mask.top, mask.left, mask.bottom, mask.right)
    return words + (["--mask-box", *map(repr, box)] if mask.shape in ("rectangle", "ellipse") else [])


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
