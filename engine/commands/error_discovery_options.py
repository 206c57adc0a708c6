"""The options of `error-discovery`, and the settings that they stand for."""

from __future__ import annotations

import argparse
from dataclasses import dataclass, replace
from pathlib import Path

from engine.methods.error_discovery.settings import (
    MIXTURES,
    NOISES,
    SEEDS,
    WEIGHTS,
    CorrectionSettings,
    DistillationSettings,
    GeneratorSettings,
    IdentificationSettings,
    RealErrorSettings,
    TestSettings,
)

DEFAULT = "default %(default)s"
DEMO = "demo"  # the oracle of a built-in example


@dataclass(frozen=True)
class Plan:
    """The settings of every stage, the weights to try, and the seeds."""

    generator: GeneratorSettings
    search: IdentificationSettings
    grouping: DistillationSettings
    testing: TestSettings
    real: RealErrorSettings
    correction: CorrectionSettings
    weights: tuple[float, ...]
    seeds: range

    def of(self, seed: int) -> Plan:
        """The plan with this seed in every stage."""
        return replace(
            self,
            generator=replace(self.generator, seed=seed),
            search=replace(self.search, seed=seed),
            grouping=replace(self.grouping, seed=seed),
            testing=replace(self.testing, seed=seed),
            real=replace(self.real, seed=seed),
            correction=replace(self.correction, seed=seed),
        )


def add_options(parser: argparse.ArgumentParser) -> None:
    """How images are generated and searched, who labels, and how the classifier is corrected."""
    add_search_options(parser)
    who = parser.add_argument_group("who labels the regions; left out: nobody, and the files are there to be labelled")
    oracle = f"classifiers of the same classes that must agree, as checkpoints; or {DEMO}, that of --demo digits"
    who.add_argument("--oracle", nargs="+", metavar="FILE", help=oracle)
    who.add_argument("--labels", type=Path, metavar="CSV", help="a regions.csv of the same search that was filled in")
    how = parser.add_argument_group("how the classifier is corrected, all arms alike")
    usual = CorrectionSettings()
    tried = f"of the generated images' loss, with commas between; default {','.join(f'{each:g}' for each in WEIGHTS)}"
    how.add_argument("--weights", metavar="A,B", help=tried)
    how.add_argument("--steps", type=int, default=usual.steps, metavar="N", help=DEFAULT)
    how.add_argument("--learning-rate", type=float, default=usual.learning_rate, metavar="X", help=DEFAULT)
    how.add_argument("--per-region", type=int, default=usual.per_region, metavar="N", help=f"images; {DEFAULT}")
    share = f"of the regions, which no arm sees; {DEFAULT}"
    how.add_argument("--held-out", type=float, default=usual.held_out, metavar="SHARE", help=share)
    anew = "with --demo each draws data and classifier anew and does everything; else each is an order of training"
    how.add_argument("--seeds", type=int, default=SEEDS, metavar="N", help=f"{anew}; {DEFAULT}")
    how.add_argument("--first-seed", type=int, default=0, metavar="N", help=f"settings were found on 0 to 4; {DEFAULT}")


def add_search_options(parser: argparse.ArgumentParser) -> None:
    """The generator, the search and the regions."""
    what = parser.add_argument_group("how images are generated and searched for errors")
    generator, search, grouping = GeneratorSettings(), IdentificationSettings(), DistillationSettings()
    what.add_argument("--dimensions", type=int, default=generator.dimensions, metavar="N", help=f"of codes; {DEFAULT}")
    what.add_argument("--epochs", type=int, default=generator.epochs, metavar="N", help=f"at most; {DEFAULT}")
    what.add_argument("--plain", action="store_true", help="don't give the label to the generator")
    what.add_argument("--noise", choices=NOISES, default=search.noise, help=f"beta is as published; {DEFAULT}")
    scale = f"of the noise, in standard deviations of the codes; {DEFAULT}"
    what.add_argument("--scale", type=float, default=search.scale, metavar="X", help=scale)
    what.add_argument("--draws", type=int, default=search.draws, metavar="N", help=f"around each image; {DEFAULT}")
    agreed = f"of the nearest real images must have the label; 0 for no such filter; {DEFAULT}"
    what.add_argument("--agreement", type=float, default=search.agreement, metavar="SHARE", help=agreed)
    what.add_argument("--no-manifold", action="store_true", help="keep codes that lie far from all real ones, too")
    rebuilt = "search around images whose plain reconstruction is answered wrongly, too"
    what.add_argument("--no-reconstruction", action="store_true", help=rebuilt)
    what.add_argument("--grouping", choices=MIXTURES, default=grouping.method, help=DEFAULT)
    what.add_argument("--components", type=int, default=grouping.components, metavar="N", help=f"at most; {DEFAULT}")
    what.add_argument("--least", type=int, default=grouping.least, metavar="N", help=f"errors of a region; {DEFAULT}")


def plan_of(arguments: argparse.Namespace) -> Plan:
    """All settings; ValueError where one can't be used."""
    if arguments.seeds < 1 or arguments.first_seed < 0:
        raise ValueError(
            f"--seeds must be at least 1 and --first-seed at least 0, got {arguments.seeds} and {arguments.first_seed}"
        )
    if arguments.oracle and arguments.labels:
        raise ValueError("give --oracle or --labels, not both")
    if arguments.demo and arguments.labels and arguments.seeds > 1:
        raise ValueError("with --demo each seed has regions of its own, so --labels is for one: add --seeds 1")
    return Plan(
        generator=GeneratorSettings(
            dimensions=arguments.dimensions, epochs=arguments.epochs, conditional=not arguments.plain
        ),
        search=IdentificationSettings(
            noise=arguments.noise,
            scale=arguments.scale,
            draws=arguments.draws,
            agreement=arguments.agreement,
            manifold=not arguments.no_manifold,
            reconstruction=not arguments.no_reconstruction,
        ),
        grouping=DistillationSettings(
            method=arguments.grouping, components=arguments.components, least=arguments.least
        ),
        testing=TestSettings(agreement=arguments.agreement),
        real=RealErrorSettings(),
        correction=CorrectionSettings(
            steps=arguments.steps,
            learning_rate=arguments.learning_rate,
            per_region=arguments.per_region,
            held_out=arguments.held_out,
        ),
        weights=weights_of(arguments.weights),
        seeds=range(arguments.first_seed, arguments.first_seed + arguments.seeds),
    )


def weights_of(text: str | None) -> tuple[float, ...]:
    """The weights to try, each once and in order; ValueError where they are no numbers above 0."""
    if text is None:
        return WEIGHTS
    try:
        found = tuple(sorted({float(part) for part in text.split(",")}))
    except ValueError:
        raise ValueError(f"--weights takes numbers with commas between, got {text!r}") from None
    if not all(0 < each < float("inf") for each in found):
        raise ValueError(f"--weights must be above 0, got {text!r}; 0 is tried in any case")
    return found


def questions(plan: Plan, orders: range) -> list[CorrectionSettings]:
    """Every arm at every weight with every order of training, those of one order together."""
    found = []
    for order in orders:
        own = replace(plan.correction, order=order)
        found += [replace(own, arm=arm, weight=weight) for arm, weight in (("before", 0.0), ("continued", 0.0))]
        found.append(replace(own, arm="identified", weight=1.0))
        for arm in ("regions", "identified_mixed", "unlabelled"):
            found += [replace(own, arm=arm, weight=weight) for weight in plan.weights]
    return found
