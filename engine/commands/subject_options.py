"""The options by which every command is told what to examine."""

from __future__ import annotations

import argparse
from pathlib import Path

from engine.commands.waiting import Bar
from engine.loading.data_options import SEEN, DataOptions
from engine.loading.open_checkpoint import CheckpointOptions
from engine.loading.torchvision_sets import SETS
from engine.subject.preprocessing import INTERPOLATIONS
from engine.subject.subject import Subject
from engine.workbench import DEMOS, Opened, Workbench


def add_subject_options(parser: argparse.ArgumentParser) -> None:
    """What to examine: a built-in example, or a checkpoint and data."""
    what = parser.add_argument_group("what to examine: a built-in example, or a checkpoint and data")
    what.add_argument("--demo", choices=DEMOS, help="a built-in classifier with planted faults, and its data")
    what.add_argument("--checkpoint", type=Path, metavar="FILE", help="weights: .pt, .pth, .ckpt, .bin, .safetensors")
    what.add_argument("--data", type=Path, metavar="PATH", help="a folder, .zip, .csv, IDX file, .npz or image")
    classifier = parser.add_argument_group("how the classifier is built (left out: read off the weights)")
    classifier.add_argument("--arch", default="", metavar="NAME", help="resnet18, timm/resnet18, lenet5, ...")
    classifier.add_argument("--classes", nargs="+", default=(), metavar="NAME", help="names, in the outputs' order")
    classifier.add_argument("--size", nargs="+", type=int, metavar="PIXELS", help="input height and width, or one side")
    classifier.add_argument("--mean", nargs="+", type=float, default=(), metavar="X", help="per channel, for [0, 1]")
    classifier.add_argument("--std", nargs="+", type=float, default=(), metavar="X", help="per channel, for [0, 1]")
    classifier.add_argument("--crop", type=float, metavar="SHARE", help="share kept by the centre crop, 0.875 of 256")
    classifier.add_argument("--interpolation", choices=INTERPOLATIONS, default="", help="for resizing")
    data = parser.add_argument_group("how the data is read")
    data.add_argument("--seen", choices=SEEN, default=DataOptions.seen, help="was its train part trained on?")
    data.add_argument("--leave-out", nargs="+", default=(), metavar="CLASS", help="classes to leave out")
    data.add_argument("--rename", nargs="+", default=(), metavar="OLD=NEW", help="classes to rename")
    data.add_argument("--order", nargs="+", default=(), metavar="CLASS", help="all classes, in order")
    data.add_argument("--transposed", choices=("yes", "no"), help="IDX, .npz: are rows and columns exchanged?")
    data.add_argument("--first-label", type=int, metavar="N", help="IDX, .npz: the number that labels start from")
    data.add_argument("--torchvision", choices=SETS, default="", help="read --data as the root of torchvision's set")


def subject_of(arguments: argparse.Namespace, bench: Workbench) -> Subject:
    """The subject that the options describe; ValueError where they don't describe one."""
    if arguments.demo:
        if arguments.checkpoint or arguments.data:
            raise ValueError("give --demo, or --checkpoint and --data, not both")
        return bench.subject(bench.open_demo(arguments.demo))
    if not (arguments.checkpoint and arguments.data):
        raise ValueError("give --demo digits, or --checkpoint FILE and --data PATH")
    if not arguments.checkpoint.is_file():
        raise ValueError(f"there is no file {arguments.checkpoint}")
    bar = Bar("looking at images")
    try:
        dataset = bench.add_images(arguments.data, data_options(arguments), progress=bar)
    finally:
        bar.bar.close()
    model = bench.add_checkpoint(arguments.checkpoint, checkpoint_options(arguments), bench.images(dataset))
    return bench.subject(Opened(model, dataset))


def data_options(arguments: argparse.Namespace) -> DataOptions:
    """The options that concern the data."""
    pairs = [pair.partition("=") for pair in arguments.rename]
    if wrong := [old for old, sign, _ in pairs if not sign]:
        raise ValueError(f"--rename takes OLD=NEW, got {wrong[0]!r}")
    return DataOptions(
        left_out=tuple(arguments.leave_out),
        renamed={old: new for old, _, new in pairs},
        order=tuple(arguments.order),
        seen=arguments.seen,
        torchvision=arguments.torchvision,
        transposed=None if arguments.transposed is None else arguments.transposed == "yes",
        first_label=arguments.first_label,
    )


def checkpoint_options(arguments: argparse.Namespace) -> CheckpointOptions:
    """The options that concern the classifier."""
    size = arguments.size or (None, None)
    if len(size) > 2:
        raise ValueError(f"--size takes a height and a width, or one side; got {len(size)} numbers")
    return CheckpointOptions(
        architecture=arguments.arch,
        classes=tuple(arguments.classes),
        height=size[0],
        width=size[-1],
        mean=tuple(arguments.mean),
        std=tuple(arguments.std),
        interpolation=arguments.interpolation,
        crop_share=arguments.crop,
    )
