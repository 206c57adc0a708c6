"""`train-demo`: make a built-in example's classifier anew."""

from __future__ import annotations

import argparse
import time
from pathlib import Path
from typing import Any

from engine.commands.waiting import Bar
from engine.workbench import DEMOS


def add_to(parsers: Any) -> None:
    """Describe the command."""
    parser = parsers.add_parser(
        "train-demo",
        help="train a built-in classifier again from scratch",
        description="Draw the data of a seed, train the classifier on it and save the weights as .safetensors. "
        "With seed 0 and --out assets this makes the weights that come with Faultline.",
    )
    parser.add_argument("--demo", choices=DEMOS, required=True, help="which example")
    parser.add_argument("--seed", type=int, default=0, help="another seed: other data, faults and weights")
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="folder for the weights")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> None:
    """Train and write."""
    from engine.loading.checkpoints import to_safetensors
    from engine.loading.demos import train_demo

    begin = time.perf_counter()
    bar = Bar("training")
    classifier = train_demo(arguments.demo, arguments.seed, bar)
    bar.bar.close()
    arguments.out.mkdir(parents=True, exist_ok=True)
    file = arguments.out / f"planted_{arguments.demo}.safetensors"
    file.write_bytes(to_safetensors(classifier))
    print(f"{file} written after {time.perf_counter() - begin:.0f} s")
