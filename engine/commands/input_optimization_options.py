"""The options of `input-optimization`, and the settings that they stand for."""

from __future__ import annotations

import argparse
import math
from dataclasses import dataclass

from engine.methods.input_optimization.settings import (
    ROLES,
    RULES,
    STEP_RULES,
    SUCCESS,
    BreakpointSettings,
    Grid,
    OptimisationSettings,
    SweepSettings,
    alone,
    published,
    together,
)
from engine.subject.image_set import ImageSet
from engine.toolkit.transforms.families import FAMILIES, family_named, in_order

LEVELS_ALONE, LEVELS_TOGETHER = 8, 4
MOST_COMBINATIONS = 20_000  # of severities: more than anybody waits for
DEFAULT = "default %(default)s"


@dataclass(frozen=True)
class Asked:
    """What the options ask of each step."""

    sweep: SweepSettings
    breakpoints: BreakpointSettings
    optimisation: OptimisationSettings


def add_options(parser: argparse.ArgumentParser) -> None:
    """Which images are changed and how, when that breaks the classifier, and what is brought back."""
    sweep = parser.add_argument_group("which images are changed, and how")
    sweep.add_argument("--role", choices=ROLES, default=SweepSettings.role, help=DEFAULT)
    sweep.add_argument("--images", type=int, default=SweepSettings.images, metavar="N", help=f"at most; {DEFAULT}")
    sweep.add_argument("--families", metavar="A,B", help="transforms, with commas between; left out: all that fit")
    sweep.add_argument("--together", action="store_true", help="all combinations of --families, not each alone")
    sweep.add_argument("--published", action="store_true", help="rotation, blur and noise together, as published")
    levels = f"severities on each side; default {LEVELS_ALONE}, with --together {LEVELS_TOGETHER}"
    sweep.add_argument("--levels", type=int, metavar="N", help=levels)
    broken = parser.add_argument_group("when the classifier counts as broken")
    below = f"accuracy is --drop below that of unchanged images, or below --level; {DEFAULT}"
    broken.add_argument("--rule", choices=RULES, default=BreakpointSettings.rule, help=below)
    broken.add_argument("--drop", type=float, default=BreakpointSettings.drop, metavar="X", help=DEFAULT)
    broken.add_argument("--level", type=float, default=BreakpointSettings.level, metavar="X", help=DEFAULT)
    back = parser.add_argument_group("which images are brought back to the true answer, and how")
    default = OptimisationSettings()
    back.add_argument("--optimise", type=int, default=default.images, metavar="N", help=f"so many images; {DEFAULT}")
    worst = f"under the transforms that accuracy suffers most from; {DEFAULT}"
    back.add_argument("--worst", type=int, default=default.worst, metavar="N", help=worst)
    enough = f"a loss of at most {default.loss_level} nats, or a margin of at least {default.margin_level:g}; {DEFAULT}"
    back.add_argument("--success", choices=SUCCESS, default=default.success, help=enough)
    back.add_argument("--step-rule", choices=STEP_RULES, default=default.step_rule, help=DEFAULT)
    back.add_argument("--most-steps", type=int, default=default.most_steps, metavar="N", help=DEFAULT)


def asked_of(arguments: argparse.Namespace, images: ImageSet) -> Asked:
    """The settings that the options stand for; ValueError where they can't be used."""
    return Asked(
        SweepSettings(grids_of(arguments, images), arguments.role, arguments.images),
        BreakpointSettings(arguments.rule, arguments.drop, arguments.level),
        OptimisationSettings(
            grids=(0,) if arguments.together or arguments.published else (),
            worst=arguments.worst,
            images=arguments.optimise,
            success=arguments.success,
            step_rule=arguments.step_rule,
            most_steps=arguments.most_steps,
        ),
    )


def grids_of(arguments: argparse.Namespace, images: ImageSet) -> tuple[Grid, ...]:
    """One grid for each family, or one of them all together."""
    if arguments.published:
        if arguments.families or arguments.together or arguments.levels is not None:
            raise ValueError("--published has its own families and levels; leave out --families, --together, --levels")
        return (published(min(images.frame.height, images.frame.width)),)
    names = families_of(arguments, images)
    if arguments.together and (arguments.families is None or len(names) < 2):
        raise ValueError("--together needs two or more --families")
    levels = arguments.levels
    if levels is None:
        levels = LEVELS_TOGETHER if arguments.together else LEVELS_ALONE
    sizes = [1 + levels * len(family_named(name).sides) for name in names]
    ways = math.prod(sizes) if arguments.together else sum(sizes)
    if ways > MOST_COMBINATIONS:
        raise ValueError(f"{ways:,} combinations are too many, {MOST_COMBINATIONS:,} can be tried; take fewer --levels")
    return (together(names, levels),) if arguments.together else tuple(alone(name, levels) for name in names)


def families_of(arguments: argparse.Namespace, images: ImageSet) -> tuple[str, ...]:
    """The families that were named, or all that fit the images, in their order."""
    if arguments.families is None:
        return tuple(family.name for family in FAMILIES if not family.misfit(images.frame.channels))
    return in_order(tuple(name.strip() for name in arguments.families.split(",")))
