"""`error-discovery`: which errors are still unseen, what kinds are there, and can they be corrected?"""

from __future__ import annotations

import argparse
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from engine.commands.error_discovery_files import files_of
from engine.commands.error_discovery_options import DEMO, Plan, add_options, plan_of, questions
from engine.commands.error_discovery_story import Story
from engine.commands.error_discovery_words import sentences
from engine.commands.subject_options import add_subject_options, subject_of
from engine.commands.waiting import Bar, answer
from engine.commands.writing import written
from engine.loading.open_checkpoint import CheckpointOptions, open_checkpoint
from engine.methods.error_discovery import (
    CORRECTION,
    DISTILLATION,
    GENERATOR,
    IDENTIFICATION,
    NOVELTY,
    REAL_ERRORS,
    TESTS,
)
from engine.methods.error_discovery.editing import Edit, edited
from engine.methods.error_discovery.region_table import edits_from_csv, labels_from_csv
from engine.methods.error_discovery.result import Labels
from engine.methods.error_discovery.settings import NoveltySettings
from engine.runs.encoding import content_fingerprint
from engine.runs.run import Input
from engine.subject.subject import Subject
from engine.workbench import Workbench

if TYPE_CHECKING:
    from engine.methods.error_discovery.oracle import Panel


def add_to(parsers: Any) -> None:
    """Describe the command."""
    parser = parsers.add_parser(
        "error-discovery",
        help="which errors are still unseen, what kinds are there, and can they be corrected",
        description="Train a generator of the images, search it for images that the classifier gets wrong, group them "
        "into regions and try these again; have the regions labelled by an oracle or a filled-in regions.csv, and "
        "train the classifier on them, beside what else could be done. Writes summary.json, regions.csv, images.csv, "
        "errors.csv, real_regions.csv, corrections.csv and the regions' images into --out.",
    )
    add_subject_options(parser)
    add_options(parser)
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="folder for the results")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> None:
    """Discover, label, correct and write; ValueError in one sentence where that can't be."""
    plan = plan_of(arguments)
    bench = Workbench()
    subject = subject_of(arguments, bench)
    begin = time.perf_counter()
    panel = oracle_of(arguments, bench, subject)
    training = time.perf_counter() - begin
    table = arguments.labels.read_bytes() if arguments.labels else None
    edits = edits_from_csv(table) if table is not None else ()
    stories = []
    labelled = panel is not None or table is not None
    for seed in (plan.seeds if labelled else plan.seeds[:1]) if arguments.demo else (0,):
        own = subject if seed == 0 else drawn_anew(bench, arguments.demo, seed)
        story = discovered(bench, own, plan.of(seed), seed, edits)
        story = told(story, panel, table)
        orders = range(seed, seed + 1) if arguments.demo else plan.seeds
        stories.append(corrected(bench, story, plan.of(seed), panel, orders))
    files = files_of(stories, training if panel is not None else 0.0, bool(arguments.demo))
    (arguments.out / "images").mkdir(parents=True, exist_ok=True)
    written(arguments.out, files, sentences(stories, bool(arguments.demo)))


def drawn_anew(bench: Workbench, demo: str, seed: int) -> Subject:
    """A built-in example with data and classifier of this seed."""
    bar = Bar(f"{demo}, seed {seed}")
    try:
        return bench.demo_subject(demo, seed, bar)
    finally:
        bar.bar.close()


def oracle_of(arguments: argparse.Namespace, bench: Workbench, subject: Subject) -> Panel | None:
    """Who labels instead of a person; None where nobody does. ValueError where an oracle can't be used."""
    from engine.methods.error_discovery.oracle import panel_of
    from engine.toolkit.device import best_device

    if not arguments.oracle:
        return None
    if arguments.oracle != [DEMO]:
        files = [Path(each) for each in arguments.oracle]
        if missing := [each for each in files if not each.is_file()]:
            raise ValueError(f"there is no file {missing[0]}")
        opened = [open_checkpoint(each, CheckpointOptions(), subject.images).to(best_device()) for each in files]
        return panel_of(opened, subject.blueprint.classes)
    if not arguments.demo:
        raise ValueError(f"--oracle {DEMO} knows the built-in digits only; name checkpoints of stronger classifiers")
    bar = Bar("the oracle")
    try:
        return bench.demo_panel(arguments.demo, bar)
    finally:
        bar.bar.close()


