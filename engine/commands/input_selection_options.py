"""The options of `input-selection`, and the settings that they stand for."""

from __future__ import annotations

import argparse
from collections.abc import Sequence

from engine.methods.input_selection.settings import (
    CHOSEN_LAYER,
    RECOMMENDED,
    RETRAININGS,
    SEEDS,
    STRATEGIES,
    RetrainingSettings,
    SelectionSettings,
    VerdictSettings,
    arm_settings,
)

DEFAULT = "default %(default)s"


def add_options(parser: argparse.ArgumentParser) -> None:
    """When a label is buggy, what is chosen for it, and how the classifier is retrained on that."""
    add_verdict_options(parser)
    usual = SelectionSettings()
    what = parser.add_argument_group("what is chosen out of the pool")
    known = f"with commas between, out of {', '.join(STRATEGIES)}; one that looks at a layer takes the last, with "
    layer = f"@{CHOSEN_LAYER} behind its name the one that explains each label, with @NAME another; "
    usually = f"left out: {','.join(RECOMMENDED)}"
    what.add_argument("--strategies", metavar="A,B", help=known + layer + usually)
    what.add_argument("--targets", nargs="+", default=(), metavar="CLASS", help="left out: the labels found buggy")
    what.add_argument("--budget", type=int, default=usual.budget, metavar="N", help=f"images; {DEFAULT}")
    share = f"of the budget, for the targets and by the strategy; the rest by chance; {DEFAULT}"
    what.add_argument("--scored", type=float, default=usual.scored, metavar="SHARE", help=share)
    what.add_argument("--no-filter", action="store_true", help="take images whose label is likely wrong, too")
    how = parser.add_argument_group("how it is retrained, the same for all")
    plain = RetrainingSettings()
    mixed = f"with images of train mixed in, on the batch alone as published, or from scratch; {DEFAULT}"
    how.add_argument("--how", choices=RETRAININGS, default=plain.how, help=mixed)
    how.add_argument("--rounds", type=int, default=plain.rounds, metavar="N", help=f"of an equal part each; {DEFAULT}")
    how.add_argument("--steps", type=int, default=plain.steps, metavar="N", help=f"a round; {DEFAULT}")
    anew = "each draws what chance decides, with --demo data and classifier too (but for 0, the shipped ones)"
    how.add_argument("--seeds", type=int, default=SEEDS, metavar="N", help=f"{anew}; {DEFAULT}")
    found = f"mode_dhwi was found on those of --demo digits from 0 to 9; {DEFAULT}"
    how.add_argument("--first-seed", type=int, default=0, metavar="N", help=found)


def add_verdict_options(parser: argparse.ArgumentParser) -> None:
    """The thresholds of a verdict."""
    usual = VerdictSettings()
    when = parser.add_argument_group("when a label is buggy")
    under = f"under-fitted: recall on train and diagnosis below this; {DEFAULT}"
    when.add_argument("--recall", type=float, default=usual.recall, metavar="SHARE", help=under)
    over = f"over-fitted: recall on train more than this above that on diagnosis; {DEFAULT}"
    when.add_argument("--gap", type=float, default=usual.gap, metavar="SHARE", help=over)


def verdicts_of(arguments: argparse.Namespace) -> VerdictSettings:
    """The rule; ValueError where it can't be used."""
    return VerdictSettings(recall=arguments.recall, gap=arguments.gap)


def settings_of(arguments: argparse.Namespace) -> RetrainingSettings:
    """The settings that all strategies and seeds share; ValueError where they can't be used."""
    if arguments.budget < arguments.rounds:
        raise ValueError(f"--budget must be at least --rounds, got {arguments.budget} and {arguments.rounds}")
    choice = SelectionSettings(
        budget=arguments.budget,
        scored=arguments.scored,
        filtered=not arguments.no_filter,
        rule=verdicts_of(arguments),
    )
    return RetrainingSettings(choice, how=arguments.how, rounds=arguments.rounds, steps=arguments.steps)


def arms_of(arguments: argparse.Namespace) -> tuple[str, ...]:
    """The strategies, with their layers, as they were named; ValueError where there is no such one."""
    if arguments.strategies is None:
        return RECOMMENDED
    named = tuple(dict.fromkeys(name.strip() for name in arguments.strategies.split(",")))
    for arm in named:
        arm_settings(SelectionSettings(), arm)
    return named


def seeds_of(arguments: argparse.Namespace) -> range:
    """The seeds in their order; ValueError where there are none."""
    if arguments.seeds < 1 or arguments.first_seed < 0:
        raise ValueError(
            f"--seeds must be at least 1 and --first-seed at least 0, got {arguments.seeds} and {arguments.first_seed}"
        )
    return range(arguments.first_seed, arguments.first_seed + arguments.seeds)


def targets_of(arguments: argparse.Namespace, classes: Sequence[str]) -> tuple[int, ...]:
    """The numbers of the named labels in their order, none where none is named; ValueError where one is unknown."""
    if strangers := [name for name in arguments.targets if name not in classes]:
        raise ValueError(f"there is no label {strangers[0]!r}; there are {', '.join(classes)}")
    return tuple(sorted({list(classes).index(name) for name in arguments.targets}))
