"""Error discovery: what the generator loses, how fast the search is, and how often what it finds is an error.

python -m benchmarks.error_discovery_search --part generator speed precision --cache FOLDER [--seeds 0 1 2 3 4]
    [--images 800] [--rounds 5]

`generator` trains one of the planted digits for each seed and prints accuracy on real images and on reconstructions.
`speed` lets the search, its bare decoding and classifying of the same codes in the same portions, and the published
loop over single images take turns, with ten draws an image, and prints the ratios of their fastest turns, in seconds
and in processor time, which other programs disturb less. `precision` asks the panel about what is found with and
without filters, and with the published noise. Classifiers, generators and the panel are kept in `--cache`.
"""

from __future__ import annotations

import argparse
import pickle
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

from benchmarks.input_selection import subject_of
from engine.loading.checkpoints import from_safetensors, to_safetensors
from engine.loading.demos.panel import NETS, make_panel
from engine.methods.error_discovery.decoding import Decoder
from engine.methods.error_discovery.generating import trained_generator
from engine.methods.error_discovery.identification import identified, seeds_of
from engine.methods.error_discovery.noise import moved
from engine.methods.error_discovery.oracle import Panel, panel_of
from engine.methods.error_discovery.result import Generator
from engine.methods.error_discovery.settings import GeneratorSettings, IdentificationSettings
from engine.runs.progress import Progress
from engine.subject.subject import Subject

PARTS = ("generator", "speed", "precision")
USUAL = IdentificationSettings()
SEARCHES = {
    "as it is": USUAL,
    "without the neighbours' agreement": replace(USUAL, agreement=0.0),
    "published noise, with the filters": replace(USUAL, noise="beta"),
    "published noise, as published": replace(USUAL, noise="beta", reconstruction=False, agreement=0.0, manifold=False),
}


def generator_of(subject: Subject, seed: int, cache: Path) -> Generator:
    """The generator of this seed's digits, trained and told of unless it is in the cache."""
    file = cache / f"error_generator_{seed}.pickle"
    if not file.exists():
        begin, busy = time.perf_counter(), time.process_time()
        made = trained_generator(subject, GeneratorSettings(), Progress())
        took, used = time.perf_counter() - begin, time.process_time() - busy
        print(f"  seed {seed}: trained in {took:.1f} s, {used:.1f} s of processor time", flush=True)
        file.write_bytes(pickle.dumps(made))
    return pickle.loads(file.read_bytes())  # noqa: S301 (written above)


def measure_generator(seeds: Sequence[int], cache: Path) -> None:
    """The gate of each seed."""
    lost = []
    for seed in seeds:
        found = generator_of(subject_of(seed, cache), seed, cache)
        lost.append(found.gate_real.value - found.gate_reconstructed.value)
        print(f"  seed {seed}: real {found.gate_real}, reconstructed {found.gate_reconstructed}", flush=True)
    print(f"  lost to reconstruction: {100 * np.mean(lost):.1f} points on average of {len(lost)} seeds")


def measure_speed(seed: int, cache: Path, images: int, rounds: int) -> None:
    """The search beside what it must do at least, and beside the published loop."""
    subject = subject_of(seed, cache)
    generator = generator_of(subject, seed, cache)
    settings = replace(USUAL, draws=10, images=images)
    seeds = seeds_of(generator, settings, [])
    random = np.random.default_rng(0)
    codes, _ = moved(generator.codes[seeds], generator.spread, "gaussian", settings.scale, settings.draws, random)
    labels = np.repeat(generator.labels[seeds], settings.draws)
    decoder = Decoder(generator, subject)
    turns = {
        "search": lambda: identified(subject, settings, generator, Progress()),
        "bare": lambda: decode_and_classify(decoder, codes, labels, decoder.size),
        "one image at a time": lambda: decode_and_classify(decoder, codes, labels, settings.draws),
    }
    fastest = alternating(turns, rounds)
    for name, (seconds, busy) in fastest.items():
        print(f"  {name}: {len(codes) / seconds:,.0f} images/s, {len(codes) / busy:,.0f} a second of processor time")
    for place, unit in enumerate(("seconds", "processor time")):
        search, bare, loop = (fastest[name][place] for name in turns)
        print(f"  in {unit}: {bare / search:.2f} of the bare rate, {loop / search:.2f} times the loop's")


def decode_and_classify(decoder: Decoder, codes: np.ndarray, labels: np.ndarray, size: int) -> list[int]:
    """The answers to codes, `size` at a time, and nothing else."""
    answers: list[int] = []
    flat, given = torch.from_numpy(codes), torch.from_numpy(labels)
    with torch.inference_mode():
        for start in range(0, len(flat), size):
            images = decoder.decoded(flat[start : start + size], given[start : start + size])
            answers.extend(decoder.classifier(images).argmax(dim=1).tolist())
    return answers


def alternating(turns: dict[str, Callable[[], object]], rounds: int) -> dict[str, tuple[float, float]]:
    """The least seconds and the least processor time of each, of as many turns."""
    times: dict[str, list[tuple[float, float]]] = {name: [] for name in turns}
    for _ in range(rounds):
        for name, work in turns.items():
            begin, busy = time.perf_counter(), time.process_time()
            work()
            times[name].append((time.perf_counter() - begin, time.process_time() - busy))
    return {name: (min(each[0] for each in taken), min(each[1] for each in taken)) for name, taken in times.items()}


def panel(cache: Path) -> Panel:
    """The panel of the digits, trained unless it is in the cache."""
    files = [cache / f"panel_{number}.safetensors" for number in range(len(NETS))]
    if not all(file.exists() for file in files):
        for file, classifier in zip(files, make_panel(Progress()), strict=True):
            file.write_bytes(to_safetensors(classifier))
    return panel_of([from_safetensors(file.read_bytes()) for file in files], tuple("0123456789"))


def measure_precision(seeds: Sequence[int], cache: Path) -> None:
    """Of what is found: how much can be read, and of that, how often the classifier is wrong by the panel."""
    asked = panel(cache)
    for name, settings in SEARCHES.items():
        found = []
        for seed in seeds:
            subject = subject_of(seed, cache)
            generator = generator_of(subject, seed, cache)
            errors = identified(subject, settings, generator, Progress())
            said = asked.labels(Decoder(generator, subject).images(errors.codes, errors.labels))
            readable = said >= 0
            found.append((len(said), readable.mean(), (said != errors.predictions)[readable].mean()))
        count, readable, precision = np.mean(found, axis=0)
        each = ", ".join(f"{row[2]:.2f}" for row in found)
        print(f"  {name}: {count:,.0f} kept, {readable:.0%} readable, precision {precision:.3f} ({each})", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--part", nargs="+", choices=PARTS, default=PARTS)
    parser.add_argument("--seeds", nargs="+", type=int, default=list(range(5)))
    parser.add_argument("--cache", type=Path, required=True)
    parser.add_argument("--images", type=int, default=800)
    parser.add_argument("--rounds", type=int, default=5)
    asked = parser.parse_args()
    asked.cache.mkdir(parents=True, exist_ok=True)
    work = {
        "generator": lambda: measure_generator(asked.seeds, asked.cache),
        "speed": lambda: measure_speed(asked.seeds[0], asked.cache, asked.images, asked.rounds),
        "precision": lambda: measure_precision(asked.seeds, asked.cache),
    }
    for part in asked.part:
        print(part)
        work[part]()


if __name__ == "__main__":
    main()