def discovered(bench: Workbench, subject: Subject, plan: Plan, seed: int, edits: tuple[Edit, ...]) -> Story:
    """Everything up to the regions tried again, of generated and of real errors; the former after these edits."""
    seconds: dict[str, float] = {}

    def asked(name: str, step: Any, settings: Any, inputs: dict[str, Input]) -> Input:
        found, took = answer(bench, step, subject, settings, inputs)
        seconds[name] = seconds.get(name, 0.0) + took
        return Input(bench.question(step, subject, settings, inputs).fingerprint, found)

    generator = asked("generator", GENERATOR, plan.generator, {})
    errors = asked("search", IDENTIFICATION, plan.search, {"generator": generator})
    regions = asked("regions", DISTILLATION, plan.grouping, {"errors": errors})
    if edits:
        changed = edited(regions.value, errors.value, edits)
        regions = Input(content_fingerprint(changed), changed)
    all_three = {"errors": errors, "regions": regions, "generator": generator}
    tests = asked("tests", TESTS, plan.testing, all_three)
    novelty = asked("novelty", NOVELTY, NoveltySettings(), {**all_three, "tests": tests})
    real = asked("real errors", REAL_ERRORS, plan.real, {})
    real_regions = asked("real errors", DISTILLATION, plan.grouping, {"errors": real})
    real_tests = asked("real errors", TESTS, plan.testing.of_real(), {"errors": real, "regions": real_regions})
    search = Input(content_fingerprint(plan.search), plan.search)
    testing = Input(content_fingerprint(plan.testing), plan.testing)
    return Story(
        subject=subject,
        seed=seed,
        found={**all_three, "tests": tests, "search": search, "testing": testing},
        novelty=novelty.value,
        real={"errors": real, "regions": real_regions, "tests": real_tests},
        seconds=seconds,
        edits=edits,
    )


def told(story: Story, panel: Panel | None, table: bytes | None) -> Story:
    """The story with the labels of its regions, by the oracle, which looks at each error too, or from a table."""
    from engine.methods.error_discovery.decoding import Decoder
    from engine.methods.error_discovery.oracle import annotated, single_labels

    regions = story.value("regions")
    if table is not None:
        return story.with_labels(labels_from_csv(table, regions, story.subject.blueprint.classes))
    if panel is None:
        return story
    begin = time.perf_counter()
    decoder = Decoder(story.value("generator"), story.subject)
    labels: Labels = annotated(regions, story.value("tests"), decoder, panel)
    singles = single_labels(story.value("errors"), decoder, panel)
    story.seconds["labelling"] = time.perf_counter() - begin
    return story.with_labels(labels, singles)


def corrected(bench: Workbench, story: Story, plan: Plan, panel: Panel | None, orders: range) -> Story:
    """The story with all corrections; as it is where no region was given a class."""
    if story.labels is None or not (story.labels.kind == "class").any():
        return story
    inputs = {**story.found, "labels": Input(content_fingerprint(story.labels), story.labels)}
    if panel is not None:
        inputs["oracle"] = Input(panel.fingerprint, panel)
    seconds = 0.0
    for settings in questions(plan, orders):
        found, took = answer(bench, CORRECTION, story.subject, settings, inputs)
        story.runs.append(found)
        story.names.append(bench.question(CORRECTION, story.subject, settings, inputs).fingerprint)
        seconds += took
    story.seconds["correction"] = seconds
    return story
