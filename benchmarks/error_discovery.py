"""Error discovery on the planted digits: how its settings were found, and what it comes to on fresh seeds.

python -m benchmarks.error_discovery --part search fresh --cache FOLDER [--seeds 10] [--first-seed 100]

`search` varies one setting at a time on the seeds 0 to 4. `fresh` does everything with the settings as they are, on
seeds that nothing was found on: data, classifier and generator made anew for each, beside it the published noise, and
every arm of the correction. Labels are given by the built-in oracle. Classifiers are kept in `--cache`.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from itertools import repeat
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import torch

from benchmarks.error_discovery_chain import Stages, corrections, discovered, told
from benchmarks.input_selection import subject_of
from engine.loading.checkpoints import from_safetensors, to_safetensors
from engine.loading.demos.panel import NETS, make_panel
from engine.methods.error_discovery.comparison import Comparison, compare
from engine.methods.error_discovery.correction_sentences import what_correction_came_to
from engine.methods.error_discovery.oracle import Panel, panel_of
from engine.methods.error_discovery.result import Corrected
from engine.methods.error_discovery.settings import WEIGHTS
from engine.methods.error_discovery.weighing import FIGURES, figures_of
from engine.runs.progress import Progress
from engine.toolkit.seeds import OverSeeds, over_seeds

PARTS = ("search", "fresh")
VARIED: dict[str, dict[str, Sequence[Any]]] = {
    "search": {"scale": (0.15, 0.2, 0.5), "agreement": (0.6, 1.0), "draws": (10, 80), "per_image": (2, 20)},
    "correction": {"steps": (150, 600), "learning_rate": (2e-4, 5e-4), "per_region": (20, 150)},
}
TRIED = (0.03, 0.1, 0.3, 1.0)  # weights, while settings are looked for


def oracle(cache: Path) -> Panel:
    """The built-in oracle, trained unless it is in the cache."""
    files = [cache / f"oracle_{number}.safetensors" for number in range(len(NETS))]
    if not all(file.exists() for file in files):
        cache.mkdir(parents=True, exist_ok=True)
        for file, classifier in zip(files, make_panel(Progress()), strict=True):
            file.write_bytes(to_safetensors(classifier))
    classifiers = [from_safetensors(file.read_bytes()) for file in files]
    return panel_of(classifiers, classifiers[0].classes)


def measure_search(cache: Path) -> None:
    """The usual settings, then one changed at a time."""
    panel = oracle(cache)
    usual = Stages()
    cases = [("as they are", usual)]
    for name, changes in VARIED.items():
        for key, values in changes.items():
            stage = getattr(usual, name)
            cases += [
                (f"{name}.{key} = {value}", replace(usual, **{name: replace(stage, **{key: value})}))
                for value in values
            ]
    generators: dict[int, Any] = {}
    for title, stages in cases:
        print(f" {title}")
        chains, runs = [], []
        for seed in range(5):
            chain = discovered(subject_of(seed, cache), stages.of(seed), panel, generators.get(seed))
            generators[seed] = chain.inputs["generator"]
            chains.append(chain)
            runs += corrections(chain, TRIED, ("before", "continued", "regions"))
        print_figures([chain.figures for chain in chains])
        print_comparison(compare(runs))


@dataclass(frozen=True)
class OfSeed:
    """What a seed came to: the figures of our search and of the published noise, and every correction."""

    figures: Mapping[str, float]
    published: Mapping[str, float]
    runs: Sequence[Corrected]
    said: str


def measure_fresh(seeds: Sequence[int], cache: Path) -> None:
    """Everything on each seed, as many at once as there are threads, and what all say together."""
    oracle(cache)  # so that no two train it
    workers = torch.get_num_threads()
    with ProcessPoolExecutor(workers, get_context("spawn"), torch.set_num_threads, (1,)) as pool:
        found = []
        for each in pool.map(of_seed, seeds, repeat(cache)):
            print(each.said, flush=True)
            found.append(each)
    print_figures([each.figures for each in found])
    print(" published noise, no filter")
    print_figures([each.published for each in found])
    print_comparison(compare([run for each in found for run in each.runs]))


def of_seed(seed: int, cache: Path) -> OfSeed:
    """Everything on one seed."""
    begin = time.perf_counter()
    panel, subject, stages = oracle(cache), subject_of(seed, cache), Stages().of(seed)
    chain = discovered(subject, stages, panel)
    plain = replace(stages.search, noise="beta", reconstruction=False, agreement=0.0, manifold=False, draws=20)
    unfiltered = replace(stages, search=plain, testing=replace(stages.testing, agreement=0.0))
    published = discovered(subject, unfiltered, panel, chain.inputs["generator"])
    runs = corrections(chain, WEIGHTS)
    lines = [
        f"  seed {seed}, {time.perf_counter() - begin:.0f} s: {told(chain)}",
        f"    published noise: {told(published)}",
        *(f"    {line(run)}" for run in runs),
    ]
    return OfSeed(chain.figures, published.figures, runs, "\n".join(lines))


def print_figures(figures: Sequence[Mapping[str, float]]) -> None:
    """Means over the seeds of what the searches found."""
    for name in ("real", "reconstructed", "identified", "readable", "precision", "regions", "errors", "reproduced"):
        found = over_seeds({place: each[name] for place, each in enumerate(figures)}, most=float("inf"))
        print(f"  {name}: {mean(found)}")


def print_comparison(found: Comparison) -> None:
    """Each arm at each weight with its differences, and the sentences."""
    for each in found.outcomes:
        chosen = " (chosen)" if found.weights[each.arm] == each.weight else ""
        figures = ", ".join(f"{name} {mean(each.figures[name])}" for name in FIGURES)
        print(f"  {each.arm} {each.weight:g}{chosen}: {figures}; {each.labels:.0f} labels", flush=True)
        for other, gaps in (("continued", each.vs_continued), ("before", each.vs_before)):
            if gaps:
                print(f"    against {other}: " + ", ".join(f"{name} {mean(gaps[name], '+')}" for name in FIGURES))
    for sentence in what_correction_came_to(found):
        print(f"  {sentence}", flush=True)


def line(run: Corrected) -> str:
    """One run."""
    figures = ", ".join(f"{name} {value:.3f}" for name, value in figures_of(run).items())
    return f"{run.arm} {run.weight:g}: {figures}; {run.labels} labels"


def mean(found: OverSeeds, sign: str = "") -> str:
    """A mean with its interval."""
    return f"{found.mean:{sign}.3f} ({found.low:{sign}.3f} to {found.high:{sign}.3f})"


def main() -> None:
    """The parts that were asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--part", nargs="+", choices=PARTS, default=PARTS)
    parser.add_argument("--cache", type=Path, required=True, help="folder of the trained classifiers")
    parser.add_argument("--seeds", type=int, default=10, help="of `fresh`")
    parser.add_argument("--first-seed", type=int, default=100, help="of `fresh`")
    arguments = parser.parse_args()
    print(f"{torch.get_num_threads()} threads")
    fresh = range(arguments.first_seed, arguments.first_seed + arguments.seeds)
    for part in arguments.part:
        print(part)
        if part == "search":
            measure_search(arguments.cache)
        else:
            measure_fresh(fresh, arguments.cache)


if __name__ == "__main__":
    main()
