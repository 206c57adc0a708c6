"""Faultline without the app: examine a classifier and write what was found into a folder."""

from __future__ import annotations

import argparse
import sqlite3
import sys

from engine.commands import (
    cam,
    cam_training,
    error_discovery,
    evaluate,
    input_optimization,
    input_selection,
    predict,
    train_demo,
)
from engine.runs.progress import Cancelled

EXAMPLES = """\
examples:
  python -m engine evaluate --demo digits --out out
  python -m engine evaluate --checkpoint resnet18.pth --arch resnet18 --data photos --role all --out out
  python -m engine evaluate --checkpoint net.pt --arch lenet5 --data mnist --mean 0.1307 --std 0.3081 --out out
  python -m engine predict --checkpoint weights.pth --arch lenet5 --data scans --out out
  python -m engine input-optimization --demo digits --families rotation,gaussian_blur --images 200 --out out
  python -m engine cam --demo digits --method hirescam --out out
  python -m engine cam-training --demo backgrounds --seeds 5 --out out
  python -m engine input-selection --demo digits --seeds 10 --budget 300 --out out
  python -m engine error-discovery --demo digits --oracle demo --seeds 3 --out out
  python -m engine train-demo --demo digits --out assets

Results are kept in the data folder (FAULTLINE_HOME, else the platform's), so that the app shows them too, and the same
question is answered at once the second time. Exit code 2 and one sentence: the input can't be used.
"""
COMMANDS = (
    evaluate,
    predict,
    input_optimization,
    cam,
    cam_training,
    input_selection,
    error_discovery,
    train_demo,
)


def main(words: list[str] | None = None) -> int:
    """Do one command; returns the exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m engine",
        description=__doc__,
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parsers = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    for command in COMMANDS:
        command.add_to(parsers)
    arguments = parser.parse_args(words)
    try:
        arguments.run(arguments)
    except (Cancelled, KeyboardInterrupt):
        print("stopped; what was finished is kept, and the same command resumes", file=sys.stderr)
        return 130
    except (ValueError, OSError, RuntimeError, sqlite3.Error) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
