"""The options of `cam-training`, and the settings that they stand for."""

from __future__ import annotations

import argparse

from engine.methods.cam_training.settings import ARMS, BALANCES, LOSSES, SEEDS, STARTS, MaskSettings, TeachingSettings

DEFAULT = "default %(default)s"


def add_options(parser: argparse.ArgumentParser) -> None:
    """What is compared over how many seeds, the CAM term, and how training goes."""
    usual = TeachingSettings()
    what = parser.add_argument_group("what is compared")
    arms = f"with commas between, out of {', '.join(ARMS)}; left out: all that the data and the mask allow"
    what.add_argument("--arms", metavar="A,B", help=arms)
    anew = "each draws weights and order, with --demo the data too"
    what.add_argument("--seeds", type=int, default=SEEDS, metavar="N", help=f"{anew}; {DEFAULT}")
    chosen = f"the defaults were chosen on those of --demo backgrounds from 0 to 9; {DEFAULT}"
    what.add_argument("--first-seed", type=int, default=0, metavar="N", help=chosen)
    term = parser.add_argument_group("the CAM term")
    term.add_argument("--loss", choices=LOSSES, default=usual.loss, help=DEFAULT)
    term.add_argument("--weight", type=float, default=usual.weight, metavar="X", help=DEFAULT)
    on = "share of all steps from which it is on; %(default)s as a default"
    term.add_argument("--begin", type=float, default=usual.begin, metavar="SHARE", help=on)
    term.add_argument("--end", type=float, default=usual.end, metavar="SHARE", help=on.replace("from", "up to"))
    term.add_argument("--layer", default=usual.layer, metavar="NAME", help="left out: the last that keeps a map")
    how = parser.add_argument_group("how training goes, the same for all")
    how.add_argument("--start", choices=STARTS, default=usual.start, help=f"the weights that it starts from; {DEFAULT}")
    how.add_argument("--balance", choices=BALANCES, default=usual.balance, help=f"what rare classes get; {DEFAULT}")
    how.add_argument("--epochs", type=int, default=usual.epochs, metavar="N", help=DEFAULT)
    how.add_argument("--batch-size", type=int, default=usual.batch_size, metavar="N", help=DEFAULT)
    how.add_argument("--learning-rate", type=float, default=usual.learning_rate, metavar="X", help=DEFAULT)
    how.add_argument("--weight-decay", type=float, default=usual.weight_decay, metavar="X", help=DEFAULT)


def settings_of(arguments: argparse.Namespace, mask: MaskSettings) -> TeachingSettings:
    """The settings that all arms and seeds share; ValueError where they can't be used."""
    return TeachingSettings(
        loss=arguments.loss,
        weight=arguments.weight,
        begin=arguments.begin,
        end=arguments.end,
        mask=mask,
        layer=arguments.layer,
        start=arguments.start,
        balance=arguments.balance,
        epochs=arguments.epochs,
        batch_size=arguments.batch_size,
        learning_rate=arguments.learning_rate,
        weight_decay=arguments.weight_decay,
    )


def seeds_of(arguments: argparse.Namespace) -> range:
    """The seeds in their order; ValueError where there are none."""
    if arguments.seeds < 1 or arguments.first_seed < 0:
        raise ValueError(
            f"--seeds must be at least 1 and --first-seed at least 0, got {arguments.seeds} and {arguments.first_seed}"
        )
    return range(arguments.first_seed, arguments.first_seed + arguments.seeds)


def arms_of(arguments: argparse.Namespace) -> tuple[str, ...]:
    """The arms in their usual order; ValueError where one is unknown."""
    if arguments.arms is None:
        return ARMS
    named = [name.strip() for name in arguments.arms.split(",")]
    if strangers := [name for name in named if name not in ARMS]:
        raise ValueError(f"there is no arm {strangers[0]!r}; there are {', '.join(ARMS)}")
    return tuple(arm for arm in ARMS if arm in named)
